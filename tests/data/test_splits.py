"""Splits: the published digests, the rules, and what can never happen."""

import json
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.data.dealing import targets
from benchmarker.data.images import ArrayPixels, ImageSet
from benchmarker.data.ma2019 import SAMPLES, read_sample
from benchmarker.data.splits import (
    Split,
    choose_split,
    grouped_split,
    published_split,
    quota_split,
    read_split,
    stratified_folds,
    stratified_split,
    with_validation,
    write_split,
)

PUBLISHED_DIGESTS = {
    ("unlrg", 8901): "J010101.68+010903.0 a8edc3b0410cfd1f 3cf2ae3248aa7b95 4beb031bc619a6eb",
    ("unlrg", 1826): "J135801.04+562727.9 d0d10d2170864cfa 0ebd2252cce4f00e 43b5141ae52c9da2",
    ("unlrg", 4915): "J131536.21+411327.6 9b22d19e64c23ca8 a27a699a15430f45 4a5c40c75a272a04",
    ("lrg", 8901): "J151105.58+220806.4 142b184663ef416a 1a73e2d6f685e2ca a3dea55170fc81c1",
    ("lrg", 1826): "J115312.53+091402.5 1b244f1a187c3ede 69c5652a5066983e 44337315fc957b32",
    ("lrg", 4915): "J164845.08+254119.5 bcf527fb69042f59 9ced17e695f50a6a 689e4b2d00ae6d94",
}
CLASSES = ("A", "B", "C")


@dataclass(frozen=True)
class Toy:
    names: list[str]
    labels: np.ndarray


def toy(*counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return Toy([f"s{row:03d}" for row in range(len(labels))], labels)


def image_set(labels, **options):
    labels = np.asarray(labels)
    pixels = ArrayPixels(np.zeros((len(labels), 2, 2, 1), np.uint8), "toy")
    sources = tuple(f"s{row:03d}" for row in range(len(labels)))
    return ImageSet("toy", pixels, labels, CLASSES[: labels.max() + 1], sources, **options)


def quotas(given, **options):
    classes = CLASSES[: int(given.labels.max()) + 1]
    return quota_split(given.names, given.labels, classes, **options)


@pytest.mark.parametrize(("name", "seed"), PUBLISHED_DIGESTS)
def test_legacy_quotas_give_the_published_lists(real_data, name, seed):
    manifest = read_sample(real_data / "ma2019", name)
    sample = SAMPLES[name]
    split = quota_split(
        manifest.names,
        manifest.labels,
        manifest.classes,
        train=sample.train,
        validation=sample.validation,
        seed=seed,
        legacy=True,
    )
    found = [split.train[0], *(digest[:16] for digest in split.digests.values())]
    assert " ".join(found) == PUBLISHED_DIGESTS[name, seed]


def test_published_sizes_of_the_test_part(real_data):
    manifest = read_sample(real_data / "ma2019", "unlrg")
    split = choose_split(_listed(manifest), train=250, validation=100, seed=8901)
    rows = split.rows(manifest.names)["test"]
    assert np.bincount(manifest.labels[rows]).tolist() == [5692, 4689, 1722, 539]


def _listed(manifest):
    pixels = ArrayPixels(np.zeros((len(manifest), 1, 1, 1), np.uint8), "none")
    return ImageSet("m", pixels, manifest.labels, manifest.classes, manifest.names)


def test_legacy_leaves_the_global_generator_alone():
    state = random.getstate()
    quotas(toy(5, 5), train=2, validation=1, seed=1, legacy=True)
    assert random.getstate() == state


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(5, 20), min_size=2, max_size=3),
    st.integers(1, 3),
    st.integers(1, 1),
    st.integers(0, 2**31),
    st.booleans(),
)
def test_quotas_are_exact_disjoint_and_cover_everything(counts, train, validation, seed, legacy):
    given_sources = toy(*counts)
    split = quotas(given_sources, train=train, validation=validation, seed=seed, legacy=legacy)
    together = [*split.train, *split.validation, *split.test]
    assert sorted(together) == given_sources.names
    rows = split.rows(given_sources.names)
    for part, number in (("train", train), ("validation", validation)):
        held = np.bincount(given_sources.labels[rows[part]], minlength=len(counts))
        assert held.tolist() == [number] * len(counts)


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(30)), st.integers(0, 2**31))
def test_the_order_of_the_list_does_not_matter(order, seed):
    given_sources = toy(12, 10, 8)
    mixed = Toy([given_sources.names[n] for n in order], given_sources.labels[list(order)])
    for make in (
        lambda t: quotas(t, train=3, validation=2, seed=seed),
        lambda t: stratified_split(t.names, t.labels, seed=seed),
        lambda t: stratified_folds(t.names, t.labels, folds=4, fold=1, seed=seed),
    ):
        assert make(mixed).digest == make(given_sources).digest


