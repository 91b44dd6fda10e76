"""Draw simulated MWA snapshots class by class, and measure how fast they are made.

    python benchmarks/simulate_mwa.py --output docs/images
    python benchmarks/simulate_mwa.py --speed

The sheet has one row per class and one column per strength, weak to strong, with every
setting and every kind of interference in it; grey runs from -4 to 10 times the thermal
noise, and further where artefacts are stronger. Speed is processor time of one core, over
whole observations, what they share included.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarker.simulate.mwa.bands import SETTINGS, SIDELOBE_SETTINGS
from benchmarker.simulate.mwa.interference import KINDS
from benchmarker.simulate.mwa.plan import CLASSES, Shot, SnapshotSettings, plan
from benchmarker.simulate.mwa.snapshots import render

STRENGTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
SHEET_PX = 256


def main() -> None:
    """Draw what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    parser.add_argument("--seed", type=int, default=8901)
    parser.add_argument("--size", type=int, default=SHEET_PX)
    parser.add_argument("--speed", action="store_true", help="measure, draw nothing")
    options = parser.parse_args()
    if options.speed:
        for size in (256, 512):
            measure(size, options.seed)
        return
    options.output.mkdir(parents=True, exist_ok=True)
    settings = SnapshotSettings(size=options.size, seed=options.seed)
    draw(cells(settings), options.output / "simulated-mwa-snapshots.png")


def measure(size: int, seed: int, count: int = 40) -> None:
    """Print processor seconds per image."""
    settings = SnapshotSettings(size=size, seed=seed)
    shots = plan(count, settings)
    render(shots[0], settings)
    started = time.process_time()
    for shot in shots:
        render(shot, settings)
    each = (time.process_time() - started) / count
    print(f"{size} px: {each:.3f} s of one core per image, over {count} images")


def cells(settings: SnapshotSettings) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Title and image in units of the noise, row by row; no observation twice in a row."""
    shots = plan(1200, settings)
    return {name: _row(shots, label, settings) for label, name in enumerate(CLASSES)}


def _row(shots: list[Shot], label: int, settings: SnapshotSettings) -> list[tuple[str, np.ndarray]]:
    bands = SIDELOBE_SETTINGS if label >= 2 else SETTINGS
    kinds: dict[str, int] = {}
    row: list[tuple[str, np.ndarray]] = []
    for shot in shots:
        if len(row) == len(STRENGTHS):
            return row
        if shot.label != label or shot.observation.setting != bands[len(row) % len(bands)]:
            continue
        strength = STRENGTHS[len(row)] if label else None
        made = render(replace(shot, strength=strength), settings)
        kind = made.facts["rfi_kind"]
        if kind and kinds.get(kind, 0) > len(row) // len(KINDS):
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        words = [shot.band.name, shot.polarisation, f"{strength:g}x" if strength else "", kind]
        row.append((" ".join(words), made.image / made.facts["noise_jy"]))
    return row


def draw(rows: dict[str, list[tuple[str, np.ndarray]]], path: Path) -> None:
    """Write the sheet."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from PIL import Image

    columns = max(len(row) for row in rows.values())
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.9 * columns, 2.1 * len(rows)), squeeze=False
    )
    for line, name in zip(axes, CLASSES, strict=True):
        for axis in line:
            axis.set_axis_off()
        for axis, (title, image) in zip(line, rows[name], strict=False):
            spread = max(1.0, 1.4826 * float(np.median(np.abs(image - np.median(image)))) / 2.0)
            limits = {"vmin": -4.0 * spread, "vmax": 10.0 * spread}
            axis.imshow(image, origin="lower", cmap="gray", **limits)
            axis.set_title(f"{name} {title}", fontsize=6.5, pad=2)
    figure.subplots_adjust(left=0.003, right=0.997, bottom=0.003, top=0.96, wspace=0.02)
    # 32 greys are enough to look at, and a fifth of the bytes
    figure.savefig(path, dpi=90, facecolor="white")
    plt.close(figure)
    with Image.open(path) as drawn:
        drawn.convert("L").point([level // 8 * 255 // 31 for level in range(256)]).save(path)


if __name__ == "__main__":
    main()
