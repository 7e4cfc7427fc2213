"""Trace: paint on one side of a model, see the other."""

from dashboard.trace import page

page.show()
