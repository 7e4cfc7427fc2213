"""One of each kind of thing that can be added to Lightbox from outside."""
