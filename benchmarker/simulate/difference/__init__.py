"""Difference images of a wide-field survey: what is real in them, and what only looks so."""
