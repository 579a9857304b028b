"""The batch model: teacher and reference."""
