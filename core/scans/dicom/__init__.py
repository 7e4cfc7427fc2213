"""Reading DICOM: headers, series, pixels."""