def test_a_missing_source_moves_only_its_replacement():
    whole = toy(50, 50)
    split = quotas(whole, train=20, validation=10, seed=3)
    lost = split.train[0]
    keep = [n for n, name in enumerate(whole.names) if name != lost]
    less = quotas(
        Toy([whole.names[n] for n in keep], whole.labels[keep]), train=20, validation=10, seed=3
    )
    assert len(set(less.train) - set(split.train)) == 1
    assert len(set(less.validation) - set(split.validation)) == 1
    assert set(less.test) < set(split.test)


def test_seeds_differ_and_repeat():
    given_sources = toy(30, 30)
    digests = {quotas(given_sources, train=9, validation=5, seed=s).digest for s in (1, 2, 1, 3)}
    assert len(digests) == 3


@pytest.mark.parametrize("legacy", [True, False])
def test_quotas_that_leave_no_test_source_name_every_class(legacy):
    with pytest.raises(SettingsError) as caught:
        quotas(toy(9, 20, 6), train=6, validation=3, seed=1, legacy=legacy)
    text = str(caught.value)
    assert "class A has 9 sources: none is left to test; train + validation can be 8 at" in text
    assert "class C has 6 sources: none is left to test; train + validation can be 5 at" in text
    assert "class B" not in text
    assert quotas(toy(10, 20, 10), train=6, validation=3, seed=1, legacy=legacy).test


@pytest.mark.parametrize(("train", "validation"), [(0, 5), (5, 0), (-1, 1)])
def test_quotas_below_one_are_refused(train, validation):
    with pytest.raises(SettingsError, match="expected at least 1 each"):
        quotas(toy(20, 20), train=train, validation=validation, seed=1)


def test_a_name_in_two_parts_is_refused():
    with pytest.raises(InputFileError, match="source b stands in train and in test"):
        Split(("a", "b"), ("c",), ("b",), "by hand")
    with pytest.raises(InputFileError, match="source a stands in train and in train"):
        Split(("a", "a"), ("c",), ("b",), "by hand")
    with pytest.raises(InputFileError, match="no source in test"):
        Split(("a", "b"), ("c",), (), "by hand")


def test_digests_do_not_depend_on_the_rule_but_on_the_order():
    one = Split(("a", "b"), ("c",), ("d",), "one")
    assert one.digest == Split(("a", "b"), ("c",), ("d",), "other").digest
    assert one.digest != Split(("b", "a"), ("c",), ("d",), "one").digest
    assert one.digests["validation"].startswith("2e7d2c03a9507ae2")  # sha256 of "c"


def test_published_split_keeps_the_order_of_the_data():
    words = ("test", "train", "train", "validation")
    split = published_split(image_set([0, 0, 1, 1], published_split=words))
    assert (split.train, split.validation, split.test) == (("s001", "s002"), ("s003",), ("s000",))
    with pytest.raises(MissingDataError, match="no published split"):
        published_split(image_set([0, 1]))


def test_targets_share_every_class_whole():
    wanted = targets(np.array([100, 10, 4, 3, 1]), np.array([0.7, 0.1, 0.2]))
    assert wanted[:, 0].tolist() == [70, 10, 20]
    assert wanted[:, 1].tolist() == [7, 1, 2]
    assert wanted[:, 2].tolist() == [2, 1, 1]
    assert wanted[:, 3].tolist() == [1, 1, 1]
    assert wanted.sum(axis=0).tolist() == [100, 10, 4, 3, 1]
    folds = targets(np.array([14, 14]), np.full(10, 0.1))
    assert folds.sum(axis=0).tolist() == [14, 14]
    assert folds.min() == 1
    assert folds.max() == 2


