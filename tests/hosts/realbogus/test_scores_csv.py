import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.core.records import read_record
from benchmarker.hosts.realbogus.scores_csv import (
    StampScores,
    open_scores,
    read_scores,
    scores_of_run,
    with_facts,
    write_scores,
)
from tests.report.factory import make_run

FOUND = StampScores(
    "a", ("1_x.fits", '2,"y".fits'), np.array([1, 0]), np.array([0.98765432, 0.0001])
)


def test_what_is_written_comes_back(tmp_path):
    path = write_scores(tmp_path / "s.csv", FOUND)
    assert path.read_bytes() == b'1_x.fits,1,0.987654\n"2,""y"".fits",0,0.000100\n'
    found = read_scores(path)
    assert (found.name, found.files) == ("s", FOUND.files)
    assert found.labels.tolist() == [1, 0]
    np.testing.assert_allclose(found.scores, FOUND.scores, atol=5e-7)


def test_three_decimals_as_in_the_original(tmp_path):
    path = write_scores(tmp_path / "s.csv", FOUND, compat=True)
    assert path.read_text().splitlines()[0] == "1_x.fits,1,0.988"


def test_a_header_blank_lines_and_other_line_ends_are_read(tmp_path):
    path = tmp_path / "s.csv"
    path.write_bytes(b"file,label,score\r\n\r\na.fits,1.0,1\r\n")
    assert read_scores(path).scores.tolist() == [1.0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,1", "line 2: 2 columns"),
        ("a,1,0.5,x", "line 2: 4 columns"),
        ("a,2,0.5", "line 2: label 2"),
        ("a,real,0.5", "line 2: .*expected a label 0 or 1"),
        ("a,1,nan", "line 2: score nan"),
        ("a,1,1.01", "line 2: score 1.01"),
        ("a,1,", "line 2: .*and a score"),
    ],
)
def test_bad_lines_are_named(tmp_path, line, words):
    path = tmp_path / "s.csv"
    path.write_text(f"ok,1,0.5\n{line}\n")
    with pytest.raises(InputFileError, match=words):
        read_scores(path)


def test_empty_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "s.csv"
    path.touch()
    with pytest.raises(InputFileError, match="no line"):
        read_scores(path)
    path.write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_scores(path)
    path.write_text("x\n" * 1000)
    with pytest.raises(InputFileError, match="20 faults"):
        read_scores(path)


def test_scores_of_a_run(tmp_path):
    folder = make_run(tmp_path, "psat_d", classes=("bogus", "real"), validated=True)
    record = read_record(folder)
    found, predictions = open_scores(folder), record.predictions("best")
    assert found.name == "psat_d, seed 8901"
    assert found.files == predictions.sources
    np.testing.assert_array_equal(found.scores, predictions.probabilities[:, 1])
    np.testing.assert_array_equal(found.labels, predictions.labels)
    turned = scores_of_run(record, real="bogus")
    np.testing.assert_allclose(turned.scores, 1 - found.scores)
    np.testing.assert_array_equal(turned.labels, 1 - found.labels)
    validation = scores_of_run(record, part="validation", model="final")
    assert validation.files[0].startswith("V")


def test_runs_that_cannot_be_scored_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="FRI, FRII, Compact, Bent; expected two"):
        open_scores(make_run(tmp_path))
    folder = make_run(tmp_path, "psat_d", classes=("bogus", "real"))
    with pytest.raises(InputFileError, match="no predictions of its validation"):
        scores_of_run(read_record(folder), part="validation")


def test_a_table_adds_facts():
    table = {"1_x.fits": {"kind": "comet", "magnitude": 18.5}}
    found = with_facts(FOUND, table)
    assert found.facts == {"kind": ["comet", ""], "magnitude": ["18.5", ""]}
    with pytest.raises(SettingsError, match="knows none of the 2 stamps"):
        with_facts(FOUND, {"other": {}})
