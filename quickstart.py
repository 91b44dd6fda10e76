"""The classic entry: ``python quickstart.py -a convxpress.txt -s 8901``.

The same as ``benchmarker run``; ``--help`` lists the options.
"""

import sys

from benchmarker.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["run", *sys.argv[1:]]))