def test_stratified_shares_are_exact_without_groups():
    given_sources = toy(100, 50, 10)
    split = stratified_split(given_sources.names, given_sources.labels, seed=5)
    rows = split.rows(given_sources.names)
    held = {part: np.bincount(given_sources.labels[rows[part]]).tolist() for part in rows}
    assert held == {"train": [70, 35, 7], "validation": [10, 5, 1], "test": [20, 10, 2]}
    with pytest.raises(SettingsError, match="sum to 1"):
        stratified_split(given_sources.names, given_sources.labels, seed=5, shares=(0.5, 0.1, 0.1))


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(31)),
    st.lists(st.integers(0, 30), min_size=29, max_size=29),
    st.integers(0, 2**31),
)
def test_a_group_never_stands_on_both_sides(ones, more, seed):
    groups = [*ones, *more]
    given_sources = toy(20, 20, 20)
    for split in (
        stratified_split(given_sources.names, given_sources.labels, seed=seed, groups=groups),
        stratified_folds(
            given_sources.names, given_sources.labels, folds=3, fold=0, seed=seed, groups=groups
        ),
    ):
        held = [{groups[row] for row in rows} for rows in split.rows(given_sources.names).values()]
        assert not (held[0] & held[1])
        assert not (held[0] & held[2])
        assert not (held[1] & held[2])
        assert sum(len(names) for names in split.parts.values()) == 60


def test_grouped_split_keeps_neighbours_together_and_classes_alike(real_data):
    with np.load(real_data / "first_griese2022.npz") as stored:
        ra, dec, labels = stored["ra_deg"], stored["dec_deg"], stored["labels"]
    names = [f"s{row}" for row in range(len(labels))]
    split = grouped_split(names, labels, (ra, dec), radius_arcsec=270.0, seed=8901)
    rows = split.rows(names)
    share = np.bincount(labels[rows["test"]]) / np.bincount(labels)
    assert share == pytest.approx(0.2, abs=0.005)
    from benchmarker.data.sky import pairs_within

    part = np.empty(len(names), dtype=object)
    for word, numbers in rows.items():
        part[numbers] = word
    pairs = pairs_within(ra, dec, 270.0)
    assert len(pairs) == 38
    assert (part[pairs.first] == part[pairs.second]).all()


def test_every_source_tests_once_over_all_folds():
    given_sources = toy(11, 7, 5)
    splits = [
        stratified_folds(given_sources.names, given_sources.labels, folds=5, fold=fold, seed=2)
        for fold in range(5)
    ]
    tested = [name for split in splits for name in split.test]
    assert sorted(tested) == given_sources.names
    assert splits[0].validation
    assert set(splits[0].validation) == set(splits[1].test)
    with pytest.raises(SettingsError, match="fold 5 of 5"):
        stratified_folds(given_sources.names, given_sources.labels, folds=5, fold=5, seed=2)
    with pytest.raises(SettingsError, match="at least 3 folds"):
        stratified_folds(given_sources.names, given_sources.labels, folds=2, fold=0, seed=2)


def test_with_validation_takes_a_share_of_every_class():
    given_sources = toy(40, 20, 1)
    split = Split(tuple(given_sources.names), (), ("t",), "published")
    labels = dict(zip(given_sources.names, given_sources.labels.tolist(), strict=True))
    more = with_validation(split, labels, share=0.1, seed=8901)
    held = [labels[name] for name in more.validation]
    assert (held.count(0), held.count(1), held.count(2)) == (4, 2, 0)
    assert sorted(more.train + more.validation) == given_sources.names
    assert more.test == ("t",)
    assert "validation 0.1 of train" in more.rule
    with pytest.raises(SettingsError, match="between 0 and 1"):
        with_validation(split, labels, share=1.0, seed=1)
    with pytest.raises(SettingsError, match="validation sources"):
        with_validation(more, labels, share=0.1, seed=1)


