"""Records for other programs and for people: model files, bundles, trackers, cards."""
