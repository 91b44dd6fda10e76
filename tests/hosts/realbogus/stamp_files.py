"""Small stamps on disk with lists, for the tests of this folder."""

import numpy as np
from astropy.io import fits


def write_stamp(path, pixels, **header):
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu = fits.PrimaryHDU(np.asarray(pixels))
    for key, value in header.items():
        hdu.header[key.replace("_", "-")] = value
    hdu.writeto(path, overwrite=True)
    return path


def write_lists(folder, *, good=12, bad=40, objects=3, side=24):
    """``good.txt`` and ``bad.txt`` with stamps of noise; real ones have a bright centre."""
    draw = np.random.default_rng(7)
    lists = {}
    for word, count, first in (("good", good, 100), ("bad", bad, 200)):
        names = []
        for number in range(count):
            pixels = draw.normal(size=(side, side)).astype(np.float32)
            if word == "good":
                pixels[side // 2, side // 2] += 20
            name = f"{first + number // objects}_02a58362o0123c_{number}.fits"
            facts = {"OBS": "02a58362o0123c", "MAG": 16 + number / 10, "DMAG": 0.1}
            write_stamp(folder / word / name, pixels, KIND=f"{word}{number % 2}", **facts)
            names.append(name)
        lists[word] = folder / f"{word}.txt"
        lists[word].write_text("\n".join(names) + "\n")
    return lists["good"], lists["bad"]
