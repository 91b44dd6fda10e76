"""The audit of labelled lists: on the real table of MWA snapshots, and on small ones."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.audit_tables import labelled, read_table
from benchmarker.data.auditing import association, audit


@pytest.fixture(scope="module")
def snapshots(real_data):
    path = real_data / "radiance_gleam_labels.csv"
    return audit(labelled(read_table(path), path.name))


def test_the_parts_of_the_snapshots(snapshots):
    parts = snapshots.counts["parts"]
    assert parts["training"] == {"good": 376, "rfi": 376, "rfisis": 49, "sis": 376}
    assert parts["validation"] == {"good": 75, "rfi": 75, "rfisis": 11, "sis": 75}
    assert parts["testing"] == {"good": 49, "rfi": 49, "rfisis": 10, "sis": 49}


def test_leaks_of_the_snapshots_by_observation_and_band(snapshots):
    groups = snapshots.counts["groups"]
    assert groups["obsid"]["groups"] == 700
    assert groups["obsid"]["leaks"]["validation"] == {"images": 159, "of": 236}
    assert groups["obsid"]["leaks"]["testing"] == {"images": 104, "of": 157}
    band = groups["obsid+f_low_mhz"]
    assert [band["leaks"][part]["images"] for part in ("validation", "testing")] == [85, 74]
    assert groups["night"]["leaks"]["validation"]["images"] == 236
    assert snapshots.has_errors


def test_contradictions_of_the_snapshots(snapshots):
    band = snapshots.counts["groups"]["obsid+f_low_mhz"]
    assert (band["of_several_images"], band["of_several_classes"]) == (344, 113)
    meeting = band["classes_that_meet"]
    assert [meeting[pair] for pair in ("good/rfi", "rfisis/sis", "rfi/rfisis", "rfi/sis")] == [
        63, 27, 11, 11,
    ]  # fmt: skip
    assert snapshots.counts["twins"]["classes_that_meet"] == {"good/rfi": 63}


def test_short_cuts_of_the_snapshots(snapshots):
    found = snapshots.counts["metadata"]
    assert {one["class"] for one in found["pol"]["never"]} == {"good"}
    assert found["pol"]["never"][0]["value"] == "YY"
    assert {"2.5"} == {one["value"] for one in found["version"]["never"]}
    low = {int(one["value"]) for one in found["f_low_mhz"]["never"] if one["class"] == "sis"}
    assert low
    assert max(low) < 139
    texts = [finding.text for finding in snapshots.of_kind("confounded")]
    assert texts[0].startswith("ending alone")
    assert any("ending of rfi images" in one.text for one in snapshots.of_kind("part-differs"))


def write(path, rows, header="file,class,split,obsid,camera"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def independent(count=400, seed=1):
    """A list in which nothing leaks and nothing is told."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        part = "train" if number % 4 else "test"
        kind, camera = rng.choice(["a", "b"]), rng.choice(["x", "y"])
        yield f"{number:04d}.fits,{kind},{part},o{number},{camera}"


def test_a_clean_list_has_no_finding(tmp_path):
    report = audit(labelled(read_table(write(tmp_path / "l.csv", independent())), "l"))
    assert report.findings == ()
    assert report.classes.keys() == {"a", "b"}


def test_a_torn_group_and_a_camera_that_tells_are_found(tmp_path):
    rows = [row.replace(",o1,", ",o0,") for row in independent()]
    rows = [row[:-1] + ("x" if ",a," in row else "y") for row in rows]
    report = audit(labelled(read_table(write(tmp_path / "l.csv", rows)), "l"))
    (leak,) = report.of_kind("group-leak")
    assert leak.text == "1 of 100 test images share their obsid with a training image"
    (told,) = report.of_kind("confounded")
    assert told.text.startswith("camera alone tells the class of 100 %")
    assert "x is never b" in told.text
    assert report.counts["metadata"]["camera"]["cramers_v"] == pytest.approx(1, abs=0.01)


def test_association_agrees_with_scipy_and_knows_independence():
    rng = np.random.default_rng(5)
    values, classes = (pd.Series(rng.choice(list("abc"), 900)) for _ in range(2))
    found = association(values, classes)
    expected = chi2_contingency(pd.crosstab(values, classes), correction=False)
    assert found["p"] == pytest.approx(expected.pvalue)
    assert found["cramers_v"] < 0.08
    assert found["never"] == []


def test_places_on_the_sky_are_groups(tmp_path):
    rows = ["a.fits,a,train,10.0,5.0", "b.fits,a,test,10.0001,5.0", "c.fits,b,test,80,5"]
    path = write(tmp_path / "l.csv", rows, "file,class,split,ra,dec")
    report = audit(labelled(read_table(path), "l"))
    assert report.counts["groups"]["position"]["leaks"]["test"] == {"images": 1, "of": 2}


def test_a_list_without_header_tells_by_its_names(tmp_path):
    name = "/data/{}_223-231MHz_{}_r-1.0_v2.1.fits,{},"
    rows = [name.format(1078336032 + n // 2, "XX" if n % 2 else "YY", n % 2) for n in range(40)]
    path = tmp_path / "l.csv"
    path.write_text("\n".join(rows))
    table = labelled(read_table(path), "l")
    assert table.label == "label"
    assert ("obsid",) in table.groups
    report = audit(table)
    assert report.counts["groups"]["obsid"]["of_several_classes"] == 20
    assert any(finding.text.startswith("pol alone") for finding in report.of_kind("confounded"))


def test_numbers_of_many_values_are_binned(tmp_path):
    rng = np.random.default_rng(2)
    rows = [f"{n}.fits,{'a' if n < 200 else 'b'},{n + rng.normal():.3f}" for n in range(400)]
    path = write(tmp_path / "l.csv", rows, "file,class,seeing")
    report = audit(labelled(read_table(path), "l"))
    assert report.counts["metadata"]["seeing"]["guessed"] > 0.98


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a readable CSV"),
        ("a,b,c\n1,2,3\n", "no header with a column of classes"),
        ("file,class\n", "expected rows below a header"),
        ("file,class,class\nx,y,z\n", "distinct names"),
    ],
)
def test_files_that_are_no_lists_are_refused(tmp_path, text, said):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InputFileError, match=f"l.csv: .*{said}"):
        read_table(tmp_path / "l.csv")


def test_unknown_columns_are_named(tmp_path):
    frame = read_table(write(tmp_path / "l.csv", independent(8)))
    with pytest.raises(SettingsError, match=r"no column 'obsidd' \(did you mean obsid"):
        labelled(frame, "l", groups=["obsidd"])
    with pytest.raises(SettingsError, match="name it with --class"):
        labelled(frame.drop(columns="class"), "l")
