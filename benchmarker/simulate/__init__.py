"""Simulators with the physics that a network could exploit."""
