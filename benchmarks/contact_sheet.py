"""Draw simulated sources beside real FIRST images, and the README's picture.

    python benchmarks/contact_sheet.py --real first_griese2022.npz --output docs/images

Both kinds are prepared alike: values below three times the noise are set to zero, the
rest is scaled to 0..1 (the real images were released that way, in 256 levels), and shown
with a square-root stretch. Writes ``simulated.png``, and with ``--real`` also
``simulated-beside-first.png``, and prints the measured sizes of both side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarker.simulate.populations import CLASSES
from benchmarker.simulate.radio_galaxies import simulate_images

REAL_NAMES = {"COMP": "Compact", "FRI": "FRI", "FRII": "FRII", "BENT": "Bent"}
SHEET_PX = 110  # 198 arcsec
NEAR_PX = 35
TITLES = {"COMP": "compact", "FRI": "FR I", "FRII": "FR II", "BENT": "bent"}


def main() -> None:
    """Draw what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, help="first_griese2022.npz")
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--seed", type=int, default=8901)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    small = simulated(8, seed=options.seed, size=64)
    draw({f"{TITLES[name]}": small[name] for name in CLASSES}, options.output / "simulated.png")
    if options.real:
        beside(options)


def beside(options: argparse.Namespace) -> None:
    """Rows of simulated and real images in turn, and the table of their sizes."""
    ours = simulated(60, seed=options.seed, size=SHEET_PX)
    theirs = real(options.real, SHEET_PX)
    rows = {}
    for name in CLASSES:
        rows[f"{TITLES[name]}\nsimulated"] = ours[name][: options.columns]
        rows[f"{TITLES[name]}\nFIRST"] = chosen(theirs[name], options.columns)
    draw(rows, options.output / "simulated-beside-first.png")
    print("class  kind       largest extent above the clip in arcsec (16, 50, 84 %)   lit share")
    for name in CLASSES:
        for kind, images in (("simulated", ours[name]), ("FIRST", theirs[name])):
            low, half, high = np.percentile([extent(image) for image in images], [16, 50, 84])
            lit = np.median([(image > 0).mean() for image in images])
            print(f"{name:6} {kind:10} {low:6.0f} {half:6.0f} {high:6.0f} {lit:44.4f}")


def simulated(count: int, *, seed: int, size: int) -> dict[str, list[np.ndarray]]:
    """Prepared simulated images (size, size) per class."""
    images = simulate_images(count, size=size, seed=seed)
    rows = {name: np.flatnonzero(images.labels == k) for k, name in enumerate(CLASSES)}
    return {name: [prepared(images.pixels.read(row)) for row in rows[name]] for name in CLASSES}


def real(path: Path, size: int) -> dict[str, list[np.ndarray]]:
    """Real images in 0..1, the middle `size` pixels, per class."""
    with np.load(path, allow_pickle=False) as archive:
        images, labels, names = (archive[key] for key in ("images", "labels", "label_names"))
    edge = (images.shape[1] - size) // 2
    cut = images[:, edge : edge + size, edge : edge + size]
    wanted = {name: labels == list(names).index(REAL_NAMES[name]) for name in CLASSES}
    return {name: [image / 255.0 for image in cut[wanted[name]]] for name in CLASSES}


def chosen(images: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """A sample drawn once and for all, not a selection of handsome ones."""
    rows = np.random.default_rng(1995).choice(len(images), count, replace=False)
    return [images[row] for row in rows]


def prepared(image: np.ndarray) -> np.ndarray:
    """Clip at three times the robust noise, scale to 0..1, keep 256 levels."""
    plane = image[:, :, 0]
    noise = 1.4826 * np.median(np.abs(plane - np.median(plane)))
    kept = np.where(plane > 3.0 * noise, plane, 0.0)
    return np.floor(255.0 * kept / max(kept.max(), 1e-30)) / 255.0


def extent(image: np.ndarray) -> float:
    """Largest distance in arcsec between pixels near the centre and above 5 % of the peak."""
    row, column = np.nonzero(image > 0.05 * image.max())
    middle = (image.shape[0] - 1) / 2.0
    near = np.hypot(row - middle, column - middle) < NEAR_PX
    points = np.column_stack([row[near], column[near]])
    apart = np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=-1)
    return 1.8 * float(apart.max(initial=0.0))


def draw(rows: dict[str, Sequence[np.ndarray]], path: Path) -> None:
    """Write a labelled sheet, one row per entry."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = max(len(images) for images in rows.values())
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(columns + 0.7, len(rows)), squeeze=False
    )
    for line, (title, images) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(title, fontsize=8, rotation=0, ha="right", va="center")
        for axis, image in zip(line, images, strict=True):
            axis.imshow(np.sqrt(image), origin="lower", cmap="inferno", vmin=0.0, vmax=1.0)
            axis.set_xticks([])
            axis.set_yticks([])
    figure.subplots_adjust(
        left=0.7 / (columns + 0.7), right=1, bottom=0, top=1, wspace=0.03, hspace=0.03
    )
    figure.savefig(path, dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()
