"""Maps as files: arrays, a table, FITS images with coordinates.

The same maps give the same bytes: no file holds a time or a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.files import write_csv, write_with
from benchmarker.hosts.attention.figures import Explained

COLUMNS = ("name", "true_class", "predicted", "probability", "file")
_LONGEST = 100


def file_word(text: str) -> str:
    """A name as part of a file's name: letters, digits and ``.+-@``, others become ``_``."""
    return re.sub(r"[^A-Za-z0-9.+@-]+", "_", text).strip("._")[:_LONGEST] or "unnamed"


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> Path:
    """Write arrays as a compressed ``.npz`` without Python objects."""
    plain = {key: np.asarray(value) for key, value in arrays.items()}
    return write_with(path, lambda stream: np.savez_compressed(stream, allow_pickle=False, **plain))


def map_arrays(found: Explained) -> dict[str, Any]:
    """What ``maps.npz`` holds of n images with g maps each.

    ``images`` float32 (n, H, W) before the last scaling; ``map_NAME`` float32 (n, h, w) of
    each gate or layer at its own size; ``resized`` float32 (n, g, H, W) in the order of
    ``map_names``; ``mean`` float32 (n, H, W); ``sources``, ``true_classes`` (n texts, empty
    where unknown); ``labels`` int64 (n,): place of the true class among ``classes`` of the
    network, -1 where it is not among them; ``scores`` float64 (n, classes); ``method``.
    """
    maps = found.maps
    place = {name: label for label, name in enumerate(found.classes)}
    own = {f"map_{name}": one for name, one in zip(maps.names, maps.own, strict=True)}
    return {
        "images": found.images,
        **own,
        "resized": maps.resized,
        "mean": maps.mean,
        "map_names": maps.names,
        "sources": found.sources,
        "true_classes": found.truth,
        "labels": np.array([place.get(name, -1) for name in found.truth], np.int64),
        "classes": found.classes,
        "scores": maps.scores,
        "method": found.method,
        "network": found.network,
    }


def write_table(path: Path, found: Explained, files: Sequence[str]) -> Path:
    """One row for each image: who it is, what the network says, which figure shows it."""
    rows = []
    for row, name in enumerate(found.sources):
        predicted = int(found.maps.predicted[row])
        probability = repr(float(found.maps.probabilities[row, predicted]))
        rows.append([name, found.truth[row], found.classes[predicted], probability, files[row]])
    return write_csv(path, COLUMNS, rows)


@dataclass(frozen=True)
class SkyPlace:
    """Where an image lies: J2000 degrees of its centre, arcsec per pixel; None where unknown.

    `from_top`: row 0 is the northern edge.
    """

    ra_deg: float | None
    dec_deg: float | None
    pixel_arcsec: float | None
    from_top: bool = False

    @property
    def is_known(self) -> bool:
        """Whether a header can say where the pixels are."""
        values = (self.ra_deg, self.dec_deg, self.pixel_arcsec)
        return all(value is not None and np.isfinite(value) for value in values)


def write_fits(path: Path, found: Explained, row: int, place: SkyPlace) -> Path:
    """The mean map of one image, and in extensions the image and each map at its own size.

    Each has coordinates of its own (gnomonic projection about the centre of the image, east
    to the left), where position and pixel scale are known.
    """
    from astropy.io import fits

    maps = found.maps
    arrays = {"SOURCE": found.images[row]}
    arrays |= {name: own[row] for name, own in zip(maps.names, maps.own, strict=True)}
    size = found.images.shape[1:]
    primary = fits.PrimaryHDU(_rows_up(maps.mean[row], place), _header("", size, size, place))
    primary.header["OBJECT"] = found.sources[row].encode("ascii", "replace").decode()
    primary.header["METHOD"] = (found.method, "how the maps were made")
    hdus = [
        fits.ImageHDU(_rows_up(values, place), _header(name, values.shape, size, place))
        for name, values in arrays.items()
    ]
    return write_with(path, fits.HDUList([primary, *hdus]).writeto)


def _rows_up(values: np.ndarray, place: SkyPlace) -> np.ndarray:
    """float32 with row 0 in the south."""
    upward = values[::-1] if place.from_top else values
    return np.ascontiguousarray(upward, np.float32)


def _header(name: str, shape: Sequence[int], whole: Sequence[int], place: SkyPlace) -> Any:
    """Header of an array that covers the same sky as an image of the shape `whole`."""
    from astropy.io import fits

    header = fits.Header()
    if name:
        header["EXTNAME"] = name.upper()
    if not place.is_known:
        return header
    axes = (
        ("1", "RA---TAN", place.ra_deg, -whole[1] / shape[1], shape[1]),
        ("2", "DEC--TAN", place.dec_deg, whole[0] / shape[0], shape[0]),
    )
    for axis, kind, value, step, length in axes:
        header[f"CTYPE{axis}"] = kind
        header[f"CUNIT{axis}"] = "deg"
        header[f"CRVAL{axis}"] = float(value)
        header[f"CRPIX{axis}"] = (length + 1) / 2
        header[f"CDELT{axis}"] = float(step) * place.pixel_arcsec / 3600.0
    header["RADESYS"] = "ICRS"
    return header
