"""Trace: paint on one side of a model, see the other."""

from dashboard.frame.opening import show_page

show_page("trace")
