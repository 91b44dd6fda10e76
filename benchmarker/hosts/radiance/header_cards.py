"""Cards of a FITS header as the 80 bytes that they are: read, formatted, set, appended.

Everything that is not set stays byte for byte as it was.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from benchmarker.core.errors import Problems, SettingsError
from benchmarker.data.fits_headers import BLOCK, CARD

END = b"END".ljust(CARD)
BLANK = b" " * CARD
VALUE_START = 10
VALUE_COLUMNS = slice(VALUE_START, 30)  # of a number in fixed format, counted from 0
LONGEST_TEXT = 68  # characters of a text in one card, quotes doubled
_CONTINUE = b"CONTINUE"
# these say how the rest of the file is to be read; no caller has business with them
_STRUCTURE = re.compile(
    r"(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|GROUPS|[PG]COUNT|END|CONTINUE|COMMENT|HISTORY"
    r"|B(SCALE|ZERO|LANK)|T(FIELDS|HEAP)|T(FORM|TYPE|BCOL|SCAL|ZERO|NULL|DIM)\d+"
    r"|CHECKSUM|DATASUM|HIERARCH|INHERIT|LONGSTRN"
    r"|Z(IMAGE|TABLE|SIMPLE|TENSION|EXTEND|BLOCKED|BITPIX|NAXIS\d*|TILE\d+|[PG]COUNT|HECKSUM"
    r"|DATASUM|CMPTYPE|NAME\d+|VAL\d+|MASKCMP|QUANTIZ|DITHER0|SCALE|ZERO|BLANK|THEAP))"
)


@dataclass(frozen=True)
class Card:
    """One keyword with its value.

    Arguments
    ---------
    keyword : 1 to 8 of A-Z, 0-9, - and _
    value : truth, whole number, finite number or text of printable ASCII
    comment : what does not fit on the card is cut off
    decimals : of a number that is not whole: always written out, never with an exponent,
        so that shell tools can read it

    Raises `SettingsError` naming all that is wrong.
    """

    keyword: str
    value: bool | int | float | str
    comment: str = ""
    decimals: int = 8

    def __post_init__(self) -> None:
        problems = Problems(f"header card {self.keyword!r}", SettingsError)
        for text in _faults(self):
            problems.add(text)
        problems.raise_if_any()

    def encoded(self) -> bytes:
        """80 bytes in fixed format."""
        text = f"{self.keyword:<8}= {_value_text(self)}"
        if self.comment:
            text = f"{text:<30} / {self.comment}"
        return text[:CARD].ljust(CARD).encode("ascii")


def _faults(card: Card) -> list[str]:
    faults = []
    if not re.fullmatch(r"[A-Z0-9_-]{1,8}", card.keyword):
        faults.append("a keyword is 1 to 8 of A-Z, 0-9, '-' and '_'")
    elif _STRUCTURE.fullmatch(card.keyword):
        faults.append("this keyword says how the file is built and is not set here")
    if not _is_plain(card.comment):
        faults.append(f"the comment {card.comment!r} is not printable ASCII on one line")
    value = card.value
    if isinstance(value, str):
        if not _is_plain(value):
            faults.append(f"the text {value!r} is not printable ASCII on one line")
        if len(value.replace("'", "''")) > LONGEST_TEXT:
            faults.append(f"the text has {len(value)} characters, expected at most {LONGEST_TEXT}")
    elif not isinstance(value, bool | Real):
        faults.append(f"the value is a {type(value).__name__}, expected truth, number or text")
    elif not math.isfinite(value):
        faults.append(f"the value is {value}, which FITS has no word for; expected a finite number")
    elif len(_value_text(card)) > VALUE_COLUMNS.stop - VALUE_COLUMNS.start:
        faults.append(f"the number {value} has more digits than fixed format holds")
    return faults


def _is_plain(text: str) -> bool:
    return text.isascii() and (text.isprintable() or not text)


def _value_text(card: Card) -> str:
    """The value in its columns: texts begin at the left, all else ends at the right."""
    value = card.value
    if isinstance(value, str):
        return "'{:<8}'".format(value.replace("'", "''")).ljust(20)
    if isinstance(value, bool):
        return f"{'T' if value else 'F':>20}"
    if isinstance(value, Integral):
        return f"{int(value):>20}"
    return f"{float(value):>20.{card.decimals}f}"


def split_cards(header: bytes) -> list[bytes]:
    """The cards before END."""
    cards = (header[start : start + CARD] for start in range(0, len(header), CARD))
    return list(itertools.takewhile(lambda card: card.decode("latin-1").strip() != "END", cards))


def _prefix(keyword: str) -> bytes:
    """How a card begins that gives `keyword` a value."""
    return keyword.encode("ascii").ljust(8) + b"= "


def first_index(cards: Sequence[bytes], keyword: str) -> int | None:
    """Place of the first card of that keyword; None where there is none."""
    prefix = _prefix(keyword)
    return next((place for place, card in enumerate(cards) if card.startswith(prefix)), None)


def string_value(card: bytes) -> str | None:
    """The text of a card's value without trailing blanks; None where it is no text."""
    found = re.match(r"\s*'((?:[^']|'')*)'", card[VALUE_START:].decode("latin-1"))
    return None if found is None else found[1].replace("''", "'").rstrip()


def with_cards(cards: Sequence[bytes], wanted: Sequence[Card]) -> list[bytes]:
    """`cards` with those wanted set in their place, or appended where they are new.

    A keyword that stands there several times is set each time: FITS leaves open which of
    them counts. Continuations of a long text that is replaced go with it. New cards take
    the place of blank ones at the end, which are room kept for that.
    """
    encoded = {_prefix(one.keyword): one.encoded() for one in wanted}
    kept: list[bytes] = []
    set_ones: set[bytes] = set()
    continues = False
    for card in cards:
        prefix = card[:VALUE_START]
        if prefix in encoded:
            kept.append(encoded[prefix])
            set_ones.add(prefix)
            continues = (string_value(card) or "").endswith("&")
        elif not (continues and card.startswith(_CONTINUE)):
            kept.append(card)
            continues = False
    for prefix, card in encoded.items():
        kept = kept if prefix in set_ones else _appended(kept, card)
    return kept


def _appended(cards: list[bytes], encoded: bytes) -> list[bytes]:
    used = len(cards)
    while used and cards[used - 1] == BLANK:
        used -= 1
    return [*cards[:used], encoded, *cards[used + 1 :]]


def in_blocks(cards: Sequence[bytes]) -> list[bytes]:
    """The cards with END, filled up with blank ones to whole blocks of 2880 bytes."""
    closed = [*cards, END]
    return closed + [BLANK] * (-len(closed) % (BLOCK // CARD))
