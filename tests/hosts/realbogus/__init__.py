"""Tests of real or bogus."""
