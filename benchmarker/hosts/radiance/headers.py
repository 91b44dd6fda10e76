"""Keywords into the header of a science file, whose data stay byte for byte as they are.

A FITS library that writes the file anew may scale, compress or pad the pixels again. Here
only cards of 80 bytes are exchanged; all else is copied, and checksums are renewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from benchmarker.core.errors import InputFileError
from benchmarker.data.fits_headers import BLOCK, Hdu, cut_off, find_image, walk
from benchmarker.data.reading_options import GZIP_MAGIC, ReadOptions
from benchmarker.hosts.radiance.checksums import renewed
from benchmarker.hosts.radiance.header_cards import (
    Card,
    first_index,
    in_blocks,
    split_cards,
    with_cards,
)
from benchmarker.hosts.radiance.replacing import Permissions, Span, replace_file

_ANY_SIZE = ReadOptions(max_pixels=2**62, max_bytes=2**62)  # nothing is loaded


def update_header(  # noqa: PLR0913 - choices of one command, by keyword
    path: str | Path,
    cards: Sequence[Card],
    *,
    extension: int | str | None = None,
    also_primary: bool = True,
    follow_links: bool = False,
    force_read_only: bool = False,
    keep_times: bool = False,
) -> None:
    """Set `cards` in the header of a file's image, and leave everything else as it is.

    The file is replaced by an edited copy in one step: at any moment, also after a kill or
    on a full disk, it has the old header or the new one, and the same data bytes. Mode and
    owner stay. Processes that update one file wait for each other. CHECKSUM is renewed where
    there is one. Where all cards stand there already, nothing is written.

    Arguments
    ---------
    path : a FITS file that is not compressed as a whole (tile compression is no obstacle)
    cards : keywords that are there are set in their place, others are appended
    extension : number or EXTNAME of the image; None takes the first HDU with one
    also_primary : for an image in an extension, set them in the primary header as well
    follow_links : see `Permissions`, as the next two
    force_read_only : also files without write permission, or of another user
    keep_times : the file keeps its times

    Raises `InputFileError` with the reason: a link, read-only, no FITS image, cut off, random
    groups, disk full, in use. The file is then as it was.
    """
    path = Path(path)
    if not cards:
        return

    def plan(source: BinaryIO) -> Sequence[bytes | Span] | None:
        hdus = _hdus(source, path, extension, also_primary=also_primary)
        return _plan(source, hdus, cards)

    def check(copy: BinaryIO) -> None:
        _hdus(copy, path, extension, also_primary=also_primary)

    allowed = Permissions(follow_links, force_read_only, keep_times)
    replace_file(path, plan, allowed, check)


def _hdus(
    source: BinaryIO, path: Path, extension: int | str | None, *, also_primary: bool
) -> list[Hdu]:
    """The HDUs whose headers are to be edited, in their order."""
    if source.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
        message = f"{path} is compressed as a whole (gzip): unpack it, its header is not in reach"
        raise InputFileError(message)
    source.seek(0)
    primary = next(walk(source, path, most_bytes=BLOCK))
    if not primary.is_image and _is_random_groups(_header(source, primary)):
        message = f"{path} holds random groups, expected an image"
        raise InputFileError(message)
    image = primary
    if extension is not None or not primary.is_image:
        source.seek(0)
        image = find_image(source, path, extension, _ANY_SIZE)
    size = source.seek(0, 2)
    if size < image.data_start + image.data_bytes:
        raise InputFileError(cut_off(image, path, max(0, size - image.data_start)))
    return [image] if image.number == 0 or not also_primary else [primary, image]


def _is_random_groups(header: bytes) -> bool:
    cards = split_cards(header)
    found = {name: first_index(cards, name) for name in ("GROUPS", "NAXIS1")}
    if None in found.values():
        return False
    values = {name: cards[place][10:].split(b"/")[0].strip() for name, place in found.items()}
    return values == {"GROUPS": b"T", "NAXIS1": b"0"}


def _header(source: BinaryIO, hdu: Hdu) -> bytes:
    source.seek(hdu.start)
    return source.read(hdu.data_start - hdu.start)


def _plan(
    source: BinaryIO, hdus: Sequence[Hdu], cards: Sequence[Card]
) -> list[bytes | Span] | None:
    """The new headers, and between them the spans of the old file; None for no change."""
    pieces: list[bytes | Span] = []
    done, changed = 0, False
    for hdu in hdus:
        old = _header(source, hdu)
        before = split_cards(old)
        after = with_cards(before, cards)
        changed |= after != before
        pieces += [(done, hdu.start - done), b"".join(renewed(old, in_blocks(after)))]
        done = hdu.data_start
    pieces.append((done, source.seek(0, 2) - done))
    return pieces if changed else None
