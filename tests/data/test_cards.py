import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.cards import choose_subset, list_cards, load_card, read_card

SMALL = """
title = "A set"
task = "classification"
reader = "npz"
classes = ["a", "b"]
image = [8, 8]
preparation = "scaled"
licence = "none"
citation = ["someone"]
"""
SHIPPED = [
    "first",
    "frdeep-first",
    "lrg",
    "mirabest",
    "mirabest-confident",
    "mirabest-hybrid",
    "mirabest-nohybrid",
    "mirabest-uncertain",
    "mnist",
    "mwa-snapshots",
    "simulated",
    "unlrg",
]


def faults(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputFileError) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_card_is_valid_and_names_a_preparation_that_exists(name):
    from benchmarker.data.preparation import named_preparation

    card = load_card(name)
    assert card.name == name
    assert card.citation
    named_preparation(card.preparation)
    for file in card.files:
        assert file.url.startswith(("https://", "http://"))


def test_shipped_cards_are_listed():
    assert set(SHIPPED) <= set(list_cards())


def test_counts_and_subsets_of_the_published_table():
    assert load_card("first").total == (495, 924, 391, 348)
    assert sum(load_card("mirabest").total) == 1256
    confident = load_card("mirabest-confident")
    assert (confident.base, confident.classes) == ("mirabest", ("FRI", "FRII"))
    assert dict(confident.counts) == {"train": (348, 381), "test": (49, 55)}
    assert dict(load_card("mirabest-nohybrid").counts) == {"train": (517, 552), "test": (74, 79)}
    assert dict(load_card("mirabest-uncertain").counts) == {"train": (169, 171), "test": (25, 24)}
    assert dict(load_card("mirabest-hybrid").counts) == {"train": (517, 582), "test": (74, 83)}
    assert confident.validation_share == 0.2
    assert load_card("unlrg").total == (6042, 5039, 2072, 889)
    assert load_card("lrg").quota == (80, 60)
    assert sum(load_card("lrg").total) == 1194


def test_unknown_name_is_suggested_and_known_ones_listed():
    with pytest.raises(MissingDataError, match="did you mean mirabest-confident") as caught:
        load_card("mirabest-confidant")
    assert "known: first, frdeep-first" in str(caught.value)
    with pytest.raises(MissingDataError):
        load_card("mirabest-none")


def test_users_cards_come_first(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.toml").write_text(SMALL)
    (tmp_path / "data" / "first.toml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    assert load_card("mine").classes == ("a", "b")
    assert load_card("first").title == "A set"
    assert load_card("mirabest").total
    (tmp_path / "data" / "broken.toml").write_text("title = ")
    assert "broken" in list_cards()
    with pytest.raises(InputFileError, match="not a TOML text"):
        load_card("broken")


def test_all_faults_of_a_card_are_listed_with_their_keys(tmp_path):
    text = faults(
        tmp_path,
        """
        titel = "A set"
        task = "clasification"
        reader = "nzp"
        classes = ["a", "a"]
        image = [8]
        preparation = 3
        citation = "me"
        pixel_scale_arcsec = true
        [split]
        publshed = true
        validation_share = 1.5
        [counts]
        train = [1]
        [[forms]]
        reader = "npz"
        path = "../outside.npz"
        [[forms]]
        reader = "png-folder"
        path = "."
        [[files]]
        name = "/etc/passwd"
        """,
    )
    for word in (
        "unknown key 'titel' (did you mean title?)",
        "key 'title' is missing",
        "key 'licence' is missing",
        "task is 'clasification'",
        "reader is 'nzp' (did you mean npz?)",
        "classes: a name is repeated",
        "image is [8], expected [height, width]",
        "preparation is 3, expected a text",
        "citation is 'me', expected a list of texts",
        "pixel_scale_arcsec is True, expected a number",
        "unknown key 'split.publshed' (did you mean published?)",
        "split.validation_share is 1.5",
        "counts.train has 1 numbers for 2 classes",
        "forms[0].path is '../outside.npz'",
        "forms[1].path '.' is for batches and mnist only",
        "files[0].name is '/etc/passwd'",
        "key 'files[0].url' is missing",
    ):
        assert word in text


def test_faults_of_subsets(tmp_path):
    text = faults(
        tmp_path,
        SMALL
        + '[subsets.x]\ntitle = "x"\nlabels = { A = [0, 5], B = [0], C = ["z"] }\n[subsets.y]\n',
    )
    assert "subsets.x.labels: label 5 is outside 0..1" in text
    assert "a label is kept in two classes" in text
    assert "subsets.x.labels.C is not a list of whole numbers" in text
    assert "key 'subsets.y.title' is missing" in text


def test_faults_of_aliases(tmp_path):
    one = '[subsets.{}]\ntitle = "x"\nlabels = {{ A = [0], B = [1] }}\naliases = {}\n'
    two = one.format("x", '["Y", "a b", ""]') + one.format("y", '["z", "z"]')
    text = faults(tmp_path, SMALL + two + one.format("X", "3"))
    for word in (
        "subsets.X: differs from 'x' by case only",
        "subsets.x.aliases: 'Y' is a name of the subset y already",
        "subsets.x.aliases: 'a b' is no name",
        "subsets.x.aliases: '' is no name",
        "subsets.y.aliases: 'z' is a name of the subset y already",
        "subsets.X.aliases is 3, expected a list of names",
    ):
        assert word in text


@pytest.mark.parametrize("word", ["confident", "nounc", "NOUNC", "Confident"])
@pytest.mark.parametrize("name", ["mirabest", "mirabest-confident"])
def test_a_subset_is_chosen_by_name_or_alias_in_any_case(word, name):
    assert choose_subset(load_card(name), word) == load_card("mirabest-confident")


def test_no_subset_is_the_card_itself_and_an_alias_names_a_card_too():
    whole = load_card("mirabest")
    assert choose_subset(whole, None) is whole
    assert load_card("mirabest-nounc") == load_card("mirabest-confident")
    assert "mirabest-nounc" not in list_cards()


def test_a_subset_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match=r"'noun' .did you mean nounc") as caught:
        choose_subset(load_card("mirabest"), "noun")
    assert "nohybrid, confident (nounc), uncertain, hybrid" in str(caught.value)
    with pytest.raises(SettingsError, match="the data set first has no subsets"):
        choose_subset(load_card("first"), "nohybrid")
    with pytest.raises(SettingsError, match="mirabest-hybrid, which is the subset hybrid"):
        choose_subset(load_card("mirabest-hybrid"), "nounc")


def test_no_toml_and_no_text(tmp_path):
    assert "not a TOML text" in faults(tmp_path, "title = ")
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match="not a TOML text"):
        read_card(path)
