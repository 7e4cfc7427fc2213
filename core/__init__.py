"""Lightbox without a screen: scans, models, explainers, and everything that is kept of them."""

#: The version, of the package as well; written into every record.
VERSION = "0.1.0"
