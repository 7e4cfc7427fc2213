"""Models: the cards of the library."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("models", "Models", place=60, help="how-to/bring-a-model"))
