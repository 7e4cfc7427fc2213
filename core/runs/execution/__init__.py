"""Who computes a run, and what happens when it stops."""
