"""Lightbox on the screen: the frame around the pages, and what the pages are made of."""
