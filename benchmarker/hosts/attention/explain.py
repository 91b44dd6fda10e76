"""The work of `benchmarker explain`: from networks and images to figures, arrays and a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.data.images import ImageSet
from benchmarker.hosts.attention import chosen as choosing
from benchmarker.hosts.attention.averages import Sums, sum_maps
from benchmarker.hosts.attention.chosen import Chosen
from benchmarker.hosts.attention.class_means import class_means
from benchmarker.hosts.attention.figures import (
    Explained,
    array_grids,
    epochs_grid,
    gates_grid,
    source_grid,
)
from benchmarker.hosts.attention.files import (
    SkyPlace,
    file_word,
    map_arrays,
    write_arrays,
    write_fits,
    write_table,
)
from benchmarker.hosts.attention.grad_cam import GradCam
from benchmarker.hosts.attention.group_figures import (
    certainty_grid,
    classes_grid,
    confusion_grid,
)
from benchmarker.hosts.attention.maps import AttentionMaps, MapMaker, all_maps, attention_gates
from benchmarker.hosts.attention.panels import Look, write_grid
from benchmarker.hosts.attention.request import COMPARED, Request, open_networks
from benchmarker.hosts.evaluation.preparing import Fitting, prepare_set

Say = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """One command under way.

    Arguments
    ---------
    request : what was asked for
    chosen : the images
    say : takes a line for the user
    step : takes what is done, how much of it, and how much there is
    """

    request: Request
    chosen: Chosen
    say: Say
    step: Callable[[str, int, int], None]

    @property
    def look(self) -> Look:
        """Of the figures, with the scale of the images."""
        scale = self.chosen.images.pixel_scale_arcsec
        return replace(self.request.look, pixel_arcsec=scale)


def explain(request: Request, say: Say, step: Callable[[str, int, int], None]) -> list[Path]:
    """Make everything that is asked for; returns the files written.

    Raises errors that say what to change: no gates, unknown sources, another size.
    """
    networks = open_networks(request)
    first = networks[0][1]
    images, own = choosing.open_images(request.images, request.subset, first)
    if own is not None:
        say(f"subset {own}, the one that the run was trained on")
    chosen = choosing.choose(images, first, request.part)
    chosen = choosing.pick(chosen, request.sources, request.rows)
    for _, trained in networks:
        _check_size(request, images, trained)
    work = Work(request, chosen, say, step)
    _say_left_out(work)
    written = []
    for label, trained in networks:
        folder = request.output / file_word(label) if len(networks) > 1 else request.output
        written += _one_network(work, label, trained, folder)
    if any(name in COMPARED for name in request.figures):
        written += _compared(work, networks)
    return written


def _fitting(request: Request, trained: Any) -> Fitting:
    """The one way from a stored image to what the network takes: that of ``predict``."""
    return Fitting.of(trained, crop=request.crop, named=request.preparation)


def _check_size(request: Request, images: ImageSet, trained: Any) -> None:
    """Refuse images of another size or kind before anything is computed."""
    _fitting(request, trained).for_image(images.pixels.read(0), f"the first image of {images.name}")


def map_maker(request: Request, trained: Any) -> MapMaker:
    """Attention maps where asked for or possible, else Grad-CAM."""
    method = request.asked_method
    if method == "attention" or (method is None and attention_gates(trained.model)):
        return AttentionMaps(trained.model)
    of_class = None if request.of_class is None else trained.classes.index(request.of_class)
    return GradCam(trained.model, request.layer, of_class=of_class)


def explained(work: Work, label: str, trained: Any, places: np.ndarray) -> Explained:
    """Maps of the images at these places of the part."""
    images, rows = work.chosen.images, work.chosen.rows[places]
    prepared = prepare_set(images, work.chosen.names(places), _fitting(work.request, trained))
    maker = map_maker(work.request, trained)

    def told(done: int) -> None:
        work.step(f"maps of {label}", done, len(prepared))

    known = work.chosen.has_classes
    return Explained(
        network=label,
        settings=dict(trained.network_settings),
        method=maker.method,
        images=prepared.raw(np.arange(len(prepared)))[..., 0],
        maps=all_maps(maker, prepared, step=told),
        sources=tuple(prepared.sources),
        truth=tuple(images.classes[images.labels[row]] if known else "" for row in rows),
        classes=tuple(trained.classes),
        of_class=work.request.of_class,
    )


def _one_network(work: Work, label: str, trained: Any, folder: Path) -> list[Path]:
    """Arrays and table of the chosen sources, and the figures of one network."""
    request = work.request
    _say_method(work, label, trained)
    places = work.chosen.spread(request.most)
    found = explained(work, label, trained, places)
    files, written = [""] * len(found.sources), []
    if "sources" in request.figures:
        files, written = _source_figures(work, found, places, folder)
    written.append(write_arrays(folder / "maps.npz", map_arrays(found)))
    written.append(write_table(folder / "maps.csv", found, files))
    if request.fits:
        written += _fits_files(work, found, places, folder)
    if "epochs" in request.figures:
        written += _epochs(work, label, trained, folder)
    if "class-epochs" in request.figures:
        written += _class_epochs(work, label, trained, folder)
    if {"classes", "confusion"} & set(request.figures):
        written += _groups(work, label, trained, folder)
    return written


def _say_left_out(work: Work) -> None:
    count, most = len(work.chosen.places), work.request.most
    if count > most:
        left = f"{count - most} of {count} {work.chosen.part} images left out of maps.npz"
        work.say(f"{left} (--most {most}; --sources and --rows choose)")


def _say_method(work: Work, label: str, trained: Any) -> None:
    maker = map_maker(work.request, trained)
    if maker.method == "attention":
        work.say(f"{label}: attention maps of {', '.join(maker.names)}")
        return
    why = "" if work.request.asked_method else ", as the network has no attention gates"
    work.say(f"{label}: Grad-CAM of layer {maker.names[0]}{why}")


def _stem(place: int, name: str) -> str:
    """Name of a source's files: its place in the part first, as --rows takes it."""
    return f"{place:04d}_{file_word(name)}"


