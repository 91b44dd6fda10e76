"""A science file is never damaged: all kinds of FITS files, updated again and again."""

import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError
from benchmarker.data.fits_headers import ones_complement_sum
from benchmarker.hosts.radiance.header_cards import Card
from benchmarker.hosts.radiance.headers import update_header
from tests.hosts.radiance.science_files import (
    CARDS,
    KINDS,
    data_bytes,
    make,
    plain,
    require_verified,
    sky,
    without_datasum,
)

NONE_LEFT = (0, 2**32 - 1)


def values_of(path, number=0):
    header = fits.getheader(path, number)
    return {card.keyword: header[card.keyword] for card in CARDS}


def image_number(path):
    with fits.open(path) as hdus:
        return next(n for n, hdu in enumerate(hdus) if hdu.is_image and hdu.header["NAXIS"] > 0)


def pixels(path):
    return fits.getdata(path, image_number(path))


@pytest.mark.parametrize("kind", KINDS)
def test_cards_are_set_and_data_stay_byte_for_byte(kind, tmp_path):
    path = make(kind, tmp_path)
    before, seen = data_bytes(path), pixels(path)
    for value in (0.25, 0.5, 1e-12):
        update_header(path, [*CARDS, Card("RFI", value)])
        assert data_bytes(path) == before
        assert fits.getval(path, "RFI", image_number(path)) == pytest.approx(value, abs=5e-9)
    np.testing.assert_array_equal(pixels(path), seen)
    require_verified(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", KINDS)
def test_other_cards_stay_in_their_order(kind, tmp_path):
    path = make(kind, tmp_path)
    changed = {"RFI", "CNNVER", "CNNCLASS", "CHECKSUM"}

    def others():
        with fits.open(path, disable_image_compression=True) as hdus:
            return [
                [str(card) for card in hdu.header.cards if card.keyword not in changed]
                for hdu in hdus
            ]

    before = others()
    update_header(path, CARDS)
    assert others() == before


def test_a_hundred_updates_in_a_row(tmp_path):
    paths = [make(kind, tmp_path) for kind in ("scaled", "compressed_scaled", "plain")]
    before = [data_bytes(path) for path in paths]
    sizes = []
    for number in range(100):
        for path, data in zip(paths, before, strict=True):
            update_header(path, [*CARDS, Card("RFI", number / 100)])
            assert data_bytes(path) == data
        sizes.append([path.stat().st_size for path in paths])
    assert sizes == [sizes[0]] * 100
    for path in paths:
        assert values_of(path, image_number(path))["RFI"] == 0.99
        require_verified(path)


@pytest.mark.parametrize("fillers", range(20, 68))
def test_a_full_header_grows_by_whole_blocks(fillers, tmp_path):
    path = tmp_path / "a.fits"
    hdu = fits.PrimaryHDU(sky())
    for number in range(fillers):
        hdu.header[f"KEY{number}"] = number
    hdu.writeto(path, checksum=True)
    before, size, cards = data_bytes(path), path.stat().st_size, len(fits.getheader(path))
    update_header(path, CARDS)
    assert data_bytes(path) == before
    assert len(fits.getheader(path)) == cards + len(CARDS)
    grown = -(-(cards + len(CARDS) + 1) // 36) - -(-(cards + 1) // 36)
    assert path.stat().st_size == size + 2880 * grown
    assert values_of(path)["CNNCLASS"] == "good"


def test_an_image_in_an_extension_has_them_there_and_in_front(tmp_path):
    path = make("extension", tmp_path)
    update_header(path, CARDS)
    for number in (0, 2):
        assert values_of(path, number) == {"CNNVER": 1.0, "RFI": 0.25, "CNNCLASS": "good"}
    assert "RFI" not in fits.getheader(path, 1)
    assert "RFI" not in fits.getheader(path, 3)
    update_header(path, [Card("SIS", 0.1)], also_primary=False)
    assert "SIS" not in fits.getheader(path, 0)
    assert fits.getval(path, "SIS", 2) == 0.1
    update_header(path, [Card("GOOD", 0.2)], extension="ERR", also_primary=False)
    assert [n for n in range(4) if "GOOD" in fits.getheader(path, n)] == [3]
    require_verified(path)


def test_a_repeated_keyword_says_the_same_everywhere(tmp_path):
    path = make("crowded", tmp_path)
    update_header(path, CARDS)
    header = fits.getheader(path)
    assert [header["RFI", 0], header["RFI", 1]] == [0.25, 0.25]
    assert header["PIPELINE"] == ("wsclean " * 40).rstrip()
    assert header["HIERARCH CNN RFI VALUE"] == 0.75


def test_a_checksum_without_datasum_stays_right(tmp_path):
    path = tmp_path / "a.fits"
    without_datasum(path)
    assert ones_complement_sum(path.read_bytes()) in NONE_LEFT
    for number in range(3):
        update_header(path, [*CARDS, Card("RFI", number / 8)])
        assert ones_complement_sum(path.read_bytes()) in NONE_LEFT
    require_verified(path)
    raw = bytearray(path.read_bytes())
    raw[-2000] ^= 4  # a damaged pixel is not declared sound
    path.write_bytes(raw)
    update_header(path, CARDS)
    assert ones_complement_sum(path.read_bytes()) not in NONE_LEFT


def test_a_header_without_checksum_gets_none(tmp_path):
    path = tmp_path / "a.fits"
    plain(path, checksum=False)
    update_header(path, CARDS)
    assert "CHECKSUM" not in fits.getheader(path)


def test_the_same_cards_again_write_nothing(tmp_path):
    path = make("extension", tmp_path)
    update_header(path, CARDS)
    before = path.stat()
    update_header(path, CARDS)
    update_header(path, [])
    assert path.stat() == before


@pytest.mark.parametrize("length", [1, 100, 2880 - 4920 % 2880])
def test_a_file_without_its_last_filling_keeps_its_length(length, tmp_path):
    path = make("plain", tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - length])
    update_header(path, CARDS)
    assert path.stat().st_size == len(raw) - length
    assert path.read_bytes()[2880:] == raw[2880 : len(raw) - length]


def test_what_follows_the_image_is_kept_whatever_it_is(tmp_path):
    path = make("plain", tmp_path)
    path.write_bytes(path.read_bytes() + b"no fits at all")
    update_header(path, CARDS)
    assert path.read_bytes().endswith(b"\0no fits at all")


def test_tools_of_the_shell_read_the_number(tmp_path):
    if shutil.which("bc") is None:
        pytest.skip("bc is not installed")
    path = make("plain", tmp_path)
    command = (
        "rfi=$(head -c 28800 \"$1\" | fold -w 80 | awk '/^RFI     =/ {print $3; exit}'); "
        'echo "$rfi $(echo "$rfi > 0.5" | bc)"'
    )
    for value, said in ((0.7512345678, "0.75123457 1\n"), (1.2e-9, "0.00000000 0\n")):
        update_header(path, [Card("RFI", value)])
        done = subprocess.run(
            ["bash", "-c", command, "-", str(path)], capture_output=True, text=True, check=True
        )
        assert done.stdout == said


def groups(path):
    header = [
        *("SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 0", "NAXIS2  = 3"),
        *("GROUPS  =                    T / groups", "PCOUNT  = 1", "GCOUNT  = 2", "END"),
    ]
    head = "".join(
        f"{c[:10]}{c[10:].strip():>20}".ljust(80) if "=" in c else f"{c:<80}" for c in header
    )
    path.write_bytes(head.ljust(2880).encode() + bytes(2880))


def cut(path):
    plain(path)
    path.write_bytes(path.read_bytes()[:-5000])


def no_end(path):
    plain(path)
    path.write_bytes(path.read_bytes()[:2880].replace(b"END     ", b"ENDE    "))


def gzipped(path):
    import gzip

    plain(path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def table_only(path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(5))])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (groups, "random groups"),
        (cut, "cut off in the data of HDU 0"),
        (no_end, "expected an END card"),
        (gzipped, r"compressed as a whole \(gzip\)"),
        (table_only, "expected an image, found HDUs: 0 \\(no image\\); 1 \\(no image\\)"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.write_text("hello"), "expected 'SIMPLE  ='"),
        (lambda _: None, "no such file"),
        (lambda path: path.mkdir(), "no regular file"),
    ],
)
def test_what_is_no_whole_image_is_refused_and_left_alone(build, text, tmp_path):
    path = tmp_path / "a.fits"
    build(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputFileError, match=text) as caught:
        update_header(path, CARDS)
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert {entry.name for entry in tmp_path.iterdir()} <= {"a.fits"}
