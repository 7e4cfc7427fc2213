"""Pixels of DICOM: stored values, what they mean, and what of them is no image."""
