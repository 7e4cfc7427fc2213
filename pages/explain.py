"""Explain: one scan, one model, one explainer."""

from dashboard.desk import desk
from dashboard.explain import page
from dashboard.frame import opening

opening.follow_link(desk())
page.show()
