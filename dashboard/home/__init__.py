"""The first page."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("home", "Home", place=10, help="tutorials/first-explanation"))
