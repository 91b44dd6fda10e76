"""Manifests and label files: what is accepted, and every fault with its line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.manifests import read_labels, read_manifest, write_manifest

PLAIN = "Name,Type\nJ1,1\nJ2,2\nJ3,3\nJ4,4\n"


def written(tmp_path, text, name="m.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(path, *args, **options):
    with pytest.raises(InputFileError) as caught:
        read_manifest(path, *args, **options)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_reads_names_labels_and_codes_in_file_order(tmp_path):
    manifest = read_manifest(written(tmp_path, "Name,Type\nJ9,4\nJ1,1\nJ3,3\nJ2,2\n"))
    assert manifest.names == ("J9", "J1", "J3", "J2")
    assert manifest.labels.dtype == np.int64
    assert manifest.labels.tolist() == [3, 0, 2, 1]
    assert manifest.codes == ("4", "1", "3", "2")
    assert manifest.classes == ("COMP", "FRI", "FRII", "BENT")
    assert manifest.certainty is None


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.rstrip("\n"),
        "# a comment\n\n" + PLAIN.replace("J2,2", "   \n# more\n  J2 , 2  "),
        PLAIN.removeprefix("Name,Type\n"),
        "\ufeff" + PLAIN.removeprefix("Name,Type\n"),
    ],
    ids=["crlf", "cr", "bom", "no-final-newline", "blank-comment-spaces", "no-header", "bom-only"],
)
def test_harmless_forms_read_alike(tmp_path, text):
    plain = read_manifest(written(tmp_path, PLAIN, "plain.csv"))
    other = read_manifest(written(tmp_path, text))
    assert (other.names, other.codes) == (plain.names, plain.codes)


def test_all_faults_come_at_once_with_their_lines(tmp_path):
    text = (
        "Name,Type\n"  # 1
        "J1,1\n"
        "J2,5\n"  # 3 unknown code
        "J1,1\n"  # 4 repeats
        "# comment\n"
        "J1,2\n"  # 6 repeats with another code
        "Jé,1\n"  # 7 not ASCII
        ",3\n"  # 8 no name
        "J7\n"  # 9 one field
        "J8,1,certain,x\n"  # 10 four fields
        "../J9,1\n"  # 11 slash
        "J10,3,maybe\n"  # 12 certainty
    )
    found = faults(written(tmp_path, text))
    assert [f.split(":")[0] for f in found] == [f"line {n}" for n in (3, 4, 6, 7, 8, 9, 10, 11, 12)]
    assert "unknown label code '5', expected 1, 2, 3, 4, 1F" in found[0]
    assert "J1 repeats line 2" in found[1]
    assert "with code 1, here 2" in found[2]
    assert "outside ASCII" in found[3]
    assert "is empty" in found[4]
    assert "1 fields" in found[5]
    assert "4 fields" in found[6]
    assert "slash" in found[7]
    assert "'maybe', expected certain, possible, uncertain" in found[8]


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path):
    found = faults(written(tmp_path, b"Name,Type\nJ1,1\nJ\xff2,2\nJ3,3\nJ4,4\n"))
    assert found == ["line 3: 'Jÿ2,2' is not UTF-8 text"]


def test_empty_class_is_named(tmp_path):
    found = faults(written(tmp_path, "Name,Type\nJ1,1\nJ2,2\nJ3,3\n"))
    text = "class BENT has no source (certainty: all); expected one"
    assert found == [f"{text}, or a label file without that class"]


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_one_fault(tmp_path, mark, word):
    lines = [f"Name{mark}Type", *(f"J{number}{mark}1" for number in range(500))]
    found = faults(written(tmp_path, "\n".join(lines) + "\n"))
    assert found == [f"columns are divided by {word}, expected commas"]


@pytest.mark.parametrize("text", ["", "\n\n", "Name,Type\n", "# nothing\n"])
def test_a_manifest_without_sources_is_refused(tmp_path, text):
    assert faults(written(tmp_path, text)) == ["no source is left; expected at least one per class"]


def test_a_wrong_file_altogether_prints_a_bounded_list(tmp_path):
    found = faults(written(tmp_path, "not a manifest\n" * 5000))
    assert len(found) == 201
    assert found[-1] == "and 4800 more"


def test_binary_folder_and_missing_files_say_what_they_are(tmp_path):
    with pytest.raises(InputFileError, match="not a text table"):
        read_manifest(written(tmp_path, PLAIN.encode("utf-16")))
    with pytest.raises(InputFileError, match="is a folder"):
        read_manifest(tmp_path)
    with pytest.raises(MissingDataError, match=r"no file .*gone\.csv"):
        read_manifest(tmp_path / "gone.csv")


def test_fr0_sources_are_dropped_merged_or_a_class(tmp_path):
    path = written(tmp_path, PLAIN + "J5,1F\n")
    assert read_manifest(path).names == ("J1", "J2", "J3", "J4")
    merged = read_manifest(path, fr0="merge")
    assert (merged.labels.tolist(), merged.codes[-1]) == ([0, 1, 2, 3, 0], "1F")
    own = read_manifest(path, fr0="own")
    assert own.classes[4] == "FR0"
    assert own.labels.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(SettingsError, match="fr0 is 'keep', expected drop, merge, own"):
        read_manifest(path, fr0="keep")


def test_the_label_file_can_make_fr0_a_class(tmp_path):
    labels = written(
        tmp_path, "Label,Class\n1,POINT\n2,FRI\n3,FRII\n4,BENT\n1F,CORE\n", "labels.txt"
    )
    path = written(tmp_path, PLAIN + "J5,1F\n")
    assert read_manifest(path, labels).classes == ("POINT", "FRI", "FRII", "BENT", "CORE")
    dropped = read_manifest(path, labels, fr0="drop")
    assert dropped.classes == ("POINT", "FRI", "FRII", "BENT")
    assert len(dropped) == 4


def test_certainty_is_read_as_word_or_number_and_filters(tmp_path):
    text = (
        "Name,Type,certainty\nJ1,1,1\nJ2,2,Certain\nJ3,1,possible\nJ4,2,2\nJ5,1,uncertain\nJ6,2,3\n"
    )
    labels = written(tmp_path, "1,A\n2,B\n", "labels.txt")
    path = written(tmp_path, text)
    words = ("certain", "certain", "possible", "possible", "uncertain", "uncertain")
    assert read_manifest(path, labels).certainty == words
    assert read_manifest(path, labels, certainty="certain").names == ("J1", "J2")
    assert read_manifest(path, labels, certainty="possible").names == ("J1", "J2", "J3", "J4")
    with pytest.raises(SettingsError, match="expected all, certain, possible"):
        read_manifest(path, labels, certainty="sure")


def test_certainty_must_be_given_for_every_line_or_none(tmp_path):
    path = written(tmp_path, PLAIN.replace("J3,3", "J3,3,certain"))
    lines = [text.split(":")[0] for text in faults(path)]
    assert lines == ["line 2", "line 3", "line 5"]


def test_filter_without_certainty_column_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"certainty 'certain' asked for, but .* gives none"):
        read_manifest(written(tmp_path, PLAIN), certainty="certain")


def test_label_file_numbers_classes_by_code_not_by_line(tmp_path):
    path = written(tmp_path, "Label,Class\r\n2,FRI\r\n1,COMP\r\n", "labels.txt")
    labels = read_labels(path)
    assert (labels.codes, labels.classes) == (("1", "2"), ("COMP", "FRI"))


def test_label_file_faults_come_at_once(tmp_path):
    path = written(
        tmp_path, "Label,Class\n1,COMP\n1,FRI\nx,A\n4,COMP\n5,\n6,a/b\n7\n8,ok\n", "labels.txt"
    )
    with pytest.raises(InputFileError) as caught:
        read_labels(path)
    text = str(caught.value)
    for part in (
        "line 3: code 1 is listed twice",
        "line 4: code 'x'",
        "line 5: class COMP is listed twice",
        "line 6: class name '' is empty",
        "line 7: class name 'a/b' has a slash",
        "line 8: 1 fields",
        "codes are 1, 8, expected 1 to n without a gap",
    ):
        assert part in text


def test_write_is_the_originals_form_and_reads_back(tmp_path):
    manifest = read_manifest(written(tmp_path, PLAIN + "J5,1F\n"), fr0="own")
    path = write_manifest(tmp_path / "out.csv", manifest, header=("Name", "Type-Lit"))
    assert path.read_bytes() == b"Name,Type-Lit\nJ1,1\nJ2,2\nJ3,3\nJ4,4\nJ5,1F\n"
    assert read_manifest(path, fr0="own").names == manifest.names
    with pytest.raises(SettingsError, match="have no certainty"):
        write_manifest(path, manifest, certainty=True)


names = st.text("ABCJ0123456789.+-", max_size=12).map("J".__add__)
rows = st.lists(
    st.tuples(st.sampled_from("1234"), st.sampled_from(("certain", "possible", "uncertain"))),
    max_size=20,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(names, min_size=24, max_size=24, unique=True), rows)
def test_written_manifests_read_back_unchanged(tmp_path_factory, labelled, extra):
    codes = [("1", "certain"), ("2", "possible"), ("3", "certain"), ("4", "uncertain"), *extra]
    text = "".join(f"{n},{c},{w}\n" for n, (c, w) in zip(labelled, codes, strict=False))
    folder = tmp_path_factory.mktemp("round")
    first = read_manifest(written(folder, text))
    again = read_manifest(write_manifest(folder / "again.csv", first, certainty=True))
    assert again.names == first.names
    assert again.codes == first.codes
    assert again.certainty == first.certainty
