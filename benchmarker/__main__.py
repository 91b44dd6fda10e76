"""``python -m benchmarker``."""

from benchmarker.cli.main import entry

entry()
