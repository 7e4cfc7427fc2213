"""What a model may come as: one format a file. `core.models.formats.base` says what a format is."""
