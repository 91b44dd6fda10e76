"""What every other room stands on: errors, hashing, atomic files, seeds and records."""
