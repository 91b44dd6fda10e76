"""Radio transforms as recipes use them: declared levels, repeatable, within their limits."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data.augment import draw
from benchmarker.data.recipes import CLASS, OWN_TRANSFORMS, Recipe, load_recipe

RECIPES = ("affine", "affine-flips", "radio", "radio-beam", "radio-noise", "radio-ripples")


def recipe(name, **options):
    return Recipe("own", transforms=({CLASS: name, "p": 1.0, **options},))


def source(side=64, peak=0.8):
    """A point source and a fainter, extended one, clipped sky."""
    rows, columns = np.indices((side, side))
    image = peak * np.exp(-((rows - 30) ** 2 + (columns - 34) ** 2) / 3.2)
    image += 0.2 * np.exp(-((rows - 45) ** 2 + (columns - 20) ** 2) / 30)
    return np.where(image > 0.01, image, 0).astype(np.float32)[:, :, np.newaxis]


@pytest.mark.parametrize("name", [*RECIPES, "radio-shift"])
def test_shipped_recipes_are_finite_and_in_range(name):
    image = source()
    used = load_recipe(name)
    for index in range(12):
        made = draw(image, used, 1, 0, index)
        assert made.shape == image.shape
        assert made.dtype == np.float32
        assert np.isfinite(made).all()
        assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.parametrize("name", OWN_TRANSFORMS)
def test_draws_depend_on_seed_epoch_and_image_alone(name):
    image, used = source(), recipe(name)
    keys = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)]
    alone = [draw(image, used, *key).tobytes() for key in keys]
    assert len(set(alone)) == 4
    with ThreadPoolExecutor(4) as pool:
        mixed = list(pool.map(lambda key: draw(image, used, *key).tobytes(), keys[::-1] * 5))
    assert mixed == alone[::-1] * 5


@pytest.mark.parametrize("name", OWN_TRANSFORMS)
@pytest.mark.parametrize("shape", [(20, 31, 1), (8, 8, 1)])
def test_any_shape_and_an_empty_image(name, shape):
    made = draw(np.zeros(shape, np.float32), recipe(name), 1, 0, 0)
    assert made.shape == shape
    assert not made.any()  # levels are shares of the peak, which is 0


@pytest.mark.parametrize(
    ("keep", "measure"),
    [
        ("integrated", lambda image: image.sum(dtype=np.float64)),
        ("peak", np.max),
    ],
)
def test_beam_keeps_what_it_says(keep, measure):
    image = source()
    wider = recipe("BeamConvolution", major=[5, 6], minor=[4, 5], keep=keep)
    for index in range(5):
        made = draw(image, wider, 1, 0, index)
        assert measure(made) == pytest.approx(measure(image), rel=1e-3)
        assert np.count_nonzero(made > 0.02) > 1.1 * np.count_nonzero(image > 0.02)


def test_in_jy_per_beam_a_point_keeps_its_peak_and_an_extended_source_brightens():
    image = np.zeros((64, 64, 1), np.float32)
    rows, columns = np.indices((64, 64))
    image[:, :, 0] = np.exp(-4 * np.log(2) / 9 * ((rows - 20) ** 2 + (columns - 20) ** 2))
    image[34:58, 34:58] = 0.5
    wider = recipe("BeamConvolution", major=[6, 6], minor=[6, 6], keep="jy/beam")
    made = draw(image, wider, 1, 0, 0)
    assert made[20, 20, 0] == pytest.approx(1, rel=0.01)
    assert made[46, 46, 0] == pytest.approx(0.5 * 36 / 9, rel=0.01)
    limited = recipe("BeamConvolution", major=[6, 6], minor=[6, 6], keep="jy/beam", limits=[0, 1])
    assert np.array_equal(draw(image, limited, 1, 0, 0), np.clip(made, 0, 1))


@pytest.mark.parametrize(("unit", "scale"), [("peak", 0.8), ("absolute", 1.0)])
def test_noise_has_the_asked_rms(unit, scale):
    image = source()
    added = draw(image, recipe("CorrelatedNoise", rms=[0.05, 0.05], unit=unit), 1, 0, 0) - image
    measured = np.sqrt(np.mean(added.astype(np.float64) ** 2))
    assert measured == pytest.approx(0.05 * scale * (image.max() / 0.8), rel=1e-4)
    assert added.min() < 0
    neighbours = np.mean(added[1:] * added[:-1]) / measured**2
    assert neighbours == pytest.approx(2 ** (-4 / 9), abs=0.08)


def test_noise_is_drawn_over_the_whole_range_of_levels():
    image, used = source(), recipe("CorrelatedNoise", rms=[0.01, 0.03], unit="absolute")
    levels = [(draw(image, used, 1, 0, index) - image).std() for index in range(40)]
    assert 0.0095 < min(levels) < 0.013
    assert 0.027 < max(levels) < 0.0305


def test_noise_is_clipped_again_where_asked():
    image = source()
    noisy, clipped = (
        draw(
            image,
            recipe("CorrelatedNoise", rms=[0.05, 0.05], unit="absolute", clip_sigma=sigma),
            *(1, 0, 0),
        )
        for sigma in (None, 3)
    )
    assert np.array_equal(clipped, np.where(noisy > np.float32(0.15), noisy, 0))
    assert np.count_nonzero(clipped) < np.count_nonzero(image) < np.count_nonzero(noisy)


def test_ripples_have_the_declared_share_of_the_peak_and_both_signs():
    image = source()
    used = recipe("SidelobeRipples", amplitude=[0.1, 0.1], period=[5, 5])
    added = [draw(image, used, 1, 0, index) - image for index in range(20)]
    for ripple in added:
        assert np.abs(ripple).max() == pytest.approx(0.1 * image.max(), rel=1e-3)
        assert ripple[30, 34, 0] == pytest.approx(0, abs=1e-6)
        around = ripple[10:51, 14:55]
        np.testing.assert_allclose(around, around[::-1, ::-1], atol=1e-6)
    strongest = [ripple.ravel()[np.abs(ripple).argmax()] for ripple in added]
    assert 4 < sum(value > 0 for value in strongest) < 16


def test_ripples_of_several_sources_and_the_floor():
    image = source()
    one, two = (
        recipe("SidelobeRipples", amplitude=[0.1, 0.1], period=[4, 4], sources=count)
        for count in (1, 2)
    )
    second = draw(image, two, 1, 0, 0) - draw(image, one, 1, 0, 0)
    assert np.abs(second).max() == pytest.approx(0.02, rel=0.05)  # a tenth of the fainter one
    assert second[45, 20, 0] == pytest.approx(0, abs=1e-6)
    floored = recipe("SidelobeRipples", amplitude=[0.1, 0.1], period=[4, 4], floor=0.05)
    plain, cut = draw(image, one, 1, 0, 0), draw(image, floored, 1, 0, 0)
    assert np.array_equal(cut, np.where(plain > 0.05 * image.max(), plain, 0))


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (recipe("SkyAffine", scale=[0, 1]), "scale must be two numbers from 0.01"),
        (recipe("SkyAffine", shift=2), "shift must be two numbers, the smaller one first, got 2"),
        (recipe("SkyAffine", rotate_deg=[10, -10]), "rotate_deg must be two numbers"),
        (recipe("SkyAffine", levels=0), "levels must be a number from 1, got 0"),
        (recipe("SkyAffine", angle=3), "unexpected keyword argument 'angle'"),
        (recipe("BeamConvolution", major=[2, 4]), "major must be two numbers from 3"),
        (recipe("BeamConvolution", keep="flux"), "keep must be one of jy/beam, integrated, peak"),
        (recipe("BeamConvolution", beam=[3, 4, 0]), "beam must be three numbers .*got .3, 4, 0"),
        (recipe("CorrelatedNoise", rms=[-1, 1]), "rms must be two numbers from 0"),
        (recipe("CorrelatedNoise", unit="jy"), "unit must be one of peak, absolute, got 'jy'"),
        (recipe("CorrelatedNoise", clip_sigma="3"), "clip_sigma must be a number from 0"),
        (recipe("SidelobeRipples", period=[0, 5]), "period must be two numbers from 1"),
        (recipe("SidelobeRipples", sources=0), "sources must be a number from 1"),
        (recipe("SidelobeRipples", limits=[1, 0]), "limits must be two numbers"),
        (recipe("SidelobeRipples", p=2), "less than or equal to 1"),
    ],
)
def test_arguments_without_meaning_are_refused(transform, text):
    with pytest.raises(SettingsError, match=text):
        draw(source(), transform, 1, 0, 0)


def test_names_are_allowed_in_files_and_near_names_are_suggested(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("transforms:\n  - __class_fullname__: BeamConvolutoin\n")
    with pytest.raises(InputFileError, match="did you mean BeamConvolution"):
        load_recipe(path)
    path.write_text("transforms:\n  - __class_fullname__: CorrelatedNoise\n    p: 1.0\n")
    assert draw(source(), load_recipe(path), 1, 0, 0).std() > 0


def test_a_recipe_is_checked_before_the_first_image_is_drawn():
    from benchmarker.data.augment import check_transforms

    check_transforms(load_recipe("radio"))
    with pytest.raises(SettingsError, match="recipe own: albumentations refuses it: rms must be"):
        check_transforms(recipe("CorrelatedNoise", rms=[3]))
