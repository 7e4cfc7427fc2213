"""Our own components in the browser."""
