"""Models: the cards of the library."""

from dashboard.frame.opening import show_page

show_page("models")
