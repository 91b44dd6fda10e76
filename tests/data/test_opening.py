import pickle
import shutil

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.cards import load_card
from benchmarker.data.opening import ReadOptions, open_data
from benchmarker.data.splits import choose_split

CARD = """
title = "Four tiny images"
task = "classification"
reader = "npz"
classes = ["FRI", "FRII", "hybrid"]
image = [8, 8]
pixel_scale_arcsec = 1.8
preparation = "minmax"
licence = "none"
citation = ["someone"]
{content}
[split]
published = true
validation_share = 0.25
[counts]
train = [1, 1, 0]
test = [1, 0, 1]
[subsets.pure]
title = "Without hybrids"
labels = {{ FRII = [1], FRI = [0] }}
aliases = ["clean"]
[[forms]]
reader = "npz"
path = "tiny.npz"
[[forms]]
reader = "png-folder"
path = "png"
"""
PIXELS = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)


def tiny(path, **arrays):
    given = {
        "images": PIXELS,
        "labels": np.array([0, 1, 0, 2]),
        "names": np.array(["a", "b", "c", "d"]),
        "split": np.array(["train", "train", "test", "test"]),
    }
    np.savez(path, **{**given, **arrays})
    return path


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with a card of its own, as the current directory."""
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    (tmp_path / "data" / "tiny.toml").write_text(CARD.format(content=""))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCHMARKER_DATA", raising=False)
    return tmp_path


def set_content(workplace, digest):
    text = CARD.format(content=f'content = "{digest}"')
    (workplace / "data" / "tiny.toml").write_text(text)


def test_card_found_below_data(workplace):
    tiny(workplace / "data" / "tiny" / "tiny.npz")
    images = open_data("tiny")
    assert (images.name, images.classes) == ("tiny", ("FRI", "FRII", "hybrid"))
    assert images.published_split == ("train", "train", "test", "test")
    assert images.pixel_scale_arcsec == 1.8
    provenance = images.provenance
    assert provenance["card"] == "tiny"
    assert provenance["preparation"] == "minmax"
    assert provenance["validation_share"] == 0.25
    assert provenance["file"] == "tiny.npz"
    assert len(provenance["sha256"]) == 64


def test_card_found_through_the_environment(workplace, monkeypatch):
    other = workplace / "elsewhere" / "tiny" / "unpacked"
    other.mkdir(parents=True)
    tiny(other / "tiny.npz")
    with pytest.raises(MissingDataError):
        open_data("tiny")
    monkeypatch.setenv("BENCHMARKER_DATA", str(workplace / "elsewhere"))
    assert len(open_data("tiny")) == 4


def test_subset_takes_rows_and_labels_of_its_own(workplace):
    tiny(workplace / "data" / "tiny" / "tiny.npz")
    images = open_data("tiny-pure")
    assert images.name == "tiny-pure"
    assert images.classes == ("FRII", "FRI")
    assert images.sources == ("a", "b", "c")
    assert images.labels.tolist() == [1, 0, 1]
    assert images.published_split == ("train", "train", "test")
    assert images.provenance["card"] == "tiny-pure"


def whole_outcome(images):
    """Everything that a run takes from a set."""
    lists = (images.sources, images.labels.tolist(), images.classes, images.published_split)
    return (images.name, images.digest, images.provenance, *lists)


@pytest.mark.parametrize("word", ["pure", "clean", "Clean"])
def test_subset_as_an_option_is_the_subsets_card(workplace, word):
    path = tiny(workplace / "data" / "tiny" / "tiny.npz")
    expected = whole_outcome(open_data("tiny-pure"))
    options = ReadOptions(subset=word)
    for what in ("tiny", "tiny-pure", "tiny-clean"):
        assert whole_outcome(open_data(what, options=options)) == expected
    by_card = whole_outcome(open_data(f"tiny-pure={path}"))
    for what in (path, f"tiny={path}", f"tiny-pure={path}"):
        assert whole_outcome(open_data(what, options=options)) == by_card
    assert by_card == expected


def test_subset_of_what_has_none_is_refused(workplace):
    options = ReadOptions(subset="pur")
    with pytest.raises(SettingsError, match=r"'pur' .did you mean pure.*: pure .clean."):
        open_data("tiny", options=options)
    with pytest.raises(SettingsError, match="the data set simulated has no subsets"):
        open_data("simulated", options=options)
    path = tiny(workplace / "a.npz", labels=np.array([0, 0, 0, 1]))
    with pytest.raises(SettingsError, match=r"none of the data sets that a card describes"):
        open_data(path, options=options)


def test_path_described_by_a_card_that_the_user_names(workplace):
    path = tiny(workplace / "mine.npz", labels=np.array([0, 1, 1, 2]))
    assert "card" not in open_data(path).provenance
    for images in (
        open_data(f"tiny-pure={path}"),
        open_data(path, options=ReadOptions(card="tiny-pure")),
    ):
        assert images.provenance["card"] == "tiny-pure"
        assert len(images) == 3


def test_known_layout_is_recognised_and_the_content_verified(workplace):
    path = tiny(workplace / "copy.npz")
    images = open_data(path)
    assert images.provenance["card"] == "tiny"
    assert images.provenance["verified"] == "unverified"
    set_content(workplace, images.digest)
    assert open_data(path).provenance["verified"] == "content"
    assert open_data(path).name == "tiny"
    changed = tiny(workplace / "changed.npz", images=PIXELS[::-1])
    images = open_data(changed)
    assert images.provenance["verified"] == "no"
    assert images.name == "changed"
    shutil.copy(changed, workplace / "data" / "tiny" / "tiny.npz")
    with pytest.raises(InputFileError, match="not the published tiny"):
        open_data("tiny")


def test_classes_are_put_in_the_cards_order_by_name(workplace):
    names = np.array(["hybrid", "FRII", "FRI"])
    path = tiny(workplace / "a.npz", labels=np.array([2, 1, 2, 0]), label_names=names)
    images = open_data(path)
    assert images.provenance["card"] == "tiny"
    assert images.classes == ("FRI", "FRII", "hybrid")
    assert images.labels.tolist() == [0, 1, 0, 2]
    assert images.digest == open_data(tiny(workplace / "b.npz")).digest


def test_a_card_that_does_not_fit_says_why(workplace):
    two = tiny(workplace / "two.npz", labels=np.array([0, 1, 0, 1]))
    with pytest.raises(InputFileError, match=r"2 classes .0, 1., expected 3 .FRI, FRII, hybrid."):
        open_data(f"tiny={two}")
    small = tiny(workplace / "small.npz", images=PIXELS[:, :4])
    with pytest.raises(InputFileError, match=r"images of \(4, 8\) pixels, expected \(8, 8\)"):
        open_data(f"tiny={small}")


def test_second_form_is_used_where_the_first_is_absent(workplace):
    for row, name in enumerate(["FRI", "FRII", "FRI", "hybrid"]):
        part = "train" if row < 2 else "test"
        folder = workplace / "data" / "tiny" / "png" / part / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS[row]).save(folder / f"{'abcd'[row]}.png")
    images = open_data("tiny")
    assert images.provenance["reader"] == "png-folder"
    assert images.digest == open_data(tiny(workplace / "same.npz")).digest


def test_absent_data_say_how_to_get_them(workplace):
    with pytest.raises(MissingDataError) as caught:
        open_data("mirabest-confident")
    text = str(caught.value)
    assert "benchmarker data fetch mirabest" in text
    assert str(workplace / "data" / "mirabest") in text
    assert "BENCHMARKER_DATA" in text
    with pytest.raises(MissingDataError, match="cut 300 x 300 pixel FITS images"):
        open_data("unlrg")


def test_wrong_words_are_answered_with_near_ones(workplace):
    tiny(workplace / "images.npz")
    with pytest.raises(MissingDataError, match="did you mean mirabest"):
        open_data("mirabset")
    with pytest.raises(MissingDataError, match=r"did you mean images.npz"):
        open_data(str(workplace / "image.npz"))
    with pytest.raises(MissingDataError, match="expected a path to a folder or file, or one of"):
        open_data("nothing/like/it")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "an empty file"),
        (b"SIMPLE  =                    T", "a single FITS image"),
        (b"\x89PNG\r\n\x1a\n", "a single PNG"),
        (b"\x93NUMPY\x01\x00", "a single array"),
        (b"\x1f\x8b\x08", "unpack it first"),
        (b"\x80\x04\x95", "give the folder with all batches"),
        (b"<!DOCTYPE html>", "failed download"),
        (b"random", "unknown kind"),
    ],
)
def test_files_of_another_kind(workplace, content, word):
    path = workplace / "file.dat"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=word):
        open_data(path)


def test_folders_with_nothing_to_read(workplace):
    folder = workplace / "folder"
    folder.mkdir()
    with pytest.raises(MissingDataError, match="the folder is empty"):
        open_data(folder)
    (folder / "notes.txt").write_text("x")
    with pytest.raises(MissingDataError, match=r"found notes.txt"):
        open_data(folder)
    fits.PrimaryHDU(PIXELS[0]).writeto(folder / "a.fits")
    with pytest.raises(MissingDataError, match="one folder per class"):
        open_data(folder)


def test_folder_of_fits_with_manifest_and_skip_budget(workplace):
    root = workplace / "FITS"
    for name, folder in (("a", "COMP"), ("b", "FRI"), ("c", "FRI")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        fits.PrimaryHDU(PIXELS[0].astype(np.float32)).writeto(root / folder / f"{name}.fits")
    (workplace / "l.csv").write_text("1,COMP\n2,FRI\n")
    (workplace / "m.csv").write_text("Name,Code\nc,2\na,1\nb,2\nx,2\n")
    (root / "FRI" / "b.fits").write_bytes(b"")
    tables = {"manifest": workplace / "m.csv", "labels": workplace / "l.csv"}
    with pytest.raises(InputFileError, match=r"x\.fits is missing"):
        open_data(root, **tables)
    with pytest.raises(InputFileError, match="empty file"):
        open_data(root, **tables, options=ReadOptions(skip_budget=1))
    images = open_data(root, **tables, options=ReadOptions(skip_budget=2))
    assert images.sources == ("c", "a")
    assert set(images.provenance["left_out"]) == {"b", "x"}
    assert images.provenance["options"]["skip_budget"] == 2
    assert "preparation" not in images.provenance


def test_card_of_fits_folders_finds_its_manifest(workplace, monkeypatch):
    root = workplace / "data" / "unlrg" / "FITS"
    names = {"COMP": "J000001.00+000001.0", "FRI": "J000002.00+000001.0"}
    names |= {"FRII": "J000003.00+000001.0", "BENT": "J000004.00+000001.0"}
    for folder, name in names.items():
        (root / folder).mkdir(parents=True)
        fits.PrimaryHDU(np.ones((300, 300), np.float32)).writeto(root / folder / f"{name}.fits")
    with pytest.raises(MissingDataError, match=r"no unLRG_manifest\.csv"):
        open_data("unlrg")
    rows = [f"{name},{code}" for code, name in enumerate(names.values(), start=1)]
    manifest = root.parent / "unLRG_manifest.csv"
    manifest.write_text("\n".join(["Name,Type-MAN", *rows, "J000005.00+000001.0,1F"]) + "\n")
    images = open_data("unlrg")
    assert images.labels.tolist() == [0, 1, 2, 3]
    assert images.provenance["quota"] == (250, 100)
    assert images.provenance["preparation"] == "legacy"


def test_tables_fit_fits_folders_only(workplace):
    path = tiny(workplace / "a.npz")
    with pytest.raises(SettingsError, match="manifest given for"):
        open_data(path, manifest="m.csv")
    with pytest.raises(SettingsError, match="labels given for simulated"):
        open_data("simulated", labels="l.csv")


@pytest.mark.parametrize("folder", ["", "batches", "unpacked/FIRST_PNG_dataset"])
def test_batches_of_a_card_are_found_whatever_their_folder(workplace, real_data, folder):
    place = workplace / "data" / "frdeep-first" / folder
    place.mkdir(parents=True)
    with np.load(real_data / "frdeep_first.npz") as arrays:
        stored = {key: arrays[key] for key in ("images", "labels", "filenames", "batch_file")}
    for name in set(stored["batch_file"]):
        rows = stored["batch_file"] == name
        value = {"data": stored["images"][rows].reshape(50, -1)}
        value |= {key: stored[key][rows].tolist() for key in ("labels", "filenames")}
        (place / str(name)).write_bytes(pickle.dumps(value))
    images = open_data("frdeep-first", options=ReadOptions(convert=False))
    assert images.provenance["reader"] == "batches"
    assert images.provenance["verified"] == "content"


def test_batches_mnist_and_single_files_are_told_by_content(workplace):
    batches = workplace / "batches"
    batches.mkdir()
    value = {"data": PIXELS.reshape(4, 64), "labels": [0, 1, 0, 1]}
    (batches / "data_batch_1").write_bytes(pickle.dumps(value))
    assert open_data(batches).provenance["reader"] == "batches"
    digits = {"x_train": PIXELS, "y_train": np.arange(4), "x_test": PIXELS, "y_test": np.arange(4)}
    np.savez(workplace / "digits.npz", **digits)
    assert open_data(workplace / "digits.npz").provenance["reader"] == "mnist"
    folder = workplace / "single"
    folder.mkdir()
    tiny(folder / "some name.dat.npz")
    images = open_data(folder)
    assert images.provenance["reader"] == "npz"
    tiny(folder / "other.npz")
    with pytest.raises(InputFileError, match=r"several data sets .other.npz, some name.dat.npz."):
        open_data(folder)


def test_uint8_images_without_card_are_scaled(workplace):
    images = open_data(tiny(workplace / "a.npz", labels=np.array([0, 0, 0, 1])))
    assert images.provenance["preparation"] == "scaled"


def test_simulated_images_come_from_the_card(workplace, monkeypatch):
    (workplace / "data" / "simulated.toml").write_text(
        CARD.format(content="")
        .replace('reader = "npz"', 'reader = "simulate"', 1)
        .replace('"FRI", "FRII", "hybrid"', '"COMP", "FRI", "FRII", "BENT"')
        .replace("[8, 8]", "[64, 64]")
        .split("[counts]")[0]
        + "[settings]\nsize = 64\nseed = 5\ncounts = { COMP = 2, FRI = 1, FRII = 1, BENT = 1 }\n"
    )
    images = open_data("simulated")
    assert len(images) == 5
    assert images.provenance["card"] == "simulated"
    assert images.published_split is not None
    assert images.digest == open_data("simulated").digest
    assert images.digest != open_data("simulated", options=ReadOptions(seed=6)).digest


def test_simulated_snapshots_come_from_the_card(workplace):
    text = (
        CARD.format(content="")
        .replace('reader = "npz"', 'reader = "simulate"', 1)
        .replace('"FRI", "FRII", "hybrid"', '"good", "rfi", "sis", "rfisis"')
        .replace("[8, 8]", "[64, 64]")
        .split("[counts]")[0]
        .replace("pixel_scale_arcsec = 1.8", "")
        + '[settings]\nsimulation = "mwa-snapshots"\ncount = 12\nsize = 64\nseed = 5\n'
    )
    card = workplace / "data" / "mwa-snapshots.toml"
    card.write_text(text)
    images = open_data("mwa-snapshots")
    assert len(images) == 12
    assert images.pixels.read(0).shape == (64, 64, 1)
    assert set(images.published_split) == {"train", "validation", "test"}
    assert images.digest == open_data("mwa-snapshots").digest
    assert images.digest != open_data("mwa-snapshots", options=ReadOptions(seed=6)).digest
    card.write_text(text + "strength = [3.0, 4.0]\n")
    assert images.digest != open_data("mwa-snapshots").digest
    card.write_text(text.replace("count = 12", "strenght = 3"))
    with pytest.raises(SettingsError, match=r"'strenght' \(did you mean strength\?\)"):
        open_data("mwa-snapshots")


@pytest.mark.parametrize(
    ("file", "card"),
    [
        ("first_griese2022.npz", "first"),
        ("mirabest.npz", "mirabest"),
        ("frdeep_first.npz", "frdeep-first"),
    ],
)
def test_real_files_are_recognised_and_hold_what_their_cards_say(real_data, file, card):
    images = open_data(real_data / file)
    expected = load_card(card)
    assert images.name == card
    assert images.provenance["verified"] == "sha256"
    assert images.digest == expected.content
    assert images.classes == expected.classes
    split = np.array(images.published_split)
    for part, counts in expected.counts.items():
        found = np.bincount(images.labels[split == part], minlength=len(expected.classes))
        assert tuple(found) == counts


def test_real_subset_by_card_name(real_data, workplace, monkeypatch):
    monkeypatch.setenv("BENCHMARKER_DATA", str(real_data))
    images = open_data("mirabest-confident")
    assert np.bincount(images.labels).tolist() == [397, 436]
    assert images.published_split.count("test") == 104
    assert images.ra_deg is not None


def test_real_subset_of_a_path_is_the_subsets_card(real_data, workplace, monkeypatch):
    monkeypatch.setenv("BENCHMARKER_DATA", str(real_data))
    images = open_data(real_data / "mirabest.npz", options=ReadOptions(subset="nounc"))
    assert images.provenance["card"] == "mirabest-confident"
    assert whole_outcome(images) == whole_outcome(open_data("mirabest-confident"))


# training and test images of each subset, and what validates of them: a stratified fifth of
# the training images (Bowles et al. 2021 take 213, 145 and 219, not stratified)
SUBSETS = [
    ("nohybrid", (1069, 153), 213),
    ("confident", (729, 104), 146),
    ("hybrid", (1099, 157), 219),
    ("uncertain", (340, 49), 68),
]


@pytest.mark.parametrize(("subset", "sizes", "validation"), SUBSETS)
def test_real_subsets_are_split_as_published(real_data, subset, sizes, validation):
    images = open_data(real_data / "mirabest.npz", options=ReadOptions(subset=subset))
    assert images.published_split.count("test") == sizes[1]
    for seed in (8901, 1826):
        share = images.provenance["validation_share"]
        split = choose_split(images, seed=seed, card_validation_share=share)
        found = [len(names) for names in split.parts.values()]
        assert found == [sizes[0] - validation, validation, sizes[1]]
        assert len({name for names in split.parts.values() for name in names}) == sum(sizes)


def test_the_source_that_mirabest_lists_twice_stays_on_one_side(real_data):
    images = open_data(real_data / "mirabest.npz", options=ReadOptions(subset="nohybrid"))
    whole = open_data(real_data / "mirabest.npz")
    twins = {whole.sources[511], whole.sources[989]}
    assert [name[:3] for name in sorted(twins)] == ["100", "102"]
    for seed in range(10):
        split = choose_split(images, seed=seed, card_validation_share=0.2)
        assert len([part for part, names in split.parts.items() if twins & set(names)]) == 1


def test_a_mistyped_card_before_a_path_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"no card 'mirabest-certain' \(did you mean"):
        open_data(f"mirabest-certain={tmp_path}")
    with pytest.raises(MissingDataError, match=r"and there is no 'none.npz': expected CARD=PATH"):
        open_data("mirabes=none.npz")
