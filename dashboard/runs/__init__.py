"""Runs: everything that ran."""
