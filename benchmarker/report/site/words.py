"""Numbers and names as the pages show them; a number that is not defined says so."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from typing import Any
from urllib.parse import quote

import numpy as np

from benchmarker.core.hashing import SHORT, digest_text
from benchmarker.report import text

UNDEFINED = "undefined"
LONGEST_FILE_NAME = 80
SKY_VIEWER = "https://aladin.cds.unistra.fr/AladinLite/?target={place}&fov=0.1"
_NOT_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._+-]+")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def share(value: float | None) -> str:
    """A share in percent, ``80.3``."""
    return UNDEFINED if value is None else text.percent(value)


def share_with_sd(mean: float | None, sd: float | None) -> str:
    """``80.3 ± 1.2``; without the spread where there is none."""
    return UNDEFINED if mean is None else text.percent_with_sd(mean, sd)


def between(low: float | None, high: float | None) -> str:
    """An interval in percent, ``76.1–84.0``; empty where it is not defined."""
    return "" if low is None or high is None else f"{text.percent(low)}–{text.percent(high)}"


def with_interval(entry: dict[str, float | None]) -> str:
    """``80.3 (76.1–84.0)`` in percent."""
    inside = between(entry["low"], entry["high"])
    return share(entry["value"]) + (f" ({inside})" if inside else "")


def whole(value: float | None) -> str:
    """``1,495,944``."""
    return UNDEFINED if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """``1.5M``."""
    return UNDEFINED if value is None else text.short_number(value)


def decimal(value: float | None) -> str:
    """Three digits, ``0.123``."""
    return UNDEFINED if value is None else f"{value:.3g}"


def shown(value: Any) -> str:
    """Any value of a record on one line: lists with commas, true and false as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {shown(inner)}" for key, inner in value.items()) or "none"
    return printable(str(value))


def printable(found: str) -> str:
    """Text without what moves a terminal's cursor and without other control characters."""
    plain = _TERMINAL.sub("", found)
    return "".join(
        sign
        for sign in plain
        if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs", "Co", "Cn")
    )


def file_name(name: str, taken: set[str]) -> str:
    """A name of letters, digits and ``._+-`` that is not `taken` in any case, and now is.

    Where that loses something, the start of the name's digest makes it one of its kind.
    """
    plain = _NOT_IN_FILE_NAMES.sub("-", name).strip(".-")[:LONGEST_FILE_NAME]
    if not plain or plain != name or plain.lower() in taken:
        plain = f"{plain or 'page'}-{digest_text(name)[:SHORT]}"
    number, found = 1, plain
    while found.lower() in taken:
        number += 1
        found = f"{plain}-{number}"
    taken.add(found.lower())
    return found


def png_address(image: np.ndarray) -> str:
    """An image, uint8 (height, width) or (height, width, 3), as a ``data:`` address."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def sky_address(ra_deg: float, dec_deg: float) -> str:
    """Where a sky viewer shows the position (J2000 degrees), 0.1 degrees across."""
    return SKY_VIEWER.format(place=quote(f"{ra_deg:.5f} {dec_deg:+.5f}"))


def position(ra_deg: float, dec_deg: float) -> str:
    """``RA 187.706° Dec +12.391°``."""
    return f"RA {ra_deg:.4f}° Dec {dec_deg:+.4f}°"