def _source_figures(
    work: Work, found: Explained, places: np.ndarray, folder: Path
) -> tuple[list[str], list[Path]]:
    """A figure for each source: the table's name of it, and all files."""
    names, written = [], []
    for row, place in enumerate(places):
        path = folder / _stem(int(place), found.sources[row])
        paths = write_grid(source_grid(found, row), path, work.look)
        names.append(paths[0].name)
        written += paths
        work.step("figures", row + 1, len(places))
    return names, written


def _fits_files(work: Work, found: Explained, places: np.ndarray, folder: Path) -> list[Path]:
    images, written = work.chosen.images, []
    for row, place in enumerate(places):
        index = work.chosen.rows[place]
        ra, dec = (
            None if values is None else float(values[index])
            for values in (images.ra_deg, images.dec_deg)
        )
        upside_down = work.look.origin == "upper"
        sky = SkyPlace(ra, dec, images.pixel_scale_arcsec, from_top=upside_down)
        path = folder / f"{_stem(int(place), found.sources[row])}.fits"
        written.append(write_fits(path, found, row, sky))
    return written


def _epochs(work: Work, label: str, trained: Any, folder: Path) -> list[Path]:
    """Maps of single sources through training."""
    places = work.chosen.examples(work.request.most)

    def at(one: Any) -> Explained:
        return explained(work, label, one, places)

    return _through_training(work, trained, at, folder / "epochs")


def _class_epochs(work: Work, label: str, trained: Any, folder: Path) -> list[Path]:
    """Mean maps of classes through training."""

    def at(one: Any) -> Explained:
        return _class_means(work, label, one)

    return _through_training(work, trained, at, folder / "class-epochs")


def _through_training(
    work: Work, trained: Any, at: Callable[[Any], Explained], path: Path
) -> list[Path]:
    """Maps after evenly spaced kept epochs: by place in their list, as published."""
    from benchmarker.runs.trained import kept_epochs, open_trained

    if trained.record is None:
        message = f"{trained.where} is one file of weights; maps through training need a run folder"
        raise SettingsError(message)
    run = trained.record.folder
    kept = kept_epochs(run)
    if not kept:
        message = (
            f"{run} kept no weights of its epochs: train with keep=improved (or keep=all) in "
            "the run list"
        )
        raise MissingDataError(message)
    count = min(work.request.epochs, len(kept))
    epochs = [kept[place] for place in np.linspace(0, len(kept) - 1, count).round().astype(int)]
    found = [at(open_trained(run, epoch=epoch)) for epoch in epochs]
    arrays = _compared_arrays(found) | {"epochs": np.array(epochs, np.int64)}
    written = write_grid(epochs_grid(epochs, found), path, work.look)
    return [*written, write_arrays(path.with_suffix(".npz"), arrays)]


def _compared(work: Work, networks: list[tuple[str, Any]]) -> list[Path]:
    """The figures that put networks side by side."""
    written = _class_arrays(work, networks) if "class-array" in work.request.figures else []
    if not {"array", "gates"} & set(work.request.figures):
        return written
    places = work.chosen.examples(work.request.most)
    found = [explained(work, label, trained, places) for label, trained in networks]
    output = work.request.output
    arrays = _compared_arrays(found) | {"networks": [one.network for one in found]}
    if "array" in work.request.figures:
        for row, place in enumerate(places):
            for name, grid in array_grids(found, row).items():
                path = output / f"{name}_{_stem(int(place), found[0].sources[row])}"
                written += write_grid(grid, path, work.look)
        written.append(write_arrays(output / "array.npz", arrays))
    if "gates" in work.request.figures:
        written += write_grid(gates_grid(found), output / "gates", work.look)
        written.append(write_arrays(output / "gates.npz", arrays))
    return written


