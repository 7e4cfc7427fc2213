"""Cohorts of scans, and the phantoms that stand in for patients."""
