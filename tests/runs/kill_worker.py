"""A run's process that kills itself (SIGKILL) at a chosen moment; for test_kill.py.

``python kill_worker.py SPEC WHAT NUMBER``: WHAT is ``before`` or ``after`` the NUMBER-th
file that is moved into place, or ``batch`` for the middle of the NUMBER-th batch.
"""

import os
import runpy
import signal
import sys


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    from benchmarker.runs import training

    training.CHECKPOINT_SECONDS = 0.0  # a checkpoint after every epoch: more moments to hit
    what, number = sys.argv[2], int(sys.argv[3])
    count = 0
    if what == "batch":
        set_seeds = training.set_dropout_seeds

        def counted(*arguments):
            nonlocal count
            count += 1
            set_seeds(*arguments)
            if count == number:
                kill()

        training.set_dropout_seeds = counted
    else:
        replace = os.replace

        def counted_replace(*arguments, **options):
            nonlocal count
            count += 1
            if count == number and what == "before":
                kill()
            replace(*arguments, **options)
            if count == number and what == "after":
                kill()

        os.replace = counted_replace
    sys.argv = sys.argv[:2]
    runpy.run_module("benchmarker.runs.worker", run_name="__main__")


main()
