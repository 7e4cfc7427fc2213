"""The Trace page: paint on one side of a model, see on the other what goes there or comes from there."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("trace", "Trace", place=30, help="how-to/trace-an-image"))
