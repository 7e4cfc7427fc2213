"""Questions answered in processes of their own, so that the server needs no torch."""
