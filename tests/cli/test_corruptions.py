"""``benchmarker corruptions`` as a user types it."""

import json
import shutil

import pytest

from benchmarker.cli.main import main
from benchmarker.core.record_check import check_record
from benchmarker.core.records import read_record
from benchmarker.runs import resolve
from tests.hosts.evaluation.conftest import place as place  # noqa: PLC0414 (a fixture)
from tests.hosts.evaluation.conftest import run_folder as run_folder  # noqa: PLC0414


@pytest.fixture
def folder(run_folder, place, tmp_path, monkeypatch):
    """A copy of the toy run in ``results``, in the current folder; its images lie beside."""
    monkeypatch.chdir(tmp_path)
    resolve._images.cache_clear()  # other tests have a toy.npz in another folder
    shutil.copy(place / "toy.npz", tmp_path)
    target = tmp_path / "results" / "runs" / run_folder.name
    shutil.copytree(run_folder, target)
    return target


def test_json_and_a_plot_from_a_network_s_name(folder, tmp_path, capsys):
    words = ["--kinds", "noise,contrast", "--strengths", "1,5", "--reference", "mcrgnet"]
    assert main(["corruptions", "mcrgnet", *words, "--plot", "d.svg", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [curve["corruption"] for curve in said["curves"]] == ["noise", "contrast"]
    plain = read_record(folder).metrics["best"]["accuracy"]["value"]
    assert [curve["mean"][0] for curve in said["curves"]] == [plain, plain]
    (entry,) = said["errors"]
    assert entry["mce"] == pytest.approx(1)
    assert (tmp_path / "d.svg").stat().st_size > 1000
    assert check_record(folder) == []


def test_a_table_of_what_is_there_without_computing(folder, capsys, monkeypatch):
    words = ["corruptions", str(folder), "--kinds", "shift", "--strengths", "2"]
    assert main(words) == 0
    monkeypatch.setattr(
        "benchmarker.runs.calm.start_backend", lambda: pytest.fail("nothing is to be computed")
    )
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "mcrgnet on toy, best model: accuracy (%)" in said
    assert "shift: pixels, in a drawn direction: 2" in said


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nobody"], "'nobody' is no complete run"),
        (["mcrgnet", "--kinds", "nose"], "unknown kind 'nose' (did you mean noise?)"),
        (["mcrgnet", "--kinds", "channels"], "images of one channel"),
        (["mcrgnet", "--strengths", "9"], "strength 9, expected 1 to 5"),
        (["mcrgnet", "--strengths", "a"], "expected whole numbers"),
        (["mcrgnet", "--plot", "d.txt"], "expected a name ending in"),
        (["mcrgnet", "--data", "gone.npz"], "cannot be opened again"),
        (["mcrgnet", "--reference", "other"], "'other' is no complete run"),
    ],
)
def test_refusals_by_name(folder, words, text, capsys):
    assert main(["corruptions", *words]) == 1
    assert text in capsys.readouterr().err
    assert not (folder / "corruptions.csv").exists()
