"""Pictures: PNG, JPEG and TIFF."""
