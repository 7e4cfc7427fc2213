"""Answers of a network to changes in one window of its input: only what the change can reach is recomputed."""
