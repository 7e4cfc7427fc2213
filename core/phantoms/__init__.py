"""Synthetic scans with known truths, drawn by programs."""
