"""Stamps of many exposures in one HDF5 file."""

import h5py
import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import (
    InputFileError,
)
from benchmarker.hosts.realbogus import stamp_store
from benchmarker.hosts.realbogus.database import open_database
from tests.hosts.realbogus.survey import (
    pixels_of,
    write_exposure,
)

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
OBS = "02a58362o0001c"


def test_the_store_holds_the_same_stamps(night):
    night.cut()
    files = {path.name: path for path in night.out.glob("*/[!.]*.fits")}
    store = night.folder / "h5/stamps.h5"
    summary = night.cut(folder=night.folder / "h5", store=store, processes=2)
    assert summary.stored == 24
    assert not list((night.folder / "h5").rglob("*.fits"))
    assert not stamp_store.part_folder(store).exists()
    seen = 0
    for names, labels, pixels in stamp_store.each_stamp(store):
        for name, label, stamp in zip(names, labels, pixels, strict=True):
            assert files[name].parent.name == ("good" if label else "bad")
            np.testing.assert_array_equal(stamp, fits.getdata(files[name]))
            seen += 1
    assert seen == 24
    with h5py.File(store) as file:
        assert file["pixels"].dtype == np.int16
        assert file.attrs["stamp_size"] == 40
        assert set(file["kind"].asstr()[:]) == {"asteroids", "bogus"}
        assert file["mjd"][:].tolist() == [58362.25] * 24
        assert (file["object"][:] == 0).sum() == 12


def test_a_store_grows_and_is_left_alone(night):
    import sqlalchemy as sa

    store = night.out / "stamps.h5"
    night.cut(store=store, stamps="real")
    assert night.cut(store=store).stored == 24
    before = store.read_bytes()
    summary = night.cut(store=store)
    assert (summary.skipped, summary.jobs, summary.stored) == (6, 6, 0)
    assert store.read_bytes() == before
    with open_database(night.credentials) as database, database.engine.begin() as connection:
        d = database.table("atlas_detectionsddc")
        connection.execute(sa.update(d).where(d.c.id == 1).values({d.c.x: 33.5}))
    assert night.cut(store=store).stored == 24
    with h5py.File(store) as file:
        assert 33.5 in file["x"][:]
        assert sorted(file["exposures/count"][:].tolist()) == [4] * 6


def test_a_store_that_was_interrupted_goes_on(night):
    store = night.out / "stamps.h5"

    def stop(outcome, done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        night.cut(stop, store=store)
    assert not store.exists()
    parts = sorted(stamp_store.part_folder(store).iterdir())
    assert len(parts) == 3
    parts[0].write_bytes(parts[0].read_bytes()[:1000])  # as a power cut may leave it
    summary = night.cut(store=store)
    assert (summary.skipped, summary.stored) == (2, 24)


@pytest.mark.parametrize("content", ["text", "other"])
def test_files_that_are_no_store(night, content):
    store = night.folder / "stamps.h5"
    if content == "text":
        store.write_text("no HDF5")
    else:
        with h5py.File(store, "w") as file:
            file["X"] = [1.0]
    before = store.read_bytes()
    with pytest.raises(InputFileError, match=r"stamps\.h5"):
        night.cut(store=store)
    assert store.read_bytes() == before


def test_exposures_of_other_types_need_another_store(night):
    write_exposure(night.folder / "diff", "02a58362o0002c", pixels_of(3, dtype="int32"))
    with pytest.raises(InputFileError, match="expected one type"):
        night.cut(store=night.out / "stamps.h5")
