"""Snapshot images of the Murchison Widefield Array, simulated as visibilities."""
