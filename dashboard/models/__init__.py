"""Models: the cards of the library."""
