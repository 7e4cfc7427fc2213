"""What leaves of a result: its figure, its tables, its record."""
