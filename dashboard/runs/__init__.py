"""Runs: everything that ran."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("runs", "Runs", place=50, help="how-to/find-a-run"))
