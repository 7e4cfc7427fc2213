"""Results that are kept at hand, from page to page, to be put side by side."""
