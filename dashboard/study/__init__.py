"""Any study: what it asks, how far it is, what it found, and what its cells open."""
