"""One change of the tables a file, `vNNNN_what_it_does.py`; each names the one before it."""
