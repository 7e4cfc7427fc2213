"""Volume files: NIfTI, Analyze and MGH."""
