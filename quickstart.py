"""The classic entry: ``python quickstart.py -a convxpress.txt -s 8901``.

The same as ``benchmarker run``; ``--help`` lists the options.
"""

import sys

from benchmarker.cli import verb_run
from benchmarker.cli.main import run_verb

if __name__ == "__main__":
    raise SystemExit(run_verb(verb_run, sys.argv[1:], prog="quickstart.py"))
