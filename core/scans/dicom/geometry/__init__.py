"""Geometry of DICOM that stands elsewhere than in PixelSpacing and ImagePositionPatient."""
