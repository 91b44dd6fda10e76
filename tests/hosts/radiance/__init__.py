"""Tests of RADIAnCE."""
