"""Runs: everything that ran."""

from dashboard import runs

runs.show()
