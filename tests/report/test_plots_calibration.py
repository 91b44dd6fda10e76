import matplotlib.image
import numpy as np
import pytest

from benchmarker.core.record_tables import Predictions
from benchmarker.core.records import read_record
from benchmarker.metrics.calibration import tempered
from benchmarker.report.plots_calibration import reliability, selection
from tests.report.factory import CLASSES, make_run

UNDEFINED = {"value": None, "reason": "there is no validation image"}


def pixels_like(path, colour):
    """Number of pixels of a colour, given as red, green and blue from 0 to 255."""
    pixels = matplotlib.image.imread(path)[..., :3]
    return int((np.abs(pixels - np.array(colour) / 255).max(axis=-1) < 0.02).sum())


BLUE, RED, GREEN, PURPLE = (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)


@pytest.fixture
def record(tmp_path):
    return read_record(make_run(tmp_path, validated=True, skill=1.5))


def test_a_temperature_adds_a_second_series(record, tmp_path):
    found, fitted = record.predictions("best"), record.metrics["best"]["temperature"]
    alone = reliability(found, tmp_path / "alone.png")
    both = reliability(found, tmp_path / "both.png", temperature=fitted)
    none = reliability(found, tmp_path / "none.png", temperature=UNDEFINED)
    assert pixels_like(alone, RED) == pixels_like(none, RED) == 0
    assert pixels_like(both, RED) > 300
    assert pixels_like(alone, BLUE) > 300
    assert none.read_bytes() != alone.read_bytes()  # the reason stands below


def test_only_what_is_confident_and_right_lies_at_the_top(tmp_path):
    labels = np.arange(40) % 2
    shares = np.where(np.eye(2)[labels] == 1, 0.99, 0.01)
    names = tuple(map(str, labels))
    right = reliability(Predictions(names, labels, shares), tmp_path / "right.png")
    wrong = reliability(Predictions(names, 1 - labels, shares), tmp_path / "wrong.png")

    def mean_row(path):
        image = matplotlib.image.imread(path)[..., :3]
        blue = np.abs(image - np.array(BLUE) / 255).max(axis=-1) < 0.02
        rows = np.flatnonzero(blue[:, -60:].any(axis=1))
        return rows.min() / len(image)

    assert mean_row(right) < 0.25 < mean_row(wrong)


def test_every_class_has_its_line(record, tmp_path):
    path = selection(record.predictions("best"), CLASSES, tmp_path / "s.png")
    for colour in (BLUE, RED, GREEN):
        assert pixels_like(path, colour) > 300
    assert pixels_like(path, PURPLE) == 0


def test_odd_names_absent_classes_and_nothing_right_are_drawn(tmp_path):
    names = ("$x_1$ of $y", "two\nlines 漢字", "absent")
    scores = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    found = Predictions(("a", "b"), np.array([1, 0]), tempered(scores, 1), scores)
    assert selection(found, names, tmp_path / "s.png").stat().st_size > 5000
    assert reliability(found, tmp_path / "r.png").stat().st_size > 5000


def test_no_image_at_all_is_drawn_as_empty_axes(tmp_path):
    found = Predictions((), np.empty(0, int), np.empty((0, 2)))
    assert reliability(found, tmp_path / "r.png").is_file()
    assert selection(found, ("a", "b"), tmp_path / "s.png").is_file()


def test_the_same_predictions_give_the_same_picture(record, tmp_path):
    found = record.predictions("best")
    for draw in (lambda p: reliability(found, p), lambda p: selection(found, CLASSES, p)):
        first = draw(tmp_path / "a.png").read_bytes()
        assert draw(tmp_path / "b.png").read_bytes() == first
