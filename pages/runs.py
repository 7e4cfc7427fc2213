"""Runs: everything that ran."""

from dashboard.frame.opening import show_page

show_page("runs")
