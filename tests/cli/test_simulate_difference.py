"""``benchmarker data simulate difference-images``, and the stamps that are cut from it."""

import json

import pytest

from benchmarker.cli.main import main

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")

SMALL = ("--nights", "2", "--exposures", "2", "--size", "256", "--seed", "4")


def simulate(*options):
    return main(["data", "simulate", "difference-images", *map(str, options)])


def test_stamps_are_cut_from_a_simulated_night(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert simulate(*SMALL, "-o", "N", "--database", "sqlite:///N/survey.db", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert value["exposures"] == 4
    assert value["detections"] == sum(value["kinds"].values())
    assert value["nights"] == [58362, 58363]
    command = ["realbogus", "cutouts", "--config", "N/config.yaml", "--nights", "58362,58363"]
    assert main([*command, "-o", "S", "--processes", "1"]) == 0
    good = (tmp_path / "S" / "good.txt").read_text().split()
    bad = (tmp_path / "S" / "bad.txt").read_text().split()
    reals = value["kinds"]["asteroid"] + value["kinds"].get("trailed", 0)
    assert len(good) == reals
    hosted = value["kinds"].get("supernova", 0)
    assert len(bad) == value["detections"] - reals - hosted


def test_the_peak_of_a_real_source_is_in_the_middle_of_its_stamp(tmp_path, capsys):
    from astropy.io import fits

    assert simulate(*SMALL, "-o", tmp_path / "N") == 0
    command = ["realbogus", "cutouts", "--config", str(tmp_path / "N" / "config.yaml")]
    command += ["--nights", "58362,58363", "-o", str(tmp_path / "S"), "--processes", "1"]
    assert main(command) == 0
    capsys.readouterr()
    bright = 0
    for name in (tmp_path / "S" / "good.txt").read_text().split():
        stamp, header = fits.getdata(tmp_path / "S" / "good" / name, header=True)
        assert header["KIND"] in ("asteroid", "trailed")
        if header["DMAG"] < 0.07:
            bright += 1
            middle = stamp[18:23, 18:23]
            assert middle.argmax() in (6, 7, 8, 11, 12, 13, 16, 17, 18)
            assert middle.max() == stamp[14:27, 14:27].max()
    assert bright


def test_an_interrupted_command_goes_on_and_a_finished_one_is_refused(tmp_path, capsys):
    assert simulate(*SMALL, "-o", tmp_path) == 0
    (tmp_path / "simulation.json").unlink()  # as if it had been killed before its last file
    assert simulate(*SMALL, "-o", tmp_path) == 0
    assert simulate(*SMALL, "-o", tmp_path) == 1
    assert "choose an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-n", "3"), "--count given for difference-images"),
        (("--strength", "1", "2"), "expected only with mwa-snapshots"),
        (("--workers", "0"), "--workers is 0"),
        (("--nights", "0"), "nights is 0, expected 1 to"),
        (("--database", "sqlite://"), "must last"),
        (("--database", "oracle:///x"), "expected sqlite, mysql or mariadb"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words, tmp_path, capsys):
    assert simulate("-o", tmp_path, *options) == 1
    assert words in capsys.readouterr().err


def test_options_of_difference_images_are_refused_elsewhere(tmp_path, capsys):
    command = ["data", "simulate", "radio-galaxies", "-o", str(tmp_path), "--nights", "2"]
    assert main(command) == 1
    expected = "--nights given for radio-galaxies: expected only with difference-images"
    assert expected in capsys.readouterr().err
