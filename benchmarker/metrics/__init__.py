"""Scores of classifiers, with their uncertainty."""
