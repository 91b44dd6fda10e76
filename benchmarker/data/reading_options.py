"""What a caller may choose when images are read, and the limits that bound memory."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarker.core.errors import InputFileError, SettingsError, suggest

NON_FINITE = ("keep", "zero", "reject")
COLOUR = ("equal", "luminance")


@dataclass(frozen=True)
class ReadOptions:
    """Choices of a reader; each that changes pixels is written into the provenance.

    Arguments
    ---------
    extension : FITS extension, by number or EXTNAME; None takes the first image
    non_finite : NaN, infinite and BLANK pixels stay NaN for the preparation, which leaves
        them out of its statistics and fills them with 0 (``keep``), become 0 at once
        (``zero``), or make the image an error (``reject``); an image without any finite
        pixel is always an error
    colour : a colour image is an error unless its channels agree (``equal``), or becomes
        grey as 0.299 R + 0.587 G + 0.114 B (``luminance``)
    fr0 : what a manifest's FR0 sources (code 1F) become: ``drop``, ``merge``, ``own``; None
        is ``own`` if the label file lists 1F, else ``drop``
    certainty : which labels of a manifest to keep: ``all``, ``certain``, ``possible``
    skip_budget : number of missing or unreadable images that may be left out; if above
        zero every image is read once at opening to find them
    card : name of the card that describes these images; None recognises known files
    subset : name or alias of a subset that the set's card declares (``confident``, ``nounc``;
        case does not matter); None is the whole set. The images get the card ``CARD-SUBSET``,
        just as if they had been opened by that name
    seed : seed of a simulated set; None takes the card's
    max_pixels : refuse an image that claims more pixels
    max_bytes : refuse what would take more memory once decompressed
    convert : write pickled batches as .npz beside their folder, so that the next start is fast
    """

    extension: int | str | None = None
    non_finite: str = "keep"
    colour: str = "equal"
    fr0: str | None = None
    certainty: str = "all"
    skip_budget: int = 0
    card: str | None = None
    subset: str | None = None
    seed: int | None = None
    max_pixels: int = 2**28
    max_bytes: int = 2**32
    convert: bool = True

    def __post_init__(self) -> None:
        _check_word("non_finite", self.non_finite, NON_FINITE)
        _check_word("colour", self.colour, COLOUR)
        if self.skip_budget < 0:
            message = f"skip_budget is {self.skip_budget}, expected 0 or more images"
            raise SettingsError(message)

    def as_dict(self) -> dict[str, Any]:
        """The choices that change what is read, for the provenance.

        Card and subset stand there already as the name of the card that was applied.
        """
        keys = ("extension", "non_finite", "colour", "fr0", "certainty", "skip_budget")
        return {key: getattr(self, key) for key in keys}


def _check_word(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = suggest(str(value), known)
        message = f"{name} is {value!r}{near}, expected one of {', '.join(known)}"
        raise SettingsError(message)


DEFAULTS = ReadOptions()
GZIP_MAGIC = b"\x1f\x8b"


def read_gzip(path: str | Path, *, limit: int) -> bytes:
    """The decompressed bytes of a gzip file, at most `limit` of them.

    Raises `InputFileError` for a damaged file and for one that would grow beyond `limit`.
    """
    data = bytearray()
    try:
        with gzip.open(path) as stream:
            # in pieces: memory grows with what there is, not with the limit
            while len(data) <= limit and (piece := stream.read(2**20)):
                data += piece
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: damaged gzip file: {error}"
        raise InputFileError(message) from error
    if len(data) > limit:
        message = f"{path}: decompresses to more than the limit of {limit} bytes; refused"
        raise InputFileError(message)
    return bytes(data)
