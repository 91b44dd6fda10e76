"""Layer-list files: the user's own lines, and what is said about faulty ones."""

import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.networks.layer_files import read_file
from benchmarker.networks.registry import find, names

GOOD = "tiny | toys | own | Smith 2025, in prep. | a test | C4k3S:relu F Dn:softmax:gl\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A file of layer lists in the user's working directory."""
    folder = tmp_path / "architectures" / "layers"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return folder / "own.txt"


def test_a_line_of_the_user_is_a_network(own):
    own.write_text(f"# mine\n\n  # more\n{GOOD}", encoding="utf-8")
    entry = find("tiny")
    assert (entry.family, entry.role, entry.paper) == ("toys", "own", "Smith 2025, in prep.")
    assert (entry.path, entry.line) == (own, 4)
    assert "convXpress" in names()


def test_a_changed_file_is_read_again(own):
    own.write_text(GOOD, encoding="utf-8")
    assert "tiny" in names()
    own.write_text(GOOD.replace("tiny", "other"), encoding="utf-8")
    assert "other" in names()
    assert "tiny" not in names()


def test_windows_text_is_read(own):
    own.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert find("tiny").name == "tiny"


def test_all_faults_of_a_file_come_at_once_with_line_numbers(own):
    own.write_text(
        "# head\n"
        "two | columns\n"
        "bad name | toys | own | | | F Dn:softmax\n"
        "ok | toys | favourite | | | F Dn:softmax\n"
        "torn | toys | own | | | C4k3 P2 F Dn:softmax\n",
        encoding="utf-8",
    )
    with pytest.raises(InputFileError) as caught:
        read_file(own)
    text = str(caught.value)
    assert "own.txt has 5 faults" in text
    assert "line 2: 2 column(s), expected 6" in text
    assert "line 3: name 'bad name'" in text
    assert "line 4: role 'favourite', expected one of core, published, variant, own" in text
    assert "line 5: layer 1 'C4k3': not a layer; expected one of C<filters>k<kernel>" in text
    assert "line 5: layer 2 'P2'" in text


def test_a_name_used_twice_shows_both_places(own):
    own.write_text(GOOD.replace("tiny", "mcrgnet"), encoding="utf-8")
    with pytest.raises(InputFileError, match="'mcrgnet' is defined twice") as caught:
        names()
    assert "own.txt line 1" in str(caught.value)
    assert "mcrgnet.txt line" in str(caught.value)


def test_a_name_of_a_python_network_is_taken_too(own):
    own.write_text(GOOD.replace("tiny", "maslej"), encoding="utf-8")
    with pytest.raises(InputFileError, match=r"own\.txt line 1 and in .*maslej\.py"):
        names()


def test_a_file_that_is_no_text_is_named(own):
    own.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputFileError, match=r"cannot read the layer lists of .*own\.txt"):
        names()


def test_python_files_of_the_user_are_not_run(tmp_path, monkeypatch):
    folder = tmp_path / "networks"
    folder.mkdir()
    (folder / "evil.py").write_text("raise SystemExit('ran')\nNETWORKS = ()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "convXpress" in names()
    with pytest.raises(SettingsError):
        find("evil")
