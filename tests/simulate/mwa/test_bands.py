"""Sub-bands, pixel scale and noise against the survey's table."""

import pytest

from benchmarker.simulate.mwa.bands import BANDS, SETTINGS, middle_band

NAMES = (
    "072-080 080-088 088-095 095-103 103-111 111-118 118-126 126-134 139-147 147-154 "
    "154-162 162-170 170-177 177-185 185-193 193-200 200-208 208-216 216-223 223-231"
)
TABLE = {  # setting: MHz, K, Jy, arcsec
    69: (88.3, 1196, 153500, 57.4),
    93: (119.0, 577, 74100, 42.6),
    121: (154.9, 316, 41900, 32.7),
    145: (185.6, 216, 34300, 27.3),
    169: (216.3, 162, 29900, 23.4),
}


def test_names_are_the_survey_s():
    assert [band.name for band in BANDS] == NAMES.split()


@pytest.mark.parametrize("setting", SETTINGS)
def test_noise_of_a_tile_and_pixel(setting):
    band = middle_band(setting)
    mhz, kelvin, sefd, arcsec = TABLE[setting]
    assert band.middle_mhz == pytest.approx(mhz, abs=0.05)
    assert band.system_temperature_k == pytest.approx(kelvin, rel=0.003)
    assert band.sefd_jy == pytest.approx(sefd, rel=0.003)
    assert band.pixel_deg * 3600 == pytest.approx(arcsec, abs=0.05)


def test_channels_fill_the_band():
    channels = BANDS[0].channels_mhz(8)
    assert channels.mean() == pytest.approx(BANDS[0].middle_mhz)
    assert channels[1] - channels[0] == pytest.approx(0.96)