def test_with_validation_keeps_groups_on_one_side():
    given_sources = toy(30, 30)
    split = Split(tuple(given_sources.names), (), ("t",), "published")
    labels = dict(zip(given_sources.names, given_sources.labels.tolist(), strict=True))
    groups = {name: row // 2 for row, name in enumerate(given_sources.names)}
    more = with_validation(split, labels, share=0.2, seed=1, groups=groups)
    assert not {groups[n] for n in more.train} & {groups[n] for n in more.validation}
    assert len(more.validation) == 12


def test_choose_prefers_quotas_then_the_published_split_then_shares():
    words = ("train",) * 8 + ("validation", "test")
    published = image_set([0, 1] * 5, published_split=words)
    assert choose_split(published, seed=1).rule == "published"
    assert choose_split(published, train=2, validation=1, seed=1).rule.startswith("quotas")
    legacy = choose_split(published, train=2, validation=1, seed=1, legacy=True)
    expected = quota_split(
        published.sources, published.labels, "AB", train=2, validation=1, seed=1, legacy=True
    )
    assert legacy == expected
    plain = choose_split(image_set([0, 1] * 10), seed=1)
    assert plain.rule == "stratified 0.7 / 0.1 / 0.2; seed 1"
    assert [len(names) for names in plain.parts.values()] == [14, 2, 4]


def test_choose_adds_a_validation_part_to_a_published_split_without():
    words = ("train",) * 40 + ("test",) * 10
    images = image_set([0, 1] * 25, published_split=words)
    split = choose_split(images, seed=1)
    assert (len(split.validation), len(split.test)) == (4, 10)
    split = choose_split(images, seed=1, card_validation_share=0.2)
    assert len(split.validation) == 8
    assert split.digest != choose_split(images, seed=2, card_validation_share=0.2).digest


def test_choose_keeps_one_source_out_of_train_and_validation():
    words = ("train",) * 40 + ("test",) * 10
    ra = np.repeat(np.arange(25) * 10.0, 2)  # every source twice
    images = image_set([0, 1] * 25, published_split=words, ra_deg=ra, dec_deg=np.zeros(50))
    split = choose_split(images, seed=1)
    place = dict(zip(images.sources, ra, strict=True))
    assert not {place[n] for n in split.train} & {place[n] for n in split.validation}
    assert "15 arcsec" in split.rule


def test_choose_says_when_positions_are_of_no_use():
    images = image_set([0, 1] * 10, ra_deg=np.full(20, 180.0), dec_deg=np.zeros(20))
    split = choose_split(images, seed=1)
    assert "positions not used: 20 sources lie at one place" in split.rule
    assert split.validation
    assert split.test
    unknown = image_set([0, 1] * 10, ra_deg=np.full(20, np.nan), dec_deg=np.full(20, np.nan))
    assert choose_split(unknown, seed=1).digest == split.digest


def test_choose_refuses_one_quota_alone():
    with pytest.raises(SettingsError, match="train 5, validation None; give both or neither"):
        choose_split(image_set([0, 1] * 10), train=5, seed=1)


def test_written_split_reads_back_and_an_edited_one_is_refused(tmp_path):
    split = quotas(toy(10, 10), train=4, validation=2, seed=1)
    path = write_split(tmp_path / "split.json", split)
    assert read_split(path, toy(10, 10).names) == split
    value = json.loads(path.read_text())
    value["train"].append(value["test"].pop())
    path.write_text(json.dumps(value))
    with pytest.raises(InputFileError) as caught:
        read_split(path)
    assert "names of train do not match their digest" in str(caught.value)
    assert "names of test do not match" in str(caught.value)
    write_split(path, split)
    path.write_text(path.read_text().replace(split.digest, "0" * 64))
    with pytest.raises(InputFileError, match="parts do not match the digest of the split"):
        read_split(path)


def test_split_of_other_data_is_refused(tmp_path):
    path = write_split(tmp_path / "split.json", quotas(toy(10, 10), train=4, validation=2, seed=1))
    with pytest.raises(InputFileError, match="names 10 sources that the data set does not hold"):
        read_split(path, toy(5, 5).names)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "not a split file of format 1"),
        ('{"format": 2}', "not a split file of format 1"),
        ('{"format": 1, "train": ["a"], "test": [3], "validation": []}', "test is missing or not"),
        ("{", "cannot read"),
    ],
)
def test_a_foreign_file_is_no_split(tmp_path, text, fault):
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(InputFileError, match=fault):
        read_split(path)
    with pytest.raises(MissingDataError, match="no split file"):
        read_split(tmp_path / "gone.json")


def test_groups_of_a_set_are_never_torn_apart():
    rng = np.random.default_rng(3)
    groups = tuple(f"obs{number}" for number in rng.integers(0, 40, 200))
    images = ImageSet(
        "grouped",
        ArrayPixels(rng.normal(size=(200, 2, 2, 1)).astype("float32"), "grouped"),
        rng.integers(0, 3, 200),
        ("a", "b", "c"),
        tuple(f"s{number:03d}" for number in range(200)),
        groups=groups,
    )
    split = choose_split(images, seed=7)
    part_of = {name: part for part, names in split.parts.items() for name in names}
    parts: dict[str, set[str]] = {}
    for name, group in zip(images.sources, groups, strict=True):
        parts.setdefault(group, set()).add(part_of[name])
    assert all(len(found) == 1 for found in parts.values())
    assert "40 groups" in split.rule
