"""Home: what this is, and one click into the demo."""

from dashboard import home

home.show()
