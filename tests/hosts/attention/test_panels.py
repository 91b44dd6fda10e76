import numpy as np
import pytest

from benchmarker.hosts.attention.panels import (
    Grid,
    Look,
    Panel,
    draw_grid,
    map_panel,
    source_panel,
    write_grid,
)

BLOB = np.exp(-np.hypot(*np.mgrid[-1:1:20j, -1:1:20j]) * 5).astype(np.float32)


def images_of(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_row_zero_lies_below_unless_told_otherwise():
    for origin in ("lower", "upper"):
        figure = draw_grid(Grid([[map_panel(BLOB, BLOB)]]), Look(origin=origin))
        assert images_of(figure)[0].origin == origin
        top, bottom = figure.axes[0].get_ylim()[1], figure.axes[0].get_ylim()[0]
        assert (top > bottom) == (origin == "lower")


def test_flat_pictures_are_drawn_without_a_warning(tmp_path):
    flat = np.zeros((9, 9), np.float32)
    grid = Grid([[source_panel(flat), map_panel(flat, flat), map_panel(flat + 3, flat)]])
    figure = draw_grid(grid, Look(pixel_arcsec=1.8))
    assert [image.get_clim() for image in images_of(figure)] == [(0, 1), (0, 1), (0, 3)]
    assert write_grid(grid, tmp_path / "flat", Look())[0].stat().st_size > 1000


def test_contours_are_those_of_the_source():
    figure = draw_grid(Grid([[map_panel(BLOB, BLOB)]]), Look())
    found = figure.axes[0].collections[0]
    assert found.levels == pytest.approx(BLOB.max() * np.array([0.05, 0.15, 0.45]))


@pytest.mark.parametrize(("scale", "text"), [(1.8, "10″"), (30.0, "3′"), (None, None)])
def test_the_scale_bar_is_a_round_number(scale, text):
    figure = draw_grid(Grid([[source_panel(BLOB)]]), Look(pixel_arcsec=scale))
    texts = [one.get_text() for one in figure.axes[0].texts]
    if text is None:
        assert texts == []
        return
    assert len(texts) == 1
    length = figure.axes[0].lines[0].get_xdata()
    arcsec = (length[1] - length[0]) * 20 * scale
    shown = float(texts[0][:-1]) * (60 if texts[0].endswith("′") else 1)
    assert arcsec == pytest.approx(shown)
    assert arcsec <= 20 * scale / 3


def test_one_bar_or_one_each_or_none():
    row = [source_panel(BLOB), map_panel(BLOB), map_panel(BLOB)]
    bars = {
        kind: len(draw_grid(Grid([row], bars=kind), Look()).axes) - 3
        for kind in ("each", "one", "none")
    }
    assert bars == {"each": 2, "one": 1, "none": 0}


def test_an_empty_place_stays_empty():
    figure = draw_grid(Grid([[map_panel(BLOB), None]], bars="none", tiled=True), Look())
    assert [axes.axison for axes in figure.axes] == [True, False]


def test_names_are_no_formulae_and_every_format_is_written(tmp_path):
    panel = Panel(BLOB, title="a_$x$", left="$y", below="$z$")
    paths = write_grid(
        Grid([[panel]], title="1.5$ of_\n$3"), tmp_path / "a.b", Look(formats=("png", "pdf"))
    )
    assert [path.name for path in paths] == ["a.b.png", "a.b.pdf"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_bytes().startswith(b"%PDF")
    again = write_grid(Grid([[panel]]), tmp_path / "c", Look())[0].read_bytes()
    assert again == write_grid(Grid([[panel]]), tmp_path / "d", Look())[0].read_bytes()
