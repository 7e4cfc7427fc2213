"""Trace: paint on one side of a model, see the other."""

from dashboard.frame import opening
from dashboard.trace import desk, page

opening.follow_link(desk.trace_desk())
page.show()
