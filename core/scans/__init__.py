"""Scans: reading images into one form, and their geometry.

What reads files is imported when it is first used: the server, which only looks at stored scans, does without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.scans.grid import Grid, resample
from core.scans.scan import Form, HeaderForms, Scan, SourceSpace

if TYPE_CHECKING:
    from core.scans.collect import Upload
    from core.scans.loading import (
        SeriesChoice,
        list_series,
        list_upload_series,
        list_volumes,
        load_scan,
        load_upload,
        load_upload_or_choices,
        look_through_upload,
    )
    from core.scans.region_file import load_region, load_uploaded_mask, load_uploaded_region

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
    "look_through_upload",
    "resample",
]

_HOMES = ("loading", "region_file", "collect")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            found = getattr(import_module(f"core.scans.{home}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
