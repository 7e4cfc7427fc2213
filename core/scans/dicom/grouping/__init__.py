"""Which frames of DICOM files make one volume, in which order, and where it lies."""
