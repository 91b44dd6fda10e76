"""Simulated sources as files: a folder of FITS per class, as the real data sets come."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.core.files import write_bytes, write_csv, write_json
from benchmarker.data.images import ImageSet
from benchmarker.simulate.sample import truth_of
from benchmarker.simulate.survey import Survey

MANIFEST = "manifest.csv"
CLASS_LABELS = "class_labels.txt"
TRUTH = "truth.csv"
SPLIT = "split.csv"
PROVENANCE = "simulation.json"
FREQUENCY_HZ = 1.4e9


def write_fits(
    images: ImageSet,
    folder: str | Path,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Write a simulated set as ``folder/CLASS/NAME.fits`` with the tables that go with it.

    Beside the images: ``manifest.csv`` (columns Name, Type-MAN with codes 1, 2, ... in label
    order), ``class_labels.txt`` (Label, Class), ``truth.csv`` (drawn parameters),
    ``split.csv`` if the set publishes one, and ``simulation.json`` (settings). Every file is
    written whole or not at all; the manifest comes last, so a folder that has one is complete.

    Arguments
    ---------
    images : from `simulate_images` or `lazy_images`, possibly a part of it
    folder : made if absent; an existing one must not hold another manifest
    progress : called with (files written, files in all) after each file

    Returns the folder. Raises `SettingsError` if the set is not simulated or the folder is used.
    """
    folder = Path(folder)
    if images.provenance.get("reader") != "simulated":
        message = f"{images.name} is not a simulated set, so its beam and truth are not known"
        raise SettingsError(message)
    if (folder / MANIFEST).exists():
        message = f"{folder} holds a {MANIFEST} already: choose an empty folder"
        raise SettingsError(message)
    survey = Survey(**images.provenance["survey"])
    for row, source in enumerate(images.sources):
        path = folder / images.classes[int(images.labels[row])] / f"{source}.fits"
        write_bytes(path, fits_bytes(images, row, survey))
        if progress is not None:
            progress(row + 1, len(images))
    _write_tables(images, folder)
    return folder


def fits_bytes(images: ImageSet, row: int, survey: Survey) -> bytes:
    """One image as a FITS file with celestial coordinates, beam, checksum and data sum."""
    from astropy.io import fits

    plane = np.asarray(images.pixels.read(row), dtype=np.float32)[:, :, 0]
    unit = fits.PrimaryHDU(plane)
    unit.header.extend(_cards(images, row, survey, plane.shape), end=True)
    stream = io.BytesIO()
    unit.writeto(stream, checksum=True)
    return stream.getvalue()


def _cards(
    images: ImageSet, row: int, survey: Survey, shape: tuple[int, ...]
) -> list[tuple[str, object, str]]:
    if images.ra_deg is None or images.dec_deg is None:
        message = f"{images.name} has no sky positions, expected those of the simulation"
        raise MissingDataError(message)
    step = survey.pixel_arcsec / 3600.0
    beam = survey.beam_arcsec / 3600.0
    height, width = shape
    return [
        ("OBJECT", images.sources[row], "simulated source"),
        ("CTYPE1", "RA---SIN", "orthographic projection"),
        ("CRPIX1", (width + 1) / 2.0, "pixel of the catalogue position"),
        ("CRVAL1", float(images.ra_deg[row]), "[deg] right ascension"),
        ("CDELT1", -step, "[deg] east is left"),
        ("CUNIT1", "deg", ""),
        ("CTYPE2", "DEC--SIN", "orthographic projection"),
        ("CRPIX2", (height + 1) / 2.0, "pixel of the catalogue position"),
        ("CRVAL2", float(images.dec_deg[row]), "[deg] declination"),
        ("CDELT2", step, "[deg]"),
        ("CUNIT2", "deg", ""),
        ("RADESYS", "FK5", ""),
        ("EQUINOX", 2000.0, ""),
        ("BUNIT", "JY/BEAM", ""),
        ("BMAJ", beam, "[deg] full width at half maximum"),
        ("BMIN", beam, "[deg] full width at half maximum"),
        ("BPA", 0.0, "[deg]"),
        ("RESTFRQ", FREQUENCY_HZ, "[Hz]"),
        ("SIMULATE", True, "not an observation"),
        ("SIMVERS", int(images.provenance["version"]), "version of the simulation"),
        ("SIMSEED", int(images.provenance["seed"]), "seed of the set"),
        ("SIMCLASS", images.classes[int(images.labels[row])], "class drawn from"),
    ]


def _write_tables(images: ImageSet, folder: Path) -> None:
    labels = [int(label) for label in images.labels]
    columns = truth_of(images)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    write_csv(folder / TRUTH, list(columns), rows)
    if images.published_split is not None:
        pairs = zip(images.sources, images.published_split, strict=True)
        write_csv(folder / SPLIT, ["Name", "Split"], pairs)
    write_json(folder / PROVENANCE, images.provenance)
    write_csv(folder / CLASS_LABELS, ["Label", "Class"], enumerate(images.classes, start=1))
    manifest = [(source, label + 1) for source, label in zip(images.sources, labels, strict=True)]
    write_csv(folder / MANIFEST, ["Name", "Type-MAN"], manifest)
