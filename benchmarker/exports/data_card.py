"""Data cards: what a data set is, under which terms, and what networks made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarker import __version__
from benchmarker.data.cards import Card
from benchmarker.exports.card_parts import (
    Lines,
    bullets,
    code,
    facts,
    link,
    listed,
    page,
    section,
    table,
    text,
)
from benchmarker.report.contender import Contender
from benchmarker.report.text import bounds, percent_with_sd

SOURCES = 20  # names of hard sources that are told


def data_card(card: Card, contenders: Sequence[Contender]) -> str:
    """The card of a data set as Markdown; `contenders` are the networks tested on it, if any."""
    lines = [f"# Data card: {text(card.name)}", ""]
    lines += [f"Written by benchmarker {__version__} from {text(card.path.name)}.", ""]
    lines += section("What it is", _what(card))
    lines += section("Intended use", bullets(_use(card)))
    lines += section("Licence and origin", _origin(card))
    lines += section("Composition", _composition(card))
    lines += section("Preparation and split", _preparation(card))
    lines += section("How to get it", _fetching(card))
    lines += section("Networks tested on it", _results(contenders))
    lines += section("Known difficulties", bullets(_difficulties(contenders)))
    return page(lines)


def _what(card: Card) -> Lines:
    height, width = card.image
    return facts(
        [
            ("title", card.title),
            ("task", card.task),
            ("classes", ", ".join(card.classes)),
            ("images", f"{sum(card.total):,}" if card.total else None),
            ("size", f"{height} x {width} pixels"),
            ("pixel scale", _scale(card)),
            ("subset of", card.base or "nothing: this is the whole set"),
        ]
    )


def _scale(card: Card) -> str | None:
    return None if card.pixel_scale_arcsec is None else f"{card.pixel_scale_arcsec:g} arcsec"


def _use(card: Card) -> list[str]:
    return [
        f"To train and compare networks for {card.task} into the classes above.",
        "A score on it holds for sources selected like these, seen by the same instrument.",
    ]


def _origin(card: Card) -> Lines:
    return [
        *facts([("licence", card.licence), ("homepage", card.homepage)]),
        *(f"- **cite**: {text(one)}" for one in card.citation),
    ]


def _composition(card: Card) -> Lines:
    if not card.counts:
        return []
    parts = list(card.counts)
    body = [
        [name, *(str(card.counts[part][place]) for part in parts), str(card.total[place])]
        for place, name in enumerate(card.classes)
    ]
    sums = [str(sum(card.counts[part])) for part in parts]
    lines = table(["class", *parts, "all"], [*body, ["all", *sums, str(sum(card.total))]])
    subsets = [f"{one.words}: {one.title} ({', '.join(one.classes)})" for one in card.subsets]
    return [*lines, *bullets(subsets)]


def _preparation(card: Card) -> Lines:
    share = card.validation_share
    quota = card.quota
    return facts(
        [
            ("preparation", card.preparation),
            ("published split", "yes" if card.published_split else "no"),
            (
                "validation",
                f"{100 * share:g} % of the training part, drawn by the run's seed"
                if share
                else "a part of its own",
            ),
            *([("sources per class", f"{quota[0]} train, {quota[1]} validation")] if quota else []),
            ("digest of names, labels and pixels", card.content),
        ]
    )


def _fetching(card: Card) -> Lines:
    lines = []
    if card.files:
        lines += [*code([f"benchmarker data fetch {card.folder}"]), ""]
        lines += [f"- {text(file.name)}: {link(file.url)}{_checksum(file)}" for file in card.files]
    if card.obtain:
        lines += bullets([f"{card.obtain}."])
    if card.reader == "simulate":
        lines += bullets(["Nothing to fetch: the images are simulated when they are asked for."])
    return lines


def _checksum(file: object) -> str:
    for kind in ("sha256", "md5"):
        value = getattr(file, kind)
        if value:
            return f" ({kind} {value})"
    return " (no checksum is published: the images themselves are compared)"


def _results(contenders: Sequence[Contender]) -> Lines:
    body = [
        [
            one.label,
            str(one.row["n_seeds"]),
            percent_with_sd(one.row["mpca_mean"], one.row["mpca_sd"]),
            bounds(one.row["mpca_low"], one.row["mpca_high"]),
            percent_with_sd(one.row["accuracy_mean"], one.row["accuracy_sd"]),
        ]
        for one in contenders
    ]
    names = ["network", "seeds", "MPCA %", "95 % interval", "accuracy %"]
    return table(names, body)


def _difficulties(contenders: Sequence[Contender]) -> list[str]:
    """Sources that no run of any network got right, and the class that is found least."""
    seen: dict[str, list[bool]] = {}
    recalls: dict[str, list[float]] = {}
    runs = 0
    for one in contenders:
        runs += len(one.runs)
        for row in one.predicted:
            tested = np.flatnonzero(row >= 0)
            for place in tested:
                seen.setdefault(one.sources[place], []).append(row[place] == one.labels[place])
        for name in one.classes:
            value = one.row[f"{name}_recall"]
            if value is not None:
                recalls.setdefault(name, []).append(value)
    hard = sorted(name for name, right in seen.items() if len(right) > 1 and not any(right))
    texts = []
    if recalls:
        name = min(recalls, key=lambda one: float(np.mean(recalls[one])))
        found = 100 * float(np.mean(recalls[name]))
        texts.append(f"Least found class: {name}, {found:.1f} % on average over the networks.")
    if hard:
        names = listed(hard, SOURCES)
        texts.append(f"Wrong in every one of {runs} runs: {len(hard)} sources: {names}.")
    return texts
