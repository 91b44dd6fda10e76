"""Places of the tiles, and directions against astropy."""

import numpy as np
import pytest

from benchmarker.simulate.mwa.tiles import (
    LATITUDE_DEG,
    LONGITUDE_DEG,
    TABLE,
    Pointing,
    equatorial,
    local,
    tile_places,
)


def test_layout_is_the_surveyed_one():
    places = tile_places()
    assert places.shape == (128, 3)
    first, second = np.triu_indices(128, 1)
    lengths = np.linalg.norm(places[first] - places[second], axis=1)
    assert lengths.min() == pytest.approx(7.7, abs=0.05)
    assert np.median(lengths) == pytest.approx(622, abs=1)
    assert lengths.max() == pytest.approx(2873.5, abs=0.5)
    assert "mwalib" in TABLE.read_text()


def test_turns_are_rotations():
    vectors = np.random.default_rng(1).standard_normal((5, 3))
    pointing = Pointing(12.0, -40.0)
    assert np.allclose(local(equatorial(vectors)), vectors)
    assert np.allclose(pointing.to_local(pointing.from_local(vectors)), vectors)
    assert np.allclose(
        np.linalg.norm(pointing.from_local(vectors), axis=1), np.linalg.norm(vectors, axis=1)
    )


def test_the_zenith_is_where_it_should_be():
    up = np.array([0.0, 0.0, 1.0])
    assert np.allclose(Pointing(0.0, LATITUDE_DEG).from_local(up), [0, 0, 1])
    # the south celestial pole stands due south, as high as the latitude
    pole = Pointing(0.0, -90.0).to_local(up)
    assert pole[1] == pytest.approx(-np.cos(np.radians(LATITUDE_DEG)))
    assert pole[2] == pytest.approx(np.sin(np.radians(-LATITUDE_DEG)))


def test_directions_agree_with_astropy():
    from astropy import units
    from astropy.coordinates import EarthLocation, SkyCoord, SkyOffsetFrame

    place = EarthLocation(lon=LONGITUDE_DEG * units.deg, lat=LATITUDE_DEG * units.deg)
    assert place.lat.deg == pytest.approx(LATITUDE_DEG)
    pointing = Pointing(0.0, -26.0)
    lmn = pointing.of(np.array([-10.0]), np.array([-30.0]))[0]  # 10 deg east
    centre = SkyCoord(0 * units.deg, -26 * units.deg)
    offset = SkyCoord(10 * units.deg, -30 * units.deg).transform_to(SkyOffsetFrame(origin=centre))
    x, y, z = offset.cartesian.xyz.value
    assert np.allclose(lmn, [y, z, x])
