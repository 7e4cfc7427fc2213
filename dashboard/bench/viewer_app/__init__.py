"""The app that the viewer's benchmark looks at."""
