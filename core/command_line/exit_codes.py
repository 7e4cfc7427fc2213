"""How a command ends."""

DONE, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
