"""A small survey for tests: exposures with known pixels, and a database that knows of them."""

import dataclasses
from pathlib import Path

import numpy as np
from astropy.io import fits

from benchmarker.hosts.realbogus.credentials import Credentials
from benchmarker.hosts.realbogus.cutout_run import CutoutPlan, cut_nights
from benchmarker.hosts.realbogus.database import create_schema, open_database
from benchmarker.hosts.realbogus.exposures import ExposurePlaces

MASK = -31415
HEIGHT, WIDTH = 120, 150
NIGHT = 58362


def pixels_of(number, shape=(HEIGHT, WIDTH), dtype="int16"):
    """Every pixel tells where it is: no two neighbours agree."""
    rows, columns = np.indices(shape)
    image = (number * 1000 + rows * 7 + columns * 13) % 9973
    image[:, shape[1] // 2] = MASK
    return image.astype(dtype)


def write_exposure(folder, obs, pixels, *, packed=True, tile=(1, None)):
    """``folder/CAMERA/NIGHT/OBS.diff.fz``, or a plain image with ``packed=False``."""
    path = folder / obs[:3] / obs[3:8] / f"{obs}.diff.{'fz' if packed else 'fits'}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if packed:
        tile = (tile[0], tile[1] or pixels.shape[1])
        image = fits.CompImageHDU(pixels, compression_type="RICE_1", tile_shape=tile)
        hdus = [fits.PrimaryHDU(), image]
    else:
        hdus = [image := fits.PrimaryHDU(pixels)]
    image.header["MJD-OBS"] = int(obs[3:8]) + 0.25
    image.header["FILTER"] = obs[-1]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


class Rows:
    """Rows of the tables, with numbers that go on by themselves."""

    def __init__(self):
        self.tables = {}

    def add(self, table, **values):
        rows = self.tables.setdefault(table, [])
        values.setdefault("id", len(rows) + 1)
        rows.append(values)
        return values["id"]

    def exposure(self, obs, **values):
        values.setdefault("mjd", float(obs[3:8]) + 0.25 if obs[3:8].isdigit() else 58362.5)
        given = {"filt": obs[-1], **values}
        return self.add("atlas_metadataddc", obs=obs, **given)

    def asteroid(self, exposure, x, y, **values):
        given = {"pkn": 999, "det": 0, "mag": 18.5, "dmag": 0.1, "ra": 10.0, "dec": -5.0, **values}
        return self.add("atlas_detectionsddc", atlas_metadata_id=exposure, x=x, y=y, **given)

    def detection(self, exposure, owner, x, y, **values):
        given = {"pkn": 0, "atlas_object_id": owner, "image_group_id": 5, **values}
        return self.asteroid(exposure, x, y, **given)

    def bogus_object(self, identifier, **values):
        given = {"detection_list_id": 0, "realbogus_factor": 0.001, **values}
        self.add("atlas_diff_objects", id=identifier, **given)
        return self.add("tcs_latest_object_stats", id=identifier)

    def write(self, database):
        create_schema(database.engine, database.names)
        with database.engine.begin() as connection:
            for table, rows in self.tables.items():
                every = {key for row in rows for key in row}
                full = [dict.fromkeys(every) | row for row in rows]
                connection.execute(database.table(table).insert(), full)


def small_survey(credentials, folder, *, nights=(NIGHT,), exposures=3, **options):
    """Exposures of camera 02a under ``folder/diff`` with asteroids and bogus objects in each.

    Returns the positions that were written: (word, obs) -> list of (x, y).
    """
    rows, places, number = Rows(), {}, 0
    draw = np.random.default_rng(5)
    for owner in range(901, 905):
        rows.bogus_object(owner)
    for night in nights:
        for running in range(exposures):
            number += 1
            obs = f"02a{night}o{running:04d}c"
            write_exposure(folder / "diff", obs, pixels_of(number), **options)
            exposure = rows.exposure(obs)
            for word in ("good", "bad"):
                spots = np.round(draw.uniform(1, (WIDTH - 1, HEIGHT - 1), (4, 2)), 2)
                places[word, obs] = [tuple(spot) for spot in spots.tolist()]
                for place, (x, y) in enumerate(places[word, obs]):
                    if word == "good":
                        rows.asteroid(exposure, x, y)
                    else:
                        rows.detection(exposure, 901 + place, x, y)
    with open_database(credentials, create=True) as database:
        rows.write(database)
    return places


def stamp_of(image, x, y, side=40):
    """What a stamp must be, pixel by pixel: the detection in pixel side // 2."""
    stamp = np.full((side, side), MASK, image.dtype)
    column, row = int(np.floor(x - 0.5 + 0.5)), int(np.floor(y - 0.5 + 0.5))
    for i in range(side):
        for j in range(side):
            r, c = row - side // 2 + i, column - side // 2 + j
            if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]:
                stamp[i, j] = image[r, c]
    return stamp


@dataclasses.dataclass
class Night:
    """A survey in `folder`, its database, what was written, and how it is cut."""

    folder: Path
    credentials: Credentials
    places: dict

    @property
    def out(self):
        return self.folder / "stamps"

    def cut(self, progress=None, **options):
        given = {"nights": [NIGHT], "folder": self.out, **options}
        given.setdefault("places", ExposurePlaces(self.folder / "diff"))
        with open_database(self.credentials) as database:
            return cut_nights(database, CutoutPlan(**given), progress)

    def files(self, *, times=False):
        """Every file but the lock: its bytes, or when it was written."""
        return {
            path.relative_to(self.out).as_posix(): (
                path.stat().st_mtime_ns if times else path.read_bytes()
            )
            for path in sorted(self.out.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }
