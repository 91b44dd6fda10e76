"""``benchmarker data split``: which source trains, validates and tests, with digests."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import EXIT_FINE, MissingDataError, SettingsError
from benchmarker.core.seeds import PAPER_SEEDS

if TYPE_CHECKING:
    import numpy as np

    from benchmarker.data.cards import Card
    from benchmarker.data.manifests import Manifest
    from benchmarker.data.splits import SourceLists, Split

NAME = "split"
HELP = "show or write the split of a data set, a manifest, or the lrg and unlrg catalogues"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which sources, and by which rule."""
    parser.add_argument(
        "what", metavar="NAME_OR_PATH", help="card, images, manifest (.csv), or lrg / unlrg"
    )
    parser.add_argument(
        "--tables", metavar="DIR", help="folder of the tables of Ma et al. 2019 for lrg and unlrg"
    )
    parser.add_argument(
        "--subset", metavar="NAME", help="a subset that the card declares (data list shows them)"
    )
    parser.add_argument("--labels", metavar="FILE", help="label codes and classes of a manifest")
    parser.add_argument(
        "--fr0", choices=("drop", "merge", "own"), help="FR0 sources of a manifest (default: drop)"
    )
    parser.add_argument(
        "--certainty",
        choices=("all", "certain", "possible"),
        default="all",
        help="labels of a manifest to keep: all, certain, or certain and possible (default: all)",
    )
    parser.add_argument("--seed", type=int, default=PAPER_SEEDS[0], help="default: %(default)s")
    parser.add_argument("--train", type=int, metavar="N", help="training sources per class")
    parser.add_argument("--validation", type=int, metavar="N", help="validation sources per class")
    parser.add_argument(
        "--legacy", action="store_true", help="draw by quotas exactly as the original program"
    )
    parser.add_argument(
        "--folds", type=int, metavar="K", help="stratified folds instead: one of K tests"
    )
    parser.add_argument("--fold", type=int, metavar="I", help="which one, 0 to K - 1")
    parser.add_argument("--output", metavar="FILE", help="write the split with its names as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON alone")


def run(arguments: argparse.Namespace) -> int:
    """Decide the split; print sizes and digests."""
    from benchmarker.data.splits import write_split

    name, sources = _sources(arguments)
    split = _decide(arguments, sources)
    if arguments.output:
        write_split(arguments.output, split)
    value = _summary(name, arguments.seed, sources, split)
    if arguments.json:
        print(json.dumps(value, indent=2))
    else:
        _print(value)
    return EXIT_FINE


def _decide(arguments: argparse.Namespace, sources: SourceLists) -> Split:
    from benchmarker.data.splits import choose_fold, choose_split

    if (arguments.folds is None) != (arguments.fold is None):
        message = "--folds and --fold go together, for instance --folds 5 --fold 0"
        raise SettingsError(message)
    if arguments.folds is not None:
        if arguments.train or arguments.validation or arguments.legacy:
            message = "--folds deals all sources; leave --train, --validation and --legacy out"
            raise SettingsError(message)
        seed = arguments.seed
        return choose_fold(sources, folds=arguments.folds, fold=arguments.fold, seed=seed)
    quotas = _quotas(arguments, sources)
    card = _card(sources)
    return choose_split(
        sources,
        train=quotas[0],
        validation=quotas[1],
        seed=arguments.seed,
        legacy=arguments.legacy,
        card_validation_share=None if card is None else card.validation_share,
    )


@dataclass(frozen=True)
class _ListedSources:
    """Sources of a manifest: names and labels without images."""

    sources: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    ra_deg: np.ndarray
    dec_deg: np.ndarray
    published_split: None = None
    pixel_scale_arcsec: None = None
    groups: None = None


def _sources(arguments: argparse.Namespace) -> tuple[str, SourceLists]:
    """Name and lists of what shall be split; images are not opened."""
    from benchmarker.data.ma2019 import SAMPLES, read_sample
    from benchmarker.data.manifests import read_manifest

    what = arguments.what
    listed = arguments.tables or Path(what).suffix.lower() == ".csv"
    if arguments.subset and listed:
        message = f"--subset belongs to images that a card describes; {what!r} lists sources only"
        raise SettingsError(message)
    choices = {"fr0": arguments.fr0, "certainty": arguments.certainty}
    if arguments.tables:
        if what.lower() not in SAMPLES:
            message = f"--tables belongs to {' and '.join(SAMPLES)}, got {what!r}"
            raise SettingsError(message)
        return what.lower(), _listed(read_sample(arguments.tables, what, **choices))
    if listed:
        return Path(what).stem, _listed(read_manifest(what, arguments.labels, **choices))
    if arguments.fr0 or arguments.certainty != "all":
        message = f"--fr0 and --certainty choose among a manifest's sources; {what!r} is none"
        raise SettingsError(message)
    from benchmarker.data.opening import ReadOptions, open_data

    try:
        options = ReadOptions(subset=arguments.subset)
        images = open_data(what, labels=arguments.labels, options=options)
    except MissingDataError as error:
        if what.lower() not in SAMPLES:
            raise
        message = f"{error}; or give --tables DIR, from which names and labels are enough"
        raise MissingDataError(message) from error
    return images.name, images


def _listed(manifest: Manifest) -> _ListedSources:
    from benchmarker.data.sky import positions_of_names

    positions = positions_of_names(manifest.names)
    return _ListedSources(manifest.names, manifest.labels, manifest.classes, *positions)


def _quotas(arguments: argparse.Namespace, sources: SourceLists) -> tuple[int | None, int | None]:
    """The quotas asked for, else the original's for lrg and unlrg, else none."""
    from benchmarker.data.ma2019 import SAMPLES

    if arguments.train is not None or arguments.validation is not None:
        return arguments.train, arguments.validation
    sample = SAMPLES.get(arguments.what.lower())
    if sample is not None:
        return sample.train, sample.validation
    card = _card(sources)
    if card is not None and card.quota is not None and sources.published_split is None:
        return card.quota
    if arguments.legacy and sources.published_split is None:
        message = "--legacy draws by quotas; give --train N and --validation N per class"
        raise SettingsError(message)
    return None, None


def _card(sources: SourceLists) -> Card | None:
    """The card that describes these images, if one does."""
    name = getattr(sources, "provenance", {}).get("card")
    if not name:
        return None
    from benchmarker.data.cards import load_card

    return load_card(name)


def _summary(name: str, seed: int, sources: SourceLists, split: Split) -> dict[str, Any]:
    value: dict[str, Any] = {"name": name, "seed": seed, "rule": split.rule, "digest": split.digest}
    rows = split.rows(sources.sources)
    for part, names in split.parts.items():
        labels = [int(sources.labels[row]) for row in rows[part]]
        value[part] = {
            "n": len(names),
            "digest": split.digests[part],
            "first": names[0] if names else None,
            "classes": {word: labels.count(n) for n, word in enumerate(sources.classes)},
        }
    return value


def _print(value: dict[str, Any]) -> None:
    print(f"{value['name']}: {value['rule']}")
    for part in ("train", "validation", "test"):
        one = value[part]
        classes = ", ".join(f"{name} {count}" for name, count in one["classes"].items())
        print(f"  {part:<10} {one['n']:>6} sources  {one['digest']}  ({classes})")
    print(f"  whole split               {value['digest']}")
