"""Scans: reading images into one form, and their geometry."""

from core.scans.collect import Upload
from core.scans.grid import Grid, resample
from core.scans.loading import (
    SeriesChoice,
    list_series,
    list_upload_series,
    list_volumes,
    load_scan,
    load_upload,
    load_upload_or_choices,
)
from core.scans.region_file import load_region, load_uploaded_mask, load_uploaded_region
from core.scans.scan import Form, HeaderForms, Scan, SourceSpace

__all__ = [
    "Form",
    "Grid",
    "HeaderForms",
    "Scan",
    "SeriesChoice",
    "SourceSpace",
    "Upload",
    "list_series",
    "list_upload_series",
    "list_volumes",
    "load_region",
    "load_scan",
    "load_upload",
    "load_upload_or_choices",
    "load_uploaded_mask",
    "load_uploaded_region",
    "resample",
]
