from dataclasses import replace

import numpy as np
import pytest

from benchmarker.hosts.attention.averages import Sums
from benchmarker.hosts.attention.explain import shown_words
from benchmarker.hosts.attention.figures import (
    Explained,
    array_cells,
    array_grids,
    epochs_grid,
    gates_grid,
    source_grid,
)
from benchmarker.hosts.attention.group_figures import (
    LEVELS,
    certainty_grid,
    classes_grid,
    confusion_grid,
)
from benchmarker.hosts.attention.maps import Maps
from benchmarker.hosts.attention.panels import Look, draw_grid

IMAGES = np.random.default_rng(1).random((2, 12, 12)).astype(np.float32)


def explained(network="agcnn", gates=2, method="attention", **settings):
    own = tuple(IMAGES[:, : 3 * gate, : 3 * gate] for gate in range(1, gates + 1))
    names = tuple(f"gate{gate}" for gate in range(1, gates + 1))
    resized = np.stack([IMAGES * gate for gate in range(1, gates + 1)], axis=1)
    scores = np.array([[1.0, 0.0], [0.0, 3.0]])
    return Explained(
        network=network,
        settings=settings,
        method=method,
        images=IMAGES,
        maps=Maps(names, own, resized, scores),
        sources=("first", "a_name_that_is_longer_than_24_letters"),
        truth=("FRI", ""),
        classes=("FRI", "FRII"),
    )


def texts(grid, what):
    return [[getattr(panel, what) if panel else None for panel in row] for row in grid.rows]


def test_a_source_has_its_verdict_and_every_gate():
    found = explained()
    grid = source_grid(found, 0)
    assert grid.title == "first\ntrue FRI, predicted FRI (0.73)"
    assert texts(grid, "title") == [["source", "mean attention", "gate1: 3 × 3", "gate2: 6 × 6"]]
    assert grid.rows[0][1].values == pytest.approx(found.maps.mean[0])
    assert grid.rows[0][1].over is not None
    assert source_grid(found, 1).title.endswith("\npredicted FRII (0.95)")
    one = source_grid(explained(gates=1, method="grad-cam"), 0)
    assert texts(one, "title") == [["source", "Grad-CAM of gate1 for FRI"]]


def test_grad_cam_says_which_class_it_speaks_for():
    found = explained(gates=1, method="grad-cam")
    assert texts(source_grid(found, 1), "title")[0][1] == "Grad-CAM of gate1 for FRII"
    asked = replace(found, of_class="FRI")
    assert texts(source_grid(asked, 1), "title")[0][1] == "Grad-CAM of gate1 for FRI"
    assert "Grad-CAM of gate1 for FRI of" in epochs_grid([1], [asked]).title
    assert "for the predicted class" in epochs_grid([1], [found]).title


def test_one_image_and_one_draw_are_counted_in_words():
    assert shown_words(1, "test", 1) == "1 test image, 1 random draw of each"
    assert shown_words(12, "train", 100) == "12 train images, 100 random draws of each"
    assert shown_words(2, "test", 0) == "2 test images"


def test_epochs_stand_side_by_side():
    grid = epochs_grid([1, 4, 9], [explained(), explained(), explained()])
    assert texts(grid, "title") == [["source", "epoch 1", "epoch 4", "epoch 9"], [""] * 4]
    assert [row[0].left for row in grid.rows] == ["FRI\nfirst", "a_name_that_is_longer_t…"]
    assert all(0 <= panel.values.min() <= panel.values.max() <= 1 for panel in grid.rows[1][1:])


def test_gates_are_rows_in_their_order():
    grid = gates_grid([explained(gates=3), explained(gates=1), explained(gates=2)])
    assert [row[0].left for row in grid.rows] == ["source", "1 gate", "2 gates", "3 gates"]
    alike = gates_grid([explained("other", gates=1), explained("agcnn", gates=1)])
    assert [row[0].left for row in alike.rows] == ["source", "other", "agcnn"]


def test_the_array_has_normalisations_and_aggregations():
    pairs = [("softmax", "ft"), ("range_norm", "ft"), ("softmax", "mean")]
    found = [explained(normalisation=row, aggregation=column) for row, column in pairs]
    layout = array_cells(found)
    assert layout.rows == ("range", "softmax")
    assert layout.columns == ("mean", "fine tuned")
    assert layout.numbers == {(1, 1): 0, (0, 1): 1, (1, 0): 2}
    grids = array_grids(found, 0)
    assert texts(grids["array"], "title") == [[None, "fine tuned"], ["", ""]]
    assert texts(grids["array"], "left") == [[None, ""], ["softmax", ""]]
    assert grids["array"].bars == "each"
    assert grids["array_tiled"].rows[1][0].values.max() == pytest.approx(1.0)
    assert grids["array_tiled"].tiled


@pytest.mark.parametrize(
    "others",
    [
        [explained(normalisation="softmax", aggregation="ft")] * 2,
        [explained("convXpress", gates=1, method="grad-cam")],
        [explained("plain")],
    ],
    ids=["the same twice", "no gates", "no such settings"],
)
def test_other_networks_stand_in_a_plain_grid(others):
    found = [explained(normalisation="softmax", aggregation="mean"), *others]
    assert array_cells(found) is None
    grid = array_grids(found, 0)["array"]
    assert [text for row in texts(grid, "title") for text in row if text] == [
        one.network for one in found
    ]


def sums_of(pairs):
    """One image for each (true, predicted)."""
    sources = [f"{100 + 100 * true}_{10:03d}.000+010.000_0.1_0010.00" for true, _ in pairs]
    sums = Sums(np.array([true for true, _ in pairs]), sources, ("gate1", "gate2"))
    for row, (_, predicted) in enumerate(pairs):
        scores = np.eye(2)[[predicted]]
        maps = Maps(("gate1", "gate2"), (), IMAGES[None, :1].repeat(2, axis=1) + row, scores)
        sums.add(np.array([row]), IMAGES[:1], maps)
    return sums


def test_groups_by_class_and_certainty():
    sums = sums_of([(0, 0), (0, 1), (1, 1)])
    grid = classes_grid(sums, ("FRI", "FRII", "absent"), "of a set")
    assert texts(grid, "title")[0] == ["mean image", "mean map", "gate1", "gate2"]
    assert [row[0].left for row in grid.rows] == ["FRI\n2 images", "FRII\n1 image"]
    assert grid.rows[0][1].levels == LEVELS
    assert grid.rows[0][1].over.max() == pytest.approx(1.0)
    rows = certainty_grid(sums, ("FRI", "FRII"), "").rows
    assert [row[0].left for row in rows] == [
        "FRI, certain\n2 images",
        "FRII, certain\n1 image",
    ]


def test_contours_of_groups_are_four_levels_from_a_thousandth_to_a_tenth():
    assert pytest.approx((0.001, 0.00464, 0.02154, 0.1), rel=1e-2) == LEVELS


def test_the_confusion_matrix_counts_and_shares_one_scale():
    grid = confusion_grid(sums_of([(0, 0), (0, 1), (1, 1)]), ("FRI", "FRII"), ("FRI", "FRII"), "")
    assert texts(grid, "below") == [
        ["1 image (50 %)", "1 image (50 %)"],
        ["0 images (0 %)", "1 image (100 %)"],
    ]
    assert texts(grid, "title")[0] == ["predicted FRI", "predicted FRII"]
    assert [row[0].left for row in grid.rows] == ["true FRI", "true FRII"]
    scales = {panel.limits for row in grid.rows for panel in row if not panel.is_source}
    assert len(scales) == 1
    assert draw_grid(grid, Look()).axes
