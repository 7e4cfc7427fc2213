"""Compare, two scans: linked in millimetres, with their difference."""
