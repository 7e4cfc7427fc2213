"""Compare, results: any explanation runs side by side."""
