"""Lists of whole fields as data sets."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.cli.main import main
from benchmarker.core.errors import InputFileError
from benchmarker.data.opening import open_data
from benchmarker.data.preparation import named_preparation, prepare
from benchmarker.data.splits import choose_split
from benchmarker.simulate.mwa.fits_files import write_snapshots
from benchmarker.simulate.mwa.plan import SnapshotSettings


def fields(folder, count=6):
    rng = np.random.default_rng(1)
    for number in range(count):
        values = rng.normal(size=(1, 1, 12, 10)).astype("float32")
        values[..., 0, 0] = np.nan
        fits.PrimaryHDU(values).writeto(folder / f"f{number}.fits")
    return folder


def test_a_plain_list_with_codes(tmp_path):
    fields(tmp_path)
    rows = [f"f{number}.fits,{number % 4}," for number in range(6)]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    images = open_data(tmp_path / "mine.csv")
    assert images.name == "mine"
    assert images.classes == ("good", "rfi", "sis", "rfisis")
    assert images.labels.tolist() == [0, 1, 2, 3, 0, 1]
    assert images.sources[3] == "f3"
    first = images.pixels.read(0)
    assert first.shape == (12, 10, 1)
    assert np.isnan(first[0, 0, 0])
    assert prepare(first, named_preparation("field"), "f0").shape == (12, 10, 1)


def test_columns_of_parts_groups_and_facts(tmp_path):
    fields(tmp_path)
    rows = ["file,class,split,obsid,camera"]
    parts = ("training", "training", "validation", "testing")
    rows += [f"f{n}.fits,{'ab'[n % 2]},{parts[n % 4]},o{n // 2},{'xy'[n % 2]}" for n in range(6)]
    (tmp_path / "l.csv").write_text("\n".join(rows))
    images = open_data(tmp_path / "l.csv")
    assert images.classes == ("a", "b")
    assert images.published_split[:4] == ("train", "train", "validation", "test")
    assert images.groups == ("o0", "o0", "o1", "o1", "o2", "o2")
    assert images.facts["camera"].tolist() == ["x", "y"] * 3


def test_simulated_files_are_opened_by_their_list_and_by_the_card(tmp_path, monkeypatch):
    folder = tmp_path / "gleam-artifacts"
    write_snapshots(24, SnapshotSettings(size=64, seed=3), folder)
    images = open_data(folder / "list.csv")
    assert images.classes == ("good", "rfi", "sis", "rfisis")
    assert len(set(images.groups)) > 1
    assert {"f_low_mhz", "pol"} <= images.facts.keys()
    (folder / "list.csv").rename(folder / "gleam-artifacts.csv")
    monkeypatch.setenv("BENCHMARKER_DATA", str(tmp_path))
    with pytest.raises(InputFileError, match=r"images of .64, 64. pixels, expected .4000, 4000"):
        open_data("gleam-artifacts")  # found and read, but these are no whole fields
    split = choose_split(images, seed=1)
    part_of = {name: part for part, names in split.parts.items() for name in names}
    nights = {}
    for name, night in zip(images.sources, images.groups, strict=True):
        nights.setdefault(night, set()).add(part_of[name])
    assert all(len(parts) == 1 for parts in nights.values())


def test_what_is_missing_is_listed(tmp_path):
    fields(tmp_path, 2)
    (tmp_path / "l.csv").write_text("f0.fits,1\nf1.fits,\nnone.fits,2\n")
    with pytest.raises(InputFileError) as caught:
        open_data(tmp_path / "l.csv")
    assert "no file" in str(caught.value)
    assert "none.fits" in str(caught.value)
    assert "f1.fits has no label" in str(caught.value)


def test_a_table_of_something_else_is_still_refused(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    words = ["data", "check", str(tmp_path / "t.csv")]
    assert main(words) == 1
    assert "a text table" in capsys.readouterr().err
