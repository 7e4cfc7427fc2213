"""Asking networks: the same answers as the network itself, quicker, and compared with it before they are used."""
