"""The report: a static HTML site made from records, to be opened from disk."""
