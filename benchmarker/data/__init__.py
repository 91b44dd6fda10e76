"""From files and cards to prepared, split and cached batches."""
