import pytest

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.hosts.realbogus import lists


def test_either_line_end_and_blank_lines_are_read(tmp_path):
    path = tmp_path / "good.txt"
    path.write_bytes(b"\xef\xbb\xbf1_a.fits\r\n\r\n# a remark\r\n2_b.fits\n")
    assert lists.read_list(path) == ["1_a.fits", "2_b.fits"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "no entry"), (b"# none\n", "no entry"), (b"a\nb\na\n", "line 3: a stands in line 1"),
     (b"\xff\xfe", "cannot be read")],
)  # fmt: skip
def test_bad_lists_are_refused(tmp_path, content, words):
    path = tmp_path / "good.txt"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=words):
        lists.read_list(path)
    with pytest.raises(InputFileError, match="cannot be read"):
        lists.read_list(tmp_path / "none.txt")


def test_where_a_stamp_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("good/a.fits", "bad/a.fits", "bad/b.fits", "58362/1_58362.4_c.fits", "d.fits"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    found = lambda entry: lists.find_stamp(entry, tmp_path)  # noqa: E731
    assert found("a.fits") == tmp_path / "good/a.fits"
    assert lists.find_stamp("a.fits", tmp_path, "bad") == tmp_path / "bad/a.fits"
    assert found("b.fits") == tmp_path / "bad/b.fits"
    assert found("1_58362.4_c.fits") == tmp_path / "58362/1_58362.4_c.fits"
    assert found("d.fits").name == "d.fits"
    assert found("bad/a.fits").resolve() == tmp_path / "bad/a.fits"
    assert found("none.fits") is None


def test_missing_stamps_are_counted_and_named(tmp_path):
    entries = [f"{number}.fits" for number in range(12)]
    (tmp_path / "0.fits").touch()
    with pytest.raises(MissingDataError, match=r"good.txt: 11 of 12 .*1.fits.*10.fits, \.\.\."):
        lists.refuse_missing(entries, tmp_path, "good.txt")
    lists.refuse_missing(entries[:1], tmp_path, "good.txt")


def test_a_stamp_in_both_lists_is_refused():
    with pytest.raises(InputFileError, match=r"1 stamps stand in both lists.*b\.fits"):
        lists.refuse_contradictions(["a.fits", "x/b.fits"], ["y/b.fits"])
    lists.refuse_contradictions(["a.fits"], ["b.fits"])
