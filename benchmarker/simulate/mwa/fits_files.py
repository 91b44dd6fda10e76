"""Simulated snapshots as files: FITS as the survey's imager writes them, a list and a table."""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import SettingsError
from benchmarker.core.files import write_bytes, write_csv, write_json
from benchmarker.simulate.mwa.bands import SECONDS, WIDTH_MHZ
from benchmarker.simulate.mwa.calendar import modified_julian_date, utc_of
from benchmarker.simulate.mwa.image_set import READER, VERSION, part_of
from benchmarker.simulate.mwa.plan import CLASSES, SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import Snapshot, each_snapshot

LIST = "list.csv"
TABLE = "table.csv"
PROVENANCE = "simulation.json"
STOKES = {"XX": -5, "YY": -6}  # FITS standard 4.0, table 29
Progress = Callable[[int, int], object]


def write_snapshots(
    count: int,
    settings: SnapshotSettings,
    folder: str | Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Simulate and write ``folder/CLASS/NAME.fits`` with ``list.csv``, ``table.csv``, settings.

    ``list.csv`` has the columns path (relative to the list) and label (0 good, 1 rfi, 2 sis,
    3 rfisis); ``table.csv`` all that is known of each image, its part of the published split
    included. The list comes last, so a folder that has one is complete.

    Arguments
    ---------
    count : images in all
    settings : what they are like
    folder : made if absent; an existing one must not hold another list
    workers : processes that draw at once; the images do not depend on it
    progress : called with (files written, files in all) after each file

    Returns the folder. Raises `SettingsError` for a count that is not allowed or a used folder.
    """
    folder = Path(folder)
    shots = plan(count, settings)
    if (folder / LIST).exists():
        message = f"{folder} holds a {LIST} already: choose an empty folder"
        raise SettingsError(message)
    rows: list[dict[str, Any]] = []
    for snapshot in each_snapshot(shots, settings, workers=workers):
        facts = snapshot.facts
        path = f"{facts['class']}/{facts['name']}.fits"
        write_bytes(folder / path, fits_bytes(snapshot))
        rows.append({"path": path, **facts, "split": part_of(shots[len(rows)])})
        if progress is not None:
            progress(len(rows), count)
    table = [[_cell(value) for value in row.values()] for row in rows]
    write_csv(folder / TABLE, list(rows[0]), table)
    provenance = {"reader": READER, "version": VERSION, "count": count}
    provenance |= {"classes": list(CLASSES), "settings": settings.as_dict()}
    write_json(folder / PROVENANCE, provenance)
    write_csv(folder / LIST, ["path", "label"], [(row["path"], row["label"]) for row in rows])
    return folder


def _cell(value: Any) -> Any:
    """An undefined number is an empty cell."""
    return "" if isinstance(value, float) and math.isnan(value) else value


def fits_bytes(snapshot: Snapshot) -> bytes:
    """One image as a FITS file of shape (1, 1, size, size): Stokes, frequency, Dec, RA.

    With celestial coordinates, beam, checksum and data sum.
    """
    from astropy.io import fits

    unit = fits.PrimaryHDU(snapshot.image[np.newaxis, np.newaxis])
    unit.header.extend(_cards(snapshot), end=True)
    # without the time of day, so that the same image is the same file
    unit.add_checksum(when="of the simulation")
    stream = io.BytesIO()
    unit.writeto(stream)
    return stream.getvalue()


def _cards(snapshot: Snapshot) -> list[tuple[str, object, str]]:
    facts = snapshot.facts
    return [*_axes(snapshot), *_observation(facts), *_simulation(facts)]


def _axes(snapshot: Snapshot) -> list[tuple[str, object, str]]:
    facts = snapshot.facts
    step, middle = 1.1 / facts["centre_channel"], snapshot.image.shape[0] // 2 + 1
    return [
        ("CTYPE1", "RA---SIN", "orthographic projection"),
        ("CRPIX1", float(middle), "pixel of the phase centre"),
        ("CRVAL1", facts["ra_deg"], "[deg] right ascension"),
        ("CDELT1", -step, "[deg] east is left"),
        ("CUNIT1", "deg", ""),
        ("CTYPE2", "DEC--SIN", "orthographic projection"),
        ("CRPIX2", float(middle), "pixel of the phase centre"),
        ("CRVAL2", facts["dec_deg"], "[deg] declination"),
        ("CDELT2", step, "[deg]"),
        ("CUNIT2", "deg", ""),
        ("CTYPE3", "FREQ", ""),
        ("CRPIX3", 1.0, ""),
        ("CRVAL3", _frequency_hz(facts), "[Hz] middle of the sub-band"),
        ("CDELT3", WIDTH_MHZ * 1e6, "[Hz] width of the sub-band"),
        ("CUNIT3", "Hz", ""),
        ("CTYPE4", "STOKES", ""),
        ("CRPIX4", 1.0, ""),
        ("CRVAL4", float(STOKES[facts["polarisation"]]), "-5 XX, -6 YY"),
        ("CDELT4", 1.0, ""),
        ("CUNIT4", "", ""),
        ("RADESYS", "FK5", ""),
        ("EQUINOX", 2000.0, ""),
    ]


def _frequency_hz(facts: dict[str, Any]) -> float:
    return round((facts["low_mhz"] + facts["high_mhz"]) / 2.0 * 1e6, 0)


def _observation(facts: dict[str, Any]) -> list[tuple[str, object, str]]:
    start = utc_of(facts["obsid"])
    end = start + dt.timedelta(seconds=SECONDS)
    return [
        ("BUNIT", "JY/BEAM", ""),
        ("BMAJ", facts["beam_major_deg"], "[deg] full width at half maximum"),
        ("BMIN", facts["beam_minor_deg"], "[deg] full width at half maximum"),
        ("BPA", facts["beam_angle_deg"], "[deg] from north through east"),
        ("OBJECT", facts["name"].split("_")[0], ""),
        ("TELESCOP", "MWA", ""),
        ("TIMESYS", "UTC", ""),
        ("DATE-OBS", f"{start:%Y-%m-%dT%H:%M:%S}", "start"),
        ("MJD-OBS", modified_julian_date(start), "[d]"),
        ("DATE-END", f"{end:%Y-%m-%dT%H:%M:%S}", ""),
        ("MJD-END", modified_julian_date(end), "[d]"),
        ("EXPOSURE", SECONDS, "[s]"),
        ("OBSID", facts["obsid"], "[s] start, GPS"),
        ("FREQ", _frequency_hz(facts), "[Hz] middle of the sub-band"),
        ("FREQLOW", facts["low_mhz"], "[MHz]"),
        ("FREQHIGH", facts["high_mhz"], "[MHz]"),
        ("CENTCHAN", facts["centre_channel"], "centre coarse channel of the setting"),
        ("POL", facts["polarisation"], ""),
        ("ROBUST", -1.0, "Briggs"),
    ]


def _simulation(facts: dict[str, Any]) -> list[tuple[str, object, str]]:
    """The truth stays out of the keywords that a classifier writes."""
    return [
        ("SIMULATE", True, "not an observation"),
        ("SIMVERS", VERSION, "version of the simulation"),
        ("SIMSEED", facts["seed"], "seed of the set"),
        ("SIMINDEX", facts["index"], "number of the image in the set"),
        ("SIMCLASS", facts["class"], "class drawn from"),
        ("SIMNOISE", facts["noise_jy"], "[Jy/beam] thermal noise"),
    ]
