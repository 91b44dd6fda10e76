"""Text folders: the user's own come first, the shipped ones are always there."""

from pathlib import Path

import pytest

from benchmarker.core import folders
from benchmarker.core.errors import MissingDataError
from benchmarker.core.folders import find_text, list_texts, search_path, shipped


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty working folder, and a shipped folder with two recipes beside the package."""
    ships = tmp_path / "checkout"
    (ships / "benchmarker").mkdir(parents=True)
    (ships / "augment").mkdir()
    for name in ("none", "d4"):
        (ships / "augment" / f"{name}.yaml").write_text(f"shipped {name}")
    monkeypatch.setattr(folders, "PACKAGE", ships / "benchmarker")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def own(work, name, text="own"):
    (work / "augment").mkdir(exist_ok=True)
    (work / "augment" / name).write_text(text)


def test_the_real_shipped_folders_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, suffix in (("architectures", ".txt"), ("augment", ".yaml"), ("data", ".toml")):
        assert list_texts(folder, suffix), folder


def test_an_installed_package_carries_its_folders_inside(work):
    inside = folders.PACKAGE / "text" / "augment"
    assert shipped("augment") == folders.PACKAGE.parent / "augment"
    inside.mkdir(parents=True)
    assert shipped("augment") == inside


def test_without_a_folder_of_ones_own_the_shipped_one_is_read(work):
    assert search_path("augment") == [shipped("augment")]
    assert find_text("augment", "d4", ".yaml").read_text() == "shipped d4"
    assert find_text("augment", "d4.yaml", ".yaml").read_text() == "shipped d4"


def test_the_users_own_file_hides_the_shipped_namesake(work):
    own(work, "d4.yaml")
    assert find_text("augment", "d4", ".yaml").read_text() == "own"
    assert find_text("augment", "none", ".yaml").read_text() == "shipped none"
    texts = {path.name: path.read_text() for path in list_texts("augment", ".yaml")}
    assert texts == {"d4.yaml": "own", "none.yaml": "shipped none"}


def test_a_new_file_of_the_user_joins_the_list_in_order(work):
    own(work, "mine.yaml")
    own(work, "notes.md")
    assert [path.stem for path in list_texts("augment", ".yaml")] == ["d4", "mine", "none"]


def test_a_path_is_taken_as_it_is(work):
    (work / "other.yaml").write_text("by path")
    assert find_text("augment", "other.yaml", ".yaml").read_text() == "by path"
    assert find_text("augment", str(work / "other.yaml"), ".yaml").read_text() == "by path"


def test_in_the_checkout_itself_nothing_is_listed_twice(work, monkeypatch):
    monkeypatch.chdir(folders.PACKAGE.parent)
    assert search_path("augment") == [Path(folders.PACKAGE.parent / "augment")]
    assert len(list_texts("augment", ".yaml")) == 2


def test_an_unknown_name_lists_near_ones_and_places(work):
    own(work, "mine.yaml")
    with pytest.raises(MissingDataError) as caught:
        find_text("augment", "non", ".yaml")
    text = str(caught.value)
    assert "no augment file named 'non' (did you mean none?)" in text
    assert "known: d4, mine, none" in text
    assert all(str(place) in text for place in search_path("augment"))
