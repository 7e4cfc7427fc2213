"""Scans: reading images into one form, and their geometry."""

from core.scans.grid import Grid, resample
from core.scans.scan import Scan, SourceSpace

__all__ = ["Grid", "Scan", "SourceSpace", "resample"]
