"""Fixtures for all tests: where the shared real images lie, and skipping where they do not."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

SHARED_DATA = Path(
    os.environ.get("BENCHMARKER_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real images; the test skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real images at {SHARED_DATA} (set BENCHMARKER_REAL_DATA)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def specs() -> Path:
    """Folder of reference vectors; the test skips where it is absent."""
    folder = SHARED_DATA.parent / "specs"
    if not folder.is_dir():
        pytest.skip(f"no reference vectors at {folder}")
    return folder
