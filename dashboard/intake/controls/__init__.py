"""Parameters that were declared, as controls."""
