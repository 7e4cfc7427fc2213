"""Where runs, scans and landmarks are kept."""
