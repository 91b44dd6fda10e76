"""What is special to one hosted system each: its formats, its figures, its files."""
