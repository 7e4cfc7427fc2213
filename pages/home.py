"""Home: what this is, and one click into the demo."""

from dashboard.frame.opening import show_page

show_page("home")