def _class_arrays(work: Work, networks: list[tuple[str, Any]]) -> list[Path]:
    """The array of networks with the mean maps of each class."""
    output = work.request.output
    found = [_class_means(work, label, trained) for label, trained in networks]
    arrays = _compared_arrays(found) | {"networks": [one.network for one in found]}
    written = [write_arrays(output / "class-array.npz", arrays)]
    for row, name in enumerate(found[0].truth):
        for kind, grid in array_grids(found, row).items():
            written += write_grid(grid, output / f"class-{kind}_{file_word(name)}", work.look)
    return written


def _class_means(work: Work, label: str, trained: Any) -> Explained:
    """Mean image and maps of every true class."""
    _needs_classes(work)
    sums, _ = _sums(work, label, trained)
    method = map_maker(work.request, trained).method
    true = work.chosen.images.classes
    found = class_means(sums, true, trained, network=label, method=method)
    return replace(found, of_class=work.request.of_class)


def _compared_arrays(found: list[Explained]) -> dict[str, Any]:
    """Images (n, H, W), mean maps (k, n, H, W) and scores (k, n, classes) of k networks."""
    first = found[0]
    sizes = sorted({one.images.shape[1:3] for one in found})
    if len(sizes) > 1:
        listed = " and ".join(f"{height} x {width}" for height, width in sizes)
        message = (
            f"the networks take images of different sizes, {listed} pixels; expected one size "
            "to compare them"
        )
        raise SettingsError(message)
    return {
        "images": first.images,
        "mean": np.stack([one.maps.mean for one in found]),
        "sources": first.sources,
        "true_classes": first.truth,
        "method": [one.method for one in found],
    }


def _groups(work: Work, label: str, trained: Any, folder: Path) -> list[Path]:
    """Mean maps by class, certainty and prediction."""
    _needs_classes(work)
    request, true = work.request, work.chosen.images.classes
    sums, shown = _sums(work, label, trained)
    title = f"{label}: {shown}"
    grids = {}
    if "classes" in request.figures:
        grids["classes"] = classes_grid(sums, true, title)
        if sums.knows_certainty:
            grids["certainty"] = certainty_grid(sums, true, title)
    if "confusion" in request.figures:
        grids["confusion"] = confusion_grid(sums, true, trained.classes, title)
    written = [
        path for name, grid in grids.items() for path in write_grid(grid, folder / name, work.look)
    ]
    arrays = group_arrays(sums, true, trained.classes)
    return [*written, write_arrays(folder / "groups.npz", arrays)]


def _needs_classes(work: Work) -> None:
    if not work.chosen.has_classes:
        message = (
            "figures of classes group images by their true class, which single files do not "
            "say; expected a data set"
        )
        raise SettingsError(message)


def _sums(work: Work, label: str, trained: Any) -> tuple[Sums, str]:
    """Sums over all draws of the part, and in words what they are of."""
    from benchmarker.data.recipes import load_recipe
    from benchmarker.runs.passes import drawn_passes

    request, places = work.request, work.chosen.places
    names = work.chosen.names(places)
    prepared = prepare_set(work.chosen.images, names, _fitting(request, trained))
    count, done = request.passes, 0
    passes: Any = [prepared]
    if count:
        recipe = load_recipe(request.recipe)
        passes = drawn_passes(
            prepared, recipe, seed=request.seed, purpose="explain", passes=range(count)
        )

    def told() -> None:
        nonlocal done
        done += 1
        work.step(f"mean maps of {label}", done, max(count, 1))

    shown = shown_words(len(prepared), work.chosen.part, count)
    return sum_maps(map_maker(request, trained), passes, prepared, step=told), shown


def shown_words(images: int, part: str, draws: int) -> str:
    """What mean maps are of: ``12 test images, 1 random draw of each``."""
    found = f"{images} {part} image{'' if images == 1 else 's'}"
    if not draws:
        return found
    return f"{found}, {draws} random draw{'' if draws == 1 else 's'} of each"


def group_arrays(sums: Sums, true: tuple[str, ...], predicted: tuple[str, ...]) -> dict[str, Any]:
    """What ``groups.npz`` holds: mean image and mean maps by true and predicted class.

    ``counts`` int64 (t, p), ``images`` float32 (t, p, H, W), ``maps`` float32 (t, p, g, H, W),
    with ``true_classes``, ``predicted_classes`` and ``map_names``.
    """
    cells = [[sums.of_cell(t, p) for p in range(len(predicted))] for t in range(len(true))]
    return {
        "counts": np.array([[one.count for one in row] for row in cells], np.int64),
        "images": np.array([[one.image for one in row] for row in cells], np.float32),
        "maps": np.array([[one.maps for one in row] for row in cells], np.float32),
        "true_classes": true,
        "predicted_classes": predicted,
        "map_names": sums.names,
    }
