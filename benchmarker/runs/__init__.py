"""One run: determinism, training, resume, testing, and its folder."""
