"""CHECKSUM of a FITS header that was edited, without reading the data.

FITS standard 4.0, section 4.4.2.7 and appendix J: header and data, summed as 32-bit words
in ones' complement, give -0 (all bits set); the keyword holds the complement of the rest.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from benchmarker.data.fits_headers import ones_complement_sum
from benchmarker.hosts.radiance.header_cards import first_index, string_value

ALL_BITS = 0xFFFFFFFF
DIGITS = 16  # of the encoded sum
PUNCTUATION = frozenset(b":;<=>?@[\\]^_`")  # between digits and letters; not to be used
ZERO = ord("0")
_VALUE_COLUMN = 11  # of a fixed-format text, counted from 0, behind its quote


def encode(total: int) -> str:
    """Sixteen letters and digits whose bytes add up to the complement of `total`.

    Each byte of the complement is shared among four characters, which are shifted in pairs
    until none is punctuation; the text is turned by one place because values of cards begin
    in a column that is no multiple of four.
    """
    complement = ALL_BITS - total
    columns = []
    for shift in (24, 16, 8, 0):
        share, rest = divmod((complement >> shift) & 0xFF, 4)
        columns.append(_without_punctuation([share + rest + ZERO, *[share + ZERO] * 3]))
    text = bytes(columns[byte][letter] for letter in range(4) for byte in range(4))
    return (text[-1:] + text[:-1]).decode("ascii")


def _without_punctuation(letters: list[int]) -> list[int]:
    while any(letter in PUNCTUATION for letter in letters):
        for first in (0, 2):
            if letters[first] in PUNCTUATION or letters[first + 1] in PUNCTUATION:
                letters[first] += 1
                letters[first + 1] -= 1
    return letters


def renewed(old: bytes, cards: list[bytes]) -> list[bytes]:
    """`cards` (with END, in whole blocks) with a CHECKSUM as true as that of the `old` header.

    With a DATASUM, which stays, the sum of the data is known. Without one it is what the old
    CHECKSUM claims: the new one is right exactly where the old one was, so that damaged data
    are not declared sound. A header without CHECKSUM, or with an empty one, is left as it is.
    """
    index = first_index(cards, "CHECKSUM")
    if index is None or not (string_value(cards[index]) or "").strip("0 "):
        return cards
    datasum = _datasum(cards)
    if datasum is None:
        datasum = ALL_BITS - ones_complement_sum(old) % ALL_BITS
    cards = list(cards)
    cards[index] = _card("0" * DIGITS)
    cards[index] = _card(encode(ones_complement_sum(b"".join(cards), datasum)), cards[index])
    return cards


def _datasum(cards: list[bytes]) -> int | None:
    index = first_index(cards, "DATASUM")
    text = None if index is None else string_value(cards[index])
    if text is None or not re.fullmatch(r"\d{1,10}", text.strip()):
        return None
    value = int(text)
    return value if value <= ALL_BITS else None


def _card(text: str, zeroed: bytes | None = None) -> bytes:
    """The card in fixed format; of `zeroed`, whose sum went into `text`, all but the value."""
    if zeroed is None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"CHECKSUM= '{text}'   / HDU checksum updated {now}".ljust(80).encode("ascii")
    value = text.encode("ascii")
    return zeroed[:_VALUE_COLUMN] + value + zeroed[_VALUE_COLUMN + DIGITS :]
