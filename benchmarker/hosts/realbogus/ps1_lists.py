"""Lists of stamps that Pan-STARRS made itself: ``good.txt`` and ``bad.txt``; nothing is cut."""

from __future__ import annotations

from pathlib import Path

from benchmarker.core.files import make_folder, write_if_changed
from benchmarker.hosts.realbogus import queries_ps1
from benchmarker.hosts.realbogus.database import Database
from benchmarker.hosts.realbogus.queries_ps1 import Ps1Selection

CHOICES = ("all", "good", "bad")


def write_ps1_lists(
    database: Database, chosen: Ps1Selection, images: Path, folder: Path, wanted: str = "all"
) -> dict[str, dict[str, int]]:
    """Write the lists to `folder` with full paths, newest first; an empty one is not written.

    The survey's stamps are ``images/DATABASE/NIGHT/NAME.fits``; `wanted` is ``all``, ``good`` or
    ``bad``. Returns for each list the numbers of objects, of stamps, and of stamps not there.
    """
    database.check(queries_ps1.TABLES)
    make_folder(folder)
    found: dict[str, dict[str, int]] = {}
    for word, objects_of in (
        ("good", queries_ps1.good_objects),
        ("bad", queries_ps1.bad_objects),
    ):
        if wanted not in ("all", word):
            continue
        objects = objects_of(database, chosen)
        names = queries_ps1.stamps_of_objects(database, objects, chosen.camera)
        paths = sorted({stamp_path(images, database.name, name) for name in names}, reverse=True)
        if paths:
            write_if_changed(folder / f"{word}.txt", "".join(f"{path}\n" for path in paths))
        missing = sum(not path.is_file() for path in paths)
        found[word] = {"objects": len(objects), "stamps": len(paths), "missing": missing}
    return found


def stamp_path(images: Path, database: str, name: str) -> Path:
    """Path of a stamp ``OBJECT_MJD_...``: its night is the whole part of the second field."""
    night = "".join(name.split("_")[1:2]).partition(".")[0]
    return images / database / night / f"{Path(name).name}.fits"
