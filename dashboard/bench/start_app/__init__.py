"""What ``bench start`` compares the app with, and the page on which it moves a slider."""
