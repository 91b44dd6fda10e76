"""``benchmarker realbogus cutouts``: from a survey's database and exposures to lists of stamps."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.cli.run_options import checked
from benchmarker.core.errors import EXIT_FINE, SettingsError
from benchmarker.networks.entries import whole

if TYPE_CHECKING:
    from benchmarker.hosts.realbogus.cutting import Outcome
    from benchmarker.hosts.realbogus.database import Database
    from benchmarker.hosts.realbogus.survey_config import SurveyConfig

NAME = "cutouts"
HELP = "cut stamps of real and bogus detections from a survey's exposures"
EXAMPLES = """examples:
  benchmarker realbogus cutouts --config NIGHT/config.yaml --nights 58362,58363 -o STAMPS
  benchmarker realbogus cutouts --database sqlite:///survey.db --exposures diff/ --nights 58362 \\
      --stamps bogus --store stamps.h5 -o STAMPS
  benchmarker realbogus cutouts --survey ps1 --camera gpc1 --config config.yaml -o LISTS
"""
SURVEYS = ("atlas", "ps1")
ATLAS_CAMERA = "02a"
MOST_NIGHT = 10**6
MOST_LIST = 8  # detection lists are 0 to 8
REPORT_SECONDS = 5.0
MOST_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which database, which nights, how to cut, where to."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("--config", metavar="FILE", type=Path, help="YAML file with the database (docs/psat-ml.md)")
    add(
        "--database",
        metavar="URL",
        help="in place of the file's: sqlite:///survey.db, mysql://USER@HOST/NAME (password: "
        "BENCHMARKER_DATABASE_PASSWORD)",
    )
    add("--survey", choices=SURVEYS, default=SURVEYS[0], help="default: %(default)s")
    add("--camera", metavar="CODE", help="default: 02a; gpc1 or gpc2 must be given with ps1")
    add("--output", "-o", metavar="DIR", type=Path, required=True, help="folder of the stamps")
    add("--json", action="store_true", help="print JSON alone")
    _of_atlas(parser)
    _of_ps1(parser)


def _of_atlas(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("atlas: stamps are cut").add_argument
    add("--nights", metavar="MJD,...", type=_nights, default=(), help="as 58362,58363")
    add("--exposures", metavar="DIR", type=Path, help="folder of exposures, not the file's")
    add(
        "--stamp-size",
        metavar="PX",
        type=checked(whole(1)),
        default=40,
        help="default: %(default)s",
    )
    add(
        "--stamps",
        choices=("all", "real", "bogus"),
        default="all",
        help="default: %(default)s",
    )
    add("--good-as-real", action="store_true", help="reals: the good list, not asteroids")
    add(
        "--offset",
        metavar="PX",
        type=float,
        default=-0.5,
        help="added to catalogue positions before rounding (default: %(default)s)",
    )
    add(
        "--processes",
        metavar="N",
        type=checked(whole(1)),
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        help="default: %(default)s, the cores of this machine",
    )
    add("--store", metavar="FILE", type=Path, help="one HDF5 file in DIR instead of FITS files")


def _of_ps1(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("ps1: lists are made of the survey's own stamps")
    add, a_list = group.add_argument, checked(whole(0))
    add("--image-root", metavar="DIR", type=Path, help="of the stamps (default: /db0/images)")
    add("--image-type", choices=("all", "good", "bad"), default="all", help="default: %(default)s")
    add("--good-list", metavar="N", type=a_list, default=2, help="default: %(default)s")
    add("--bad-list", metavar="N", type=a_list, default=0, help="default: %(default)s")
    add("--bad-augment", metavar="N", type=a_list, help="group of artefacts that people made")
    add("--bad-lower", metavar="SCORE", type=float, default=0.01, help="default: %(default)s")
    add("--bad-upper", metavar="SCORE", type=float, default=0.3, help="default: %(default)s")
    add(
        "--flag-date",
        metavar="YYYYMMDD",
        type=_day,
        default=date(2010, 1, 1),
        help="objects flagged after it (default: 20100101)",
    )


def _nights(text: str) -> tuple[int, ...]:
    words = [word for word in text.replace(",", " ").split() if word]
    if not words or not all(w.isdecimal() and 0 < int(w) < MOST_NIGHT for w in words):
        message = f"{text!r} are no nights, expected whole MJDs such as 58362,58363"
        raise argparse.ArgumentTypeError(message)
    return tuple(dict.fromkeys(int(word) for word in words))


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        message = f"{text!r} is no day, expected one such as 20180829"
        raise argparse.ArgumentTypeError(message) from None


def run(arguments: argparse.Namespace) -> int:
    """Cut stamps or write lists; prints what was done."""
    from benchmarker.hosts.realbogus.database import open_database

    config = _config(arguments)
    work = _ps1 if arguments.survey == "ps1" else _atlas
    _refuse_early(arguments)
    with open_database(config.credentials, config.names) as database:
        value, lines = work(arguments, config, database)
    if arguments.json:
        print(json.dumps(value, indent=2))
    else:
        print("\n".join(lines))
    return EXIT_FINE


def _refuse_early(arguments: argparse.Namespace) -> None:
    """What needs no database to be seen."""
    if arguments.survey == "atlas" and not arguments.nights:
        message = "no night given, expected --nights with MJDs such as 58362,58363"
        raise SettingsError(message)
    if arguments.survey == "ps1" and arguments.camera is None:
        message = "no camera given, expected --camera gpc1 or gpc2 with --survey ps1"
        raise SettingsError(message)
    for name in ("good_list", "bad_list"):
        if getattr(arguments, name) > MOST_LIST:
            option = f"--{name.replace('_', '-')}"
            message = f"{option} is {getattr(arguments, name)}, expected 0 to {MOST_LIST}"
            raise SettingsError(message)


def _config(arguments: argparse.Namespace) -> SurveyConfig:
    from dataclasses import replace

    from benchmarker.hosts.realbogus.credentials import from_url
    from benchmarker.hosts.realbogus.exposures import ExposurePlaces
    from benchmarker.hosts.realbogus.survey_config import SurveyConfig, read_config

    if arguments.config is None and arguments.database is None:
        message = "no database given, expected --config FILE or --database URL"
        raise SettingsError(message)
    if arguments.config is None:
        config = SurveyConfig(from_url(arguments.database))
    else:
        config = read_config(arguments.config)
        if arguments.database is not None:
            config = replace(config, credentials=from_url(arguments.database))
    if arguments.exposures is not None:
        places = ExposurePlaces(arguments.exposures, config.exposures.pattern)
        config = replace(config, exposures=places)
    return config


def _atlas(
    arguments: argparse.Namespace, config: SurveyConfig, database: Database
) -> tuple[dict[str, Any], list[str]]:
    from dataclasses import asdict

    from benchmarker.hosts.realbogus.cutout_run import CutoutPlan, cut_nights
    from benchmarker.hosts.realbogus.cutouts import CutForm

    started = time.monotonic()
    store = arguments.store
    plan = CutoutPlan(
        nights=arguments.nights,
        folder=arguments.output,
        camera=arguments.camera or ATLAS_CAMERA,
        stamps=arguments.stamps,
        good_as_real=arguments.good_as_real,
        form=CutForm(arguments.stamp_size, arguments.offset),
        places=config.exposures,
        store=None if store is None else arguments.output / store,
        processes=arguments.processes,
    )
    progress = Progress()
    summary = cut_nights(database, plan, progress)
    value = {"folder": str(plan.folder), **asdict(summary)}
    value["seconds"] = {name: round(s, 3) for name, s in summary.seconds.items()}
    value["seconds"]["all"] = round(time.monotonic() - started, 3)
    _warn(value)
    return value, _lines(value, plan.store)


def _warn(value: dict[str, Any]) -> None:
    """What a user should know, on stderr."""
    tell = [
        f"night {night}: no exposure of this camera in the database"
        for night in value["empty_nights"]
    ]
    if value["missing"]:
        shown = ", ".join(value["missing"][:MOST_SHOWN])
        more = ", ..." if len(value["missing"]) > MOST_SHOWN else ""
        tell.append(
            f"{len(value['missing'])} exposures are not there: {shown}{more} "
            f"({value['folder']}/missing.txt)"
        )
    tell += [f"left out {obs}: {reason}" for obs, reason in value["unreadable"].items()]
    if value["outside"]:
        tell.append(f"{value['outside']} detections lie outside of the detector")
    if not value["jobs"] and not value["empty_nights"]:
        tell.append("no detection of the wanted kind in these nights")
    for text in tell:
        print(f"note: {text}", file=sys.stderr)


def _lines(value: dict[str, Any], store: Path | None) -> list[str]:
    seconds = value["seconds"]
    made = value["jobs"] - value["skipped"]
    before = f"{value['skipped']} were whole already"
    lines = [f"{value['exposures']} exposures: {made} lists of detections done now, {before}"]
    for name, count in value["listed"].items():
        if count:
            lines.append(f"{value['folder']}/{name}: {count} stamps")
    if store is not None:
        lines.append(f"{store}: {value['stored'] or 'as many stamps as before'}")
    spent = seconds["cut"] + seconds["write"]
    if spent:
        share = 100 * seconds["write"] / spent
        lines.append(f"{seconds['all']} s; {share:.0f} % of the work was writing stamps")
    return lines


def _ps1(
    arguments: argparse.Namespace, config: SurveyConfig, database: Database
) -> tuple[dict[str, Any], list[str]]:
    from benchmarker.hosts.realbogus.ps1_lists import write_ps1_lists
    from benchmarker.hosts.realbogus.queries_ps1 import Ps1Selection

    chosen = Ps1Selection(
        camera=arguments.camera,
        good_list=arguments.good_list,
        bad_list=arguments.bad_list,
        lower=arguments.bad_lower,
        upper=arguments.bad_upper,
        flag_date=arguments.flag_date,
        bad_group=arguments.bad_augment,
    )
    images = arguments.image_root or config.images
    found = write_ps1_lists(database, chosen, images, arguments.output, arguments.image_type)
    lines = []
    for word, counts in found.items():
        where = arguments.output / f"{word}.txt" if counts["stamps"] else "nothing written"
        lines.append(f"{word}: {counts['stamps']} stamps of {counts['objects']} objects ({where})")
        if counts["missing"]:
            text = f"note: {counts['missing']} {word} stamps are not in {images}"
            print(text, file=sys.stderr)
    return {"folder": str(arguments.output), **found}, lines


class Progress:
    """How many exposures are done, now and then, on stderr."""

    def __init__(self) -> None:
        self.started = self.reported = time.monotonic()
        self.stamps = 0

    def __call__(self, outcome: Outcome, done: int, total: int) -> None:
        self.stamps += 0 if outcome.skipped else outcome.stamps
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - self.reported < (0.2 if terminal else REPORT_SECONDS) and done < total:
            return
        self.reported = now
        rate = self.stamps / max(now - self.started, 1e-9)
        end = "\r" if terminal and done < total else "\n"
        text = f"{done} of {total} lists of detections, {self.stamps} stamps, {rate:.0f} per second"
        print(text, end=end, file=sys.stderr, flush=True)
