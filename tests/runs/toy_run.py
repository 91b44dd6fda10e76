"""One small complete run, made once for all tests of a process that only read it."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tests.runs.commands import command
from tests.runs.toy import write_toy

LIST = "mcrgnet,1e-3,2,recipe=d4,batch=16\n"


@functools.cache
def toy_place() -> Path:
    """A folder with ``toy.npz``, ``list.txt`` and one complete run in ``results``."""
    place = Path(tempfile.mkdtemp(prefix="toy run "))  # a blank in the path on purpose
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    write_toy(place / "toy.npz")
    (place / "list.txt").write_text(LIST)
    done = command("-a", "list.txt", "-s", "8901", "-d", "toy.npz", "--threads", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    return place


def toy_run() -> Path:
    """The folder of that run."""
    (folder,) = (toy_place() / "results" / "runs").iterdir()
    return folder


def copied(place: Path) -> Path:
    """A copy of it all in the folder `place`, to be changed; the folder of the run there."""
    shutil.copytree(toy_place(), place, dirs_exist_ok=True)
    (folder,) = (place / "results" / "runs").iterdir()
    return folder
