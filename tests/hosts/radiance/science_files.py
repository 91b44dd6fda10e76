"""FITS files of all kinds that a header update may meet, and how to see that they are sound."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.data.fits_headers import ones_complement_sum
from benchmarker.hosts.radiance.checksums import encode
from benchmarker.hosts.radiance.header_cards import Card

CARDS = (
    Card("CNNVER", 1.0, "version", decimals=1),
    Card("RFI", 0.25, "probability"),
    Card("CNNCLASS", "good", "most probable class"),
)


def sky(height=30, width=41, seed=1):
    """float32 noise, with a NaN."""
    values = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    values[3, 4] = np.nan
    return values


def plain(path, *, checksum=True):
    fits.PrimaryHDU(sky()).writeto(path, checksum=checksum)


def four_axes(path):
    fits.PrimaryHDU(sky()[np.newaxis, np.newaxis]).writeto(path, checksum=True)


def scaled(path):
    hdu = fits.PrimaryHDU(np.nan_to_num(sky()))
    hdu.scale("int16", bscale=1e-4, bzero=0.3)
    hdu.header["BLANK"] = -32768
    hdu.writeto(path, checksum=True)


def unsigned(path):
    values = np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50
    fits.PrimaryHDU(values).writeto(path, checksum=True)


def compressed(path):
    hdu = fits.CompImageHDU(sky(64, 64), compression_type="RICE_1", quantize_level=16)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, checksum=True)


def compressed_scaled(path):
    """Whole numbers with a scale, tile-compressed: what a library damages by rewriting."""
    values = np.arange(64 * 64, dtype=np.int16).reshape(64, 64)
    hdu = fits.CompImageHDU(values, compression_type="RICE_1")
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    raw = path.read_bytes()
    end = raw.index(b"END" + b" " * 77, raw.index(b"ZCMPTYPE"))
    text = b"".join(
        f"{key:<8}= {value:>20}".ljust(80).encode()
        for key, value in (("BSCALE", "2.0"), ("BZERO", "0.0"))
    )
    room = raw[end + 80 : end + 80 + len(text)]
    if room.strip():
        pytest.fail("the header of the example has no room left")
    path.write_bytes(raw[:end] + text + raw[end : end + 80] + raw[end + 80 + len(text) :])


def extension(path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(5))])
    image = fits.ImageHDU(sky(), name="SCI")
    other = fits.ImageHDU(sky(seed=2), name="ERR")
    fits.HDUList([fits.PrimaryHDU(), table, image, other]).writeto(path, checksum=True)


def before_a_table(path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(500))])
    fits.HDUList([fits.PrimaryHDU(sky()), table]).writeto(path, checksum=True)


def crowded(path):
    """Long texts, HIERARCH, comments, history, a keyword that stands there twice."""
    hdu = fits.PrimaryHDU(sky())
    header = hdu.header
    header["LONGSTRN"] = "OGIP 1.0"
    header["PIPELINE"] = ("wsclean " * 40, "how it was made")
    header["HIERARCH ESO DET GAIN"] = 3.5
    header["HIERARCH CNN RFI VALUE"] = 0.75
    for number in range(40):
        header["HISTORY"] = f"step {number} RFI     = 0.5"
        header["COMMENT"] = "END"
    header.append(fits.Card("RFI", 0.9, "first"), end=True)
    header.append(fits.Card("RFI", 0.8, "again"), end=True)
    hdu.writeto(path, checksum=True)


def without_datasum(path):
    """CHECKSUM alone, which astropy does not verify; the sum over all is made good by hand."""
    plain(path)
    raw = path.read_bytes()
    place = raw.index(b"DATASUM =")
    raw = raw[:place] + b" " * 80 + raw[place + 80 :]
    value = raw.index(b"CHECKSUM= '") + 11
    raw = raw[:value] + b"0" * 16 + raw[value + 16 :]
    text = encode(ones_complement_sum(raw)).encode()
    path.write_bytes(raw[:value] + text + raw[value + 16 :])


KINDS = {
    make.__name__: make
    for make in (
        *(plain, four_axes, scaled, unsigned, compressed, compressed_scaled, extension),
        *(before_a_table, crowded),
    )
}


def make(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.fits"
    KINDS[kind](path)
    return path


def data_bytes(path) -> list[bytes]:
    """The stored bytes of all data units, as another program sees them; checksums are checked."""
    raw = Path(path).read_bytes()
    with fits.open(
        path, checksum=True, do_not_scale_image_data=True, disable_image_compression=True
    ) as hdus:
        hdus.verify("exception")
        spans = [hdu.fileinfo() for hdu in hdus]
    return [raw[span["datLoc"] : span["datLoc"] + span["datSpan"]] for span in spans]


def require_verified(path) -> None:
    """fitsverify finds no error, and no wrong checksum; nothing where it is not installed."""
    if shutil.which("fitsverify") is None:
        return
    done = subprocess.run(["fitsverify", str(path)], capture_output=True, text=True, check=False)
    said = [line for line in done.stdout.splitlines() if line.startswith("*** ")]
    wrong = [line for line in said if "Error:" in line or "checksum" in line.lower()]
    assert wrong == [], done.stdout
