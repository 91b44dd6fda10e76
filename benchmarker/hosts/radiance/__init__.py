"""RADIAnCE: artefacts in images of the MWA, and what goes into their headers."""
