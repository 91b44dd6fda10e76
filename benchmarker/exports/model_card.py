"""Model cards: what a trained network is for, how well it does and where it fails.

The sections are those of Mitchell et al. 2019 (FAT*, "Model cards for model reporting"). All
is taken from records and data-set cards; what they do not say is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarker import __version__
from benchmarker.core.errors import BenchmarkerError
from benchmarker.core.hashing import SHORT
from benchmarker.core.records import Record
from benchmarker.data.cards import Card, load_card
from benchmarker.data.images import SPLIT_PARTS
from benchmarker.exports import card_failures, card_making, card_scores
from benchmarker.exports.card_parts import Lines, bullets, facts, page, section, table, text
from benchmarker.networks import registry
from benchmarker.report.contender import Contender

NOT_MADE_FOR = (
    "Not made for images of another survey, resolution or selection, nor for sources of a "
    "class that is not listed: every image gets one of the classes, whatever it shows."
)
ETHICS = (
    "Images of the sky hold no personal data; their licence binds what is made from them.",
    "Classes were given by people or their programs: the network repeats their errors.",
)
MODELS = {"best": "lowest validation loss", "final": "last epoch"}


def model_card(network: str, contenders: Sequence[Contender]) -> str:
    """The card of one network as Markdown, one chapter for each of its contenders.

    `contenders` are those of `report.contenders.contenders`, at least one.
    """
    first = contenders[0].runs[0]
    lines = [f"# Model card: {text(network)}", ""]
    lines += [f"Written by benchmarker {__version__} from the records of {_count(contenders)}.", ""]
    lines += section("Model details", _details(first))
    for one in contenders:
        lines += _chapter(one, alone=len(contenders) == 1)
    lines += section("Ethical considerations", bullets(ETHICS))
    return page(lines)


def _count(contenders: Sequence[Contender]) -> str:
    number = sum(len(one.runs) for one in contenders)
    return f"{number} run{'' if number == 1 else 's'}"


def _details(record: Record) -> Lines:
    name = record.network
    try:
        entry = registry.find(name)
    except BenchmarkerError:
        found = [("paper", None), ("definition", None)]
    else:
        same = entry.digest == record.identity["network_digest"]
        now = "" if same else ", and another one in this version of the package"
        found = [
            ("paper", entry.paper or None),
            ("kind", "layer list" if entry.kind == "layers" else "Python network"),
            ("note", entry.note or "none"),
            ("definition", f"digest {record.identity['network_digest'][:SHORT]}{now}"),
        ]
    return facts([("network", name), *found, ("licence of the weights", None)])


def _chapter(one: Contender, *, alone: bool) -> Lines:
    record = one.runs[0]
    card = card_of(record)
    parts = [
        ("Intended use", _use(record, card)),
        ("Data and licence", data_lines(record, card)),
        ("Training", card_making.training(record)),
        (
            "Metrics",
            [f"Weights: {one.model} ({MODELS[one.model]}).", "", *card_scores.metrics(one)],
        ),
        ("Per class", card_scores.per_class(one)),
        ("Calibration", card_scores.calibration(one)),
        ("Known failures", bullets(card_failures.failures(one))),
        ("Caveats", bullets(_caveats(one, card))),
        ("Size and cost", facts(card_scores.cost(one))),
        ("How to reproduce", card_making.commands(one.runs)),
        ("Fingerprint", card_making.fingerprint(one.runs)),
    ]
    level = 2 if alone else 3
    head = [] if alone else [f"## {text(_title(one))}", ""]
    return [*head, *(line for name, found in parts for line in section(name, found, level=level))]


def _title(one: Contender) -> str:
    on = f" on {one.runs[0].data['name']}"
    return one.label if on in one.label else f"{one.label}{on}"


def card_of(record: Record) -> Card | None:
    """The card of the data set of a run, where it names one that is known here."""
    name = record.data.get("card")
    try:
        return None if name is None else load_card(name)
    except BenchmarkerError:
        return None


def _use(record: Record, card: Card | None) -> Lines:
    height, width = record.settings["size"][:2]
    what = record.data["name"] if card is None else card.title
    scale = "" if card is None or card.pixel_scale_arcsec is None else card.pixel_scale_arcsec
    pixels = f" of {scale:g} arcsec" if scale else ""
    classes = ", ".join(record.classes)
    made_for = (
        f"Made to put one image each of {height} x {width} pixels{pixels}, like those of {what}, "
        f"into one of the classes {classes}."
    )
    return bullets([made_for, NOT_MADE_FOR])


def data_lines(record: Record, card: Card | None) -> Lines:
    """Where the images are from, under which terms, and how they were cut into parts."""
    split = record.split
    known: list[tuple[str, object | None]] = [("data set", record.data["name"])]
    if card is None:
        known += [("origin", None), ("licence", None)]
    else:
        known += [
            ("title", card.title),
            ("licence", card.licence),
            ("cite", "; ".join(card.citation)),
            ("homepage", card.homepage),
        ]
    known += [
        ("split", split["rule"]),
        ("sources", ", ".join(f"{split[part]} {part}" for part in SPLIT_PARTS)),
        ("digest of images and labels", record.data["digest"]),
        ("digest of the split", split["digest"]),
    ]
    lines = facts(known)
    if card is not None and card.counts and card.classes == record.classes:
        body = [
            [name, *(str(card.counts[part][place]) for part in card.counts)]
            for place, name in enumerate(card.classes)
        ]
        lines += ["", *table(["published images", *card.counts], body)]
    return lines


def _caveats(one: Contender, card: Card | None) -> list[str]:
    record = one.runs[0]
    texts = []
    if len(one.runs) == 1:
        texts.append("One seed only: another seed may do better or worse.")
    texts += [
        f"{part.strip().capitalize()}." for part in one.row["note"].split(";") if part.strip()
    ]
    if card is None:
        texts.append("The record names no data-set card: nobody can tell the licence from it.")
    found = record.run.get("init")
    if found and found.get("shared_test_sources"):
        shared = len(found["shared_test_sources"])
        texts.append(f"{shared} test sources trained the weights that it started from.")
    texts.append(
        "The scores hold for test images drawn like the training images; other surveys and "
        "other resolutions were not tested here."
    )
    return texts
