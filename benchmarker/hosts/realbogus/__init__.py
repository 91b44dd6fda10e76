"""Real or bogus: from a survey's detections to scored candidates (psat-ml, braai)."""
