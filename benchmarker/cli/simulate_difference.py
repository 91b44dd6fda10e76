"""``benchmarker data simulate difference-images``: exposures, their catalogue, their database."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarker.core.errors import SettingsError

DIFFERENCE = "difference-images"
DEFAULT_SIZE = 1024
OPTIONS = ("nights", "exposures", "camera", "first_night", "threshold", "database")
CONFIG, DATABASE = "config.yaml", "survey.db"


def add_difference_arguments(group: Any) -> None:
    """Options of difference images alone; absent ones are None."""
    group.add_argument("--nights", type=int, metavar="N", help="nights (default: 1)")
    group.add_argument(
        "--exposures", type=int, metavar="N", help="exposures of each night (default: 6)"
    )
    group.add_argument("--camera", metavar="CODE", help="as in 02a58362o0001c (default: 02a)")
    group.add_argument(
        "--first-night", type=int, metavar="MJD", help="the first night (default: 58362)"
    )
    group.add_argument(
        "--threshold", type=float, metavar="S", help="of the finder in sigma (default: 4)"
    )
    group.add_argument(
        "--database",
        metavar="URL",
        help="where to register exposures and detections, sqlite:///FILE or "
        "mysql://USER@HOST/NAME (default: survey.db in the folder)",
    )


def write_difference_images(
    arguments: argparse.Namespace, progress: Callable[[int, int], object]
) -> dict[str, Any]:
    """Draw, write, register; returns what was made, ready for JSON."""
    from benchmarker.hosts.realbogus.credentials import SQLITE, from_url
    from benchmarker.hosts.realbogus.database import open_database
    from benchmarker.hosts.realbogus.registering import register, write_survey_config
    from benchmarker.simulate.difference.night_files import EXPOSURES, finish, write_nights
    from benchmarker.simulate.difference.night_plan import NightSettings

    names = ("nights", "exposures", "camera", "first_night", "threshold")
    given = {name: getattr(arguments, name) for name in names}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = NightSettings(size=arguments.size, seed=arguments.seed, **chosen)
    folder = Path(arguments.output)
    url = arguments.database or f"sqlite:///{quote(str(folder / DATABASE))}"
    credentials = from_url(url)
    if credentials.kind == SQLITE:
        if not credentials.database:
            message = "--database is in memory, expected a file or a server: it must last"
            raise SettingsError(message)
        from benchmarker.core.files import make_folder

        make_folder(Path(credentials.database).parent)
    # opened first: a wrong address is told before an hour of drawing
    with open_database(credentials, create=True) as database:
        tables = write_nights(settings, folder, workers=arguments.workers or 1, progress=progress)
        register(database, tables.rows)
    write_survey_config(folder / CONFIG, credentials, EXPOSURES)
    finish(settings, folder)
    return {
        "folder": str(folder),
        "exposures": len(tables.exposures),
        "detections": len(tables.detections),
        "kinds": tables.kinds,
        "size": settings.size,
        "nights": sorted({int(row["mjd"]) for row in tables.exposures}),
        "database": credentials.place,
        "config": str(folder / CONFIG),
    }
