"""What leaves Lightbox: maps in the file's own space, pictures, the record."""
