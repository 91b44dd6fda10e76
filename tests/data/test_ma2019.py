"""The published catalogue tables become the manifests of the comparison."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.data import ma2019
from benchmarker.data.sky import pairs_between, pairs_within, positions_of_names

RULE = "-" * 40
DESCRIPTION = f"""Title: made up
Byte-by-byte Description of file: x.txt
{RULE}
   Bytes Format Units Label     Explanations
{RULE}
   1- 19 A19    ---   Name      Source name
  22- 29 F8.5   h     RAh       Right ascension
  31- 39 F9.5   deg   DEdeg     Declination
  41- 46 F6.4   ---   z         ? Redshift
  48- 49 A2     ---   Type-MAN  Morphology
                                 continued
      51 A1     ---   Flag      Certainty
{RULE}
Note (1): 9 = not a column;
{RULE}
"""
ROWS = [
    "J000001.00-092940.3   0.00044  -9.49453 0.1905  1 1",
    "J000002.00-092940.3   0.00044  -9.49453        1F 2",
    "J000003.00-092940.3   0.00044  -9.49453 0.1905  5 3",
    "J000004.00-092940.3   0.00044  -9.49453 N/A     6 1",
    "J000005.00-092940.3   0.00044  -9.49453 0.1905  4 2",
]


def table(tmp_path, rows=ROWS, name="t.txt"):
    path = tmp_path / name
    path.write_text(DESCRIPTION + "\n".join(rows) + "\n")
    return path


def test_reads_codes_and_flags_also_beside_blank_columns(tmp_path):
    rows = ma2019.read_table(table(tmp_path), "Type-MAN")
    assert [row.code for row in rows] == ["1", "1F", "5", "6", "4"]
    expected = ["certain", "possible", "uncertain", "certain", "possible"]
    assert [row.certainty for row in rows] == expected
    assert rows[0].name == "J000001.00-092940.3"


def test_x_shaped_ring_like_and_named_sources_are_left_out(tmp_path):
    rows = ma2019.read_table(table(tmp_path), "Type-MAN")
    kept = ma2019.without_left_out(rows, frozenset(["J000005.00-092940.3"]))
    assert [row.code for row in kept] == ["1", "1F"]


def test_table_faults_come_at_once_with_lines(tmp_path):
    bad = [
        ROWS[0],
        ROWS[0],
        ROWS[1].replace("1F", " 7"),
        ROWS[2].replace(" 3", " 9"),
        "J000009.00-092940.3  1",
        ROWS[3].replace("J0", "K0"),
    ]
    with pytest.raises(InputFileError) as caught:
        ma2019.read_table(table(tmp_path, bad), "Type-MAN")
    first = DESCRIPTION.count("\n") + 1
    for number, part in enumerate(
        ("repeats line", "label code '7'", "flag '9'", "fewer columns than", "expected J and"), 1
    ):
        assert any(
            f"line {first + number}:" in line and part in line
            for line in str(caught.value).splitlines()
        )


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("hello\n")
    with pytest.raises(InputFileError, match="describes no column Name or Type-Lit"):
        ma2019.read_table(path, "Type-Lit")
    with pytest.raises(MissingDataError, match="no table with a column Type-Lit"):
        ma2019.read_sample(tmp_path, "lrg")
    with pytest.raises(MissingDataError, match="no file"):
        ma2019.read_table(tmp_path / "gone.txt", "Type-Lit")


def test_a_cut_table_is_not_taken_for_whole(tmp_path):
    table(tmp_path)
    with pytest.raises(InputFileError, match="has 5 sources, expected the 14245 published"):
        ma2019.read_sample(tmp_path, "unLRG")


def test_two_files_of_one_table_are_refused(tmp_path):
    table(tmp_path)
    table(tmp_path, name="u.txt")
    with pytest.raises(InputFileError, match=r"several files .* Type-MAN: t.txt, u.txt"):
        ma2019.read_sample(tmp_path, "unlrg")


def test_there_are_24_excluded_names():
    excluded = ma2019.excluded_names()
    assert len(excluded) == 24
    assert {"J003922.01+004819.5", "J235958.79+004206.3"} <= excluded


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("lrg", {"COMP": 271, "FRI": 187, "FRII": 430, "BENT": 306, "FR0": 134}),
        ("unlrg", {"COMP": 6042, "FRI": 5039, "FRII": 2072, "BENT": 889, "FR0": 51}),
    ],
)
def test_published_counts(real_data, name, counts):
    manifest = ma2019.read_sample(real_data / "ma2019", name, fr0="own")
    assert manifest.counts() == counts
    assert list(manifest.names) == sorted(set(manifest.names))
    used = ma2019.read_sample(real_data / "ma2019", name)
    assert len(used) == sum(counts.values()) - counts["FR0"]


def test_certainty_counts_of_unlrg(real_data):
    manifest = ma2019.read_sample(real_data / "ma2019", "unlrg", fr0="own")
    flags = Counter(zip(manifest.codes, manifest.certainty, strict=True))
    expected = {
        "1": (5332, 671, 39),
        "2": (3096, 1884, 59),
        "3": (1529, 520, 23),
        "4": (326, 497, 66),
        "1F": (37, 14, 0),
    }
    words = ("certain", "possible", "uncertain")
    assert {code: tuple(flags[code, word] for word in words) for code in expected} == expected
    certain = ma2019.read_sample(real_data / "ma2019", "unlrg", certainty="certain")
    assert len(certain) == 10320 - 37


def test_excluded_sources_of_the_table_have_the_stated_classes(real_data):
    rows = ma2019.read_table(real_data / "ma2019" / "mrt-table4.txt", "Type-MAN")
    codes = Counter(row.code for row in rows if row.name in ma2019.excluded_names())
    assert codes == {"1": 11, "2": 9, "3": 4}


def test_convert_writes_both_manifests_in_the_originals_form(real_data, tmp_path):
    lrg, unlrg = ma2019.convert(real_data / "ma2019", tmp_path)
    assert (lrg.name, unlrg.name) == ("LRG_manifest.csv", "unLRG_manifest.csv")
    text = lrg.read_bytes()
    assert text.startswith(b"Name,Type-Lit\nJ000330.73+002756.1,4\n")
    assert unlrg.read_bytes().startswith(b"Name,Type-MAN\nJ000001.57-092940.3,1\n")
    for path, count in ((lrg, 1328), (unlrg, 14093)):
        lines = path.read_bytes().split(b"\n")
        assert lines[-1] == b""
        assert len(lines) == count + 2
        assert all(line.count(b",") == 1 and b"\r" not in line for line in lines[:-1])
    again, _ = ma2019.convert(real_data / "ma2019", tmp_path / "again")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(text).digest()


def test_convert_adds_the_certainty_where_there_is_one(real_data, tmp_path):
    lrg, unlrg = ma2019.convert(real_data / "ma2019", tmp_path, certainty=True)
    assert unlrg.read_text().splitlines()[1] == "J000001.57-092940.3,1,certain"
    assert lrg.read_text().splitlines()[1] == "J000330.73+002756.1,4"


def test_sky_overlaps_of_the_two_samples(real_data):
    samples = [ma2019.read_sample(real_data / "ma2019", name) for name in ("lrg", "unlrg")]
    lrg, unlrg = (positions_of_names(sample.names) for sample in samples)
    near = {r: len(np.unique(pairs_between(lrg, unlrg, r).first)) for r in (2, 5)}
    assert near == {2: 32, 5: 63}
    pairs = pairs_within(*unlrg, 270.0)
    close = pairs.arcsec < 60
    labels = samples[1].labels
    alike = labels[pairs.first[close]] == labels[pairs.second[close]]
    assert (len(pairs), int(close.sum()), int(alike.sum())) == (391, 33, 15)
