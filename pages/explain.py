"""Explain: one scan, one model, one explainer."""

from dashboard import explain, opening, session

opening.follow_link(session.desk())
explain.show()
