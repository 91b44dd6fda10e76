"""Simulated exposures as files: tile-compressed FITS, and what is in them as tables."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import write_bytes, write_csv, write_json
from benchmarker.simulate.difference.exposure import DrawnExposure, draw_exposure
from benchmarker.simulate.difference.night_plan import NightSettings, Visit, plan
from benchmarker.simulate.difference.night_tables import Catalogued, NightTables, catalogued
from benchmarker.simulate.difference.scene import GAIN, PIXEL_ARCSEC

EXPOSURES = "diff"
CATALOGUE, INJECTED = "catalogue.csv", "injected.csv"
PROVENANCE = "simulation.json"
VERSION = 1
EXPOSURE_SECONDS = 30.0
Progress = Callable[[int, int], object]


def write_nights(
    settings: NightSettings,
    folder: str | Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> NightTables:
    """Write ``folder/diff/CAMERA/NIGHT/OBS.diff.fz``, ``catalogue.csv`` and ``injected.csv``.

    ``catalogue.csv`` holds what the finder found, with what it is; ``injected.csv`` every real
    source that was put in, found or not. `finish` marks the folder as whole.

    Arguments
    ---------
    settings : of the survey
    folder : made if absent; one that is whole already is refused
    workers : processes that draw at once; nothing depends on it
    progress : called with (exposures written, exposures in all) after each

    Returns the rows of a survey's database. Raises `SettingsError` for a used folder.
    """
    folder = Path(folder)
    if (folder / PROVENANCE).exists():
        message = f"{folder} holds a {PROVENANCE} already: choose an empty folder"
        raise SettingsError(message)
    visits = plan(settings)
    tables = NightTables()
    for catalogue in _each(visits, settings, folder, workers):
        tables.add(catalogue)
        if progress is not None:
            progress(len(tables.exposures), len(visits))
    for name, rows in ((CATALOGUE, tables.truth), (INJECTED, tables.injected)):
        write_csv(folder / name, list(rows[0]), [_cells(row) for row in rows])
    return tables


def finish(settings: NightSettings, folder: str | Path) -> None:
    """Write the settings: a folder that has them is whole."""
    value = {"reader": "difference-images", "version": VERSION, "settings": settings.as_dict()}
    write_json(Path(folder) / PROVENANCE, value)


def _cells(row: dict[str, Any]) -> list[Any]:
    """An undefined number is an empty cell."""
    return ["" if isinstance(v, float) and math.isnan(v) else v for v in row.values()]


def _each(
    visits: list[Visit], settings: NightSettings, folder: Path, workers: int
) -> Iterator[Catalogued]:
    """Every exposure drawn and written, by so many processes at once, in order."""
    count = len(visits)
    if workers <= 1:
        yield from map(draw_and_write, visits, [settings] * count, [folder] * count)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # a fresh interpreter each: a forked one inherits locks of libraries that use threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(draw_and_write, visits, [settings] * count, [folder] * count)


def draw_and_write(visit: Visit, settings: NightSettings, folder: Path) -> Catalogued:
    """One exposure: its file is written, its catalogue comes back."""
    drawn = draw_exposure(visit, settings)
    path = folder / EXPOSURES / settings.camera / str(visit.night) / f"{visit.obs}.diff.fz"
    write_bytes(path, packed(drawn, visit))
    return catalogued(visit, drawn)


def packed(drawn: DrawnExposure, visit: Visit) -> bytes:
    """A tile-compressed FITS file (Rice, a row in each tile), the image in extension 1."""
    from astropy.io import fits

    size = drawn.image.shape[1]
    unit = fits.CompImageHDU(
        np.ascontiguousarray(drawn.image), compression_type="RICE_1", tile_shape=(1, size)
    )
    unit.header.extend(_cards(drawn, visit), end=True)
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(stream)
    return stream.getvalue()


def _cards(drawn: DrawnExposure, visit: Visit) -> list[tuple[str, object, str]]:
    middle = (drawn.image.shape[0] + 1) / 2.0
    step = PIXEL_ARCSEC / 3600.0
    return [
        ("OBS", visit.obs, "name of the exposure"),
        ("MJD-OBS", visit.mjd, "[d] middle"),
        ("FILTER", visit.filter, ""),
        ("EXPTIME", EXPOSURE_SECONDS, "[s]"),
        ("GAIN", GAIN, "[electron/ADU]"),
        ("SKY", round(drawn.sky, 3), "[ADU] subtracted"),
        ("FWHM", round(drawn.fwhm, 4), "[pixel]"),
        ("MAG5SIG", round(drawn.limit, 4), "magnitude of five sigma"),
        ("CTYPE1", "RA---TAN", ""),
        ("CRPIX1", middle, ""),
        ("CRVAL1", visit.ra, "[deg]"),
        ("CDELT1", -step, "[deg] east is left"),
        ("CTYPE2", "DEC--TAN", ""),
        ("CRPIX2", middle, ""),
        ("CRVAL2", visit.dec, "[deg]"),
        ("CDELT2", step, "[deg]"),
        ("SIMULATE", True, "not an observation"),
        ("SIMVERS", VERSION, "version of the simulation"),
    ]
