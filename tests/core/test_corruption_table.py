"""corruptions.csv: read as it was written, refused where it is spoilt, checked with its run."""

import pytest

from benchmarker.core.corruption_table import FILE
from benchmarker.core.errors import InputFileError
from benchmarker.core.record_check import check_record
from benchmarker.core.records import read_record
from tests.report.curve_runs import add_damage, damage_rows
from tests.report.factory import make_run

SCORES = {("noise", 1): 0.7, ("noise", 5): 0.1, ("beam", 3): 1 / 3}


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path)


def test_it_reads_back_unchanged_and_the_record_stays_sound(folder):
    rows = damage_rows(folder, SCORES)
    assert read_record(folder).corruptions() is None
    add_damage(folder, rows)
    assert read_record(folder).corruptions() == rows
    assert rows[1]["auc"] is None
    assert check_record(folder) == []


def test_an_edited_file_and_one_without_digest_are_found(folder):
    add_damage(folder, damage_rows(folder, SCORES))
    path = folder / FILE
    path.write_text(path.read_text().replace(",0.7,", ",0.9,"))
    assert any("changed after the run" in text for text in check_record(folder))
    other = make_run(folder.parent.parent, "simple")
    path.rename(other / FILE)
    assert any(f"no SHA-256 of {FILE}" in text for text in check_record(other))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda rows: rows[0].update(accuracy=0.5), "best none: accuracy 0.5, metrics.json has"),
        (lambda rows: rows[1].update(n=39), "best noise 1: 39 images, tested were 40"),
        (lambda rows: rows.append(dict(rows[1])), "best noise 1 is there more than once"),
        (lambda rows: rows.pop(0), "no row of best without damage"),
        (lambda rows: rows[1].update(accuracy=1.5), "is no result"),
        (lambda rows: rows[1].update(accuracy=float("nan")), "is no result"),
        (lambda rows: rows[1].update(strength=0), "is no result"),
        (lambda rows: rows[1].update(model="worst"), "is no result"),
        (lambda rows: rows.clear(), "expected ['model'"),
    ],
)
def test_check_names_what_cannot_be(folder, change, text):
    rows = damage_rows(folder, SCORES)
    change(rows)
    add_damage(folder, rows)
    assert text in "\n".join(check_record(folder))


def test_all_bad_lines_are_told_at_once(folder):
    add_damage(folder, damage_rows(folder, SCORES))
    path = folder / FILE
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace("noise,1", "noise,one")
    lines[3] = "best,noise"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputFileError) as caught:
        read_record(folder).corruptions()
    assert "2 faults" in str(caught.value)
    assert "line 3" in str(caught.value)
    assert "line 4" in str(caught.value)
