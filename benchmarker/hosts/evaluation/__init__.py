"""Trained networks on images beyond the run's own test: other sets, many passes, single files."""
