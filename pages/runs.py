"""Runs: everything that ran."""

from dashboard.runs import page

page.show()
