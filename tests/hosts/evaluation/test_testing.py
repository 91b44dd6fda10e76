"""A network on its own split and on another set."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.data.opening import open_data
from benchmarker.hosts.evaluation.grid import accuracy_interval, grid
from benchmarker.hosts.evaluation.tested import TrainingSet, Wanted
from benchmarker.hosts.evaluation.testing import evaluate_on
from benchmarker.hosts.evaluation.training_sets import training_set
from benchmarker.hosts.evaluation.wrong_sources import WrongSource, wrong_sources
from benchmarker.metrics.intervals import wilson


@pytest.fixture(scope="module")
def own_test(run_folder):
    from benchmarker.runs.trained import open_trained

    trained = open_trained(run_folder)
    return evaluate_on(trained, training_set(trained), None, Wanted(passes=3))


@pytest.fixture(scope="module")
def other_test(run_folder, place):
    from benchmarker.runs.trained import open_trained

    trained = open_trained(run_folder)
    other = open_data(place / "other.npz")
    return evaluate_on(trained, training_set(trained), other, Wanted(passes=2))


def test_the_own_test_is_that_of_the_record(own_test, trained):
    recorded = trained.record.predictions("best")
    assert own_test.sources == recorded.sources
    np.testing.assert_allclose(own_test.scores, recorded.scores, rtol=1e-4, atol=1e-6)
    assert own_test.metrics["plain"]["accuracy"] == trained.record.metrics["best"]["accuracy"]
    assert own_test.notes == ()


def test_the_own_passes_are_those_of_the_record(own_test, trained):
    recorded = trained.record.all_scores("augmented", "best")
    np.testing.assert_allclose(own_test.passes, recorded, rtol=1e-3, atol=1e-5)
    said = trained.record.metrics["best"]["augmented"]
    assert own_test.metrics["augmented"]["wrong_rate"] == said["wrong_rate"]
    assert own_test.metrics["augmented"]["recipe"] == "affine"


def test_the_own_set_by_path_is_the_own_split(trained, place, own_test):
    images = open_data(place / "toy.npz")
    found = evaluate_on(trained, training_set(trained), images, Wanted())
    assert found.chosen.own
    assert found.sources == own_test.sources
    assert found.passes is None
    assert wrong_sources(found) is None


def test_sources_that_trained_the_network_are_left_out_of_another_set(other_test, place):
    shared, known = other_test.chosen.shared, open_data(place / "toy.npz")
    seen = [f"other{28 + row:03d}" for row in range(12) if known.published_split[row] != "test"]
    assert list(shared.by_pixels) == seen
    assert len(seen) >= 10
    assert set(other_test.sources).isdisjoint(seen)
    assert len(other_test.sources) == 40 - len(seen)
    assert not other_test.chosen.own


def test_what_cannot_be_checked_is_marked(trained, place):
    unknown = TrainingSet("toy", reason="the disk is away")
    found = evaluate_on(trained, unknown, open_data(place / "other.npz"), Wanted())
    assert found.chosen.unchecked == "nothing could be left out: the disk is away"
    assert len(found.sources) == 40
    (row,) = grid([found])
    assert row.left_out_text == "unchecked"
    assert "unchecked" in row.notes[0]


def test_a_set_of_trained_sources_alone_is_refused(trained, place):
    own = training_set(trained)
    rows = [row for row, name in enumerate(own.images.sources) if name in own.seen][:8]
    seen = replace(own.images.take(rows, name="seen"), published_split=None)
    with pytest.raises(SettingsError, match="all 8 test sources of seen trained"):
        evaluate_on(trained, own, seen, Wanted())


def test_classes_are_matched_by_name(trained, place):
    images = open_data(place / "other.npz")
    order = [2, 0, 3, 1]  # new label -> old label
    classes = tuple(images.classes[old] for old in order)
    labels = np.argsort(order)[images.labels]
    turned = replace(images, classes=classes, labels=labels, name="turned")
    plain = evaluate_on(trained, training_set(trained), images, Wanted())
    found = evaluate_on(trained, training_set(trained), turned, Wanted())
    assert found.metrics["plain"]["confusion_matrix"] == plain.metrics["plain"]["confusion_matrix"]


def test_a_recipe_without_draws_is_refused(trained):
    with pytest.raises(SettingsError, match="recipe d4 draws nothing at random"):
        evaluate_on(trained, training_set(trained), None, Wanted(passes=2, recipe="d4"))


def test_dropout_passes_give_mean_and_sample_deviation(trained):
    found = evaluate_on(trained, training_set(trained), None, Wanted(dropout_passes=4))
    single = [(one.argmax(axis=1) == found.labels).mean() for one in found.dropout]
    spread = found.metrics["dropout"]["over_passes"]["accuracy"]
    assert spread["mean"] == pytest.approx(np.mean(single))
    assert spread["sd"] == pytest.approx(np.std(single, ddof=1))


def test_rows_of_the_grid_average_over_runs(own_test, other_test):
    better = replace(own_test, scores=np.eye(4)[own_test.labels], metrics=own_test.metrics)
    rows = grid([own_test, better, other_test])
    assert [(row.tested_on, row.runs) for row in rows] == [("toy", 2), ("other", 1)]
    assert rows[0].heading == "mcrgnet trained on toy, 2 runs"
    assert rows[0].accuracy.sd == 0.0
    assert rows[0].left_out_text == ""
    assert rows[1].left_out_text == f"{len(other_test.chosen.shared.names)} left out"


def test_the_interval_is_over_sources_and_not_over_runs(own_test):
    count = len(own_test.labels)
    right = np.arange(count) // 4 % 2 == 0  # in each class some are right
    scores = np.where(right[:, None], 1.0, -1.0) * np.eye(4)[own_test.labels]
    half = replace(own_test, scores=scores)
    low, high = accuracy_interval([half] * 50)
    expected = wilson(right.sum(), count)
    assert low == pytest.approx(expected[0], abs=0.12)
    assert high == pytest.approx(expected[1], abs=0.12)
    other = replace(half, prepared=replace(half.prepared, sources=tuple("x" * count)))
    assert accuracy_interval([half, other]) is None


def test_wrong_sources_know_position_redshift_and_size(own_test):
    count = len(own_test.labels)
    names = ["100_117.079+045.746_0.1850_0228.03", *(f"n{row}" for row in range(count - 1))]
    images = replace(
        own_test.chosen.images.take(range(count)),
        sources=tuple(names),
        ra_deg=np.where(np.arange(count) == 0, 117.079, np.nan),
        dec_deg=np.where(np.arange(count) == 0, 45.746, np.nan),
    )
    passes = np.repeat(np.eye(4)[own_test.labels][np.newaxis], 20, axis=0)
    passes[:, 0] = np.eye(4)[(own_test.labels[0] + 1) % 4]  # always wrong
    passes[0, 0] = np.eye(4)[own_test.labels[0]]  # but once: 95 %
    passes[:2, 1] *= -1.0
    tested = replace(
        own_test,
        passes=passes,
        chosen=replace(own_test.chosen, images=images, names=tuple(names)),
        prepared=replace(own_test.prepared, sources=tuple(names)),
    )
    (found,) = wrong_sources(tested)
    classes = own_test.trained.classes
    assert found == WrongSource(
        row=0,
        source=names[0],
        label=classes[own_test.labels[0]],
        predicted=classes[(own_test.labels[0] + 1) % 4],
        rate=0.95,
        ra_deg=117.079,
        dec_deg=45.746,
        redshift=0.185,
        size_arcsec=228.03,
    )
    assert found.facts() == "117.079 +45.746, z 0.1850, 228.0 arcsec"
