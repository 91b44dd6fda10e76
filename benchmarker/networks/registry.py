"""All networks by name: layer lists from text, Python networks from this folder, plug-ins.

Nothing is built and no Keras is imported until `build` is called. Files of the working
directory are read as text only; code from outside the package takes part only when an
installed distribution declares it in the entry-point group ``benchmarker.networks``.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.core.folders import list_texts
from benchmarker.networks.definition import Definition, remember
from benchmarker.networks.entries import LayerSeeds, NetworkEntry, PythonNetwork
from benchmarker.networks.layer_files import by_name, read_file
from benchmarker.networks.layer_types import Layer
from benchmarker.networks.notation import format_layers
from benchmarker.networks.walk import ShrinksToNothingError, smallest_side, walk

if TYPE_CHECKING:
    import keras

FOLDER = "architectures/layers"
ENTRY_POINTS = "benchmarker.networks"
BUILD_FAULTS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
LARGEST_SEARCHED = 1024  # pixels; up to here a Python network's smallest size is searched


def names() -> list[str]:
    """Names of all networks, sorted without regard to case."""
    return sorted(_entries(), key=lambda name: (name.lower(), name))


def find(name: str) -> NetworkEntry:
    """The entry of a network; raises `SettingsError` that offers near names."""
    entries = _entries()
    if name not in entries:
        message = (
            f"no network named {name!r}{suggest(name, entries)}; "
            "`benchmarker list networks` shows all"
        )
        raise SettingsError(message)
    return entries[name]


def build(
    name: str,
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    seed: int,
    legacy: bool = False,
    **settings: Any,
) -> keras.Model:
    """An uncompiled Keras model, its weights a function of (seed, name, layer) alone.

    Arguments
    ---------
    name : a registered network
    input_shape : (height, width, channels) in pixels
    num_classes : at least 2
    seed : the run seed; every kernel and dropout derives its own from it
    legacy : keep the published sigmoid output of the `atlas` networks instead of softmax
    settings : of networks that have some (`network_settings`), e.g. ``gates=3``

    The model maps float32 (n, height, width, channels) to float32 (n, num_classes).
    Raises `SettingsError` for an unknown name or setting, or an input that the network
    cannot take.
    """
    known = define(name, settings, legacy=legacy)
    return build_defined(known, input_shape, num_classes, seed=seed)


def define(name: str, settings: Mapping[str, Any], *, legacy: bool = False) -> Definition:
    """What `build` of these would be, as it is defined now; raises `SettingsError` as `build`."""
    entry = find(name)
    text = None if entry.layers is None else format_layers(entry.layers)
    chosen = network_settings(name, settings)
    return Definition(name, chosen, entry.digest, text, legacy)


def completed(definition: Definition) -> Definition:
    """The same with every setting that the network has, where it is known here."""
    try:
        return replace(
            definition, settings=network_settings(definition.network, definition.settings)
        )
    except SettingsError:
        return definition


def build_defined(
    definition: Definition, input_shape: tuple[int, int, int], num_classes: int, *, seed: int = 0
) -> keras.Model:
    """An uncompiled model as `build` gives it, of a definition that may be another one here.

    A layer list is built from the definition's own text, any other network by its name. Raises
    as `build`, and `InputFileError` for a text that is no layer list.
    """
    shape, seeds = check_input(input_shape, num_classes), LayerSeeds(seed, definition.network)
    if definition.layers is None:
        definition = define(definition.network, definition.settings, legacy=definition.legacy)
    if definition.layers is None:
        entry = find(definition.network)
        model = build_python(entry, shape, num_classes, seeds, definition.settings)
        return remember(model, definition)
    from benchmarker.networks.build import build_layers

    layers = definition.read_layers()
    require_fit(definition.network, layers, shape, num_classes)
    return remember(build_layers(layers, shape, num_classes, seeds), definition)


def network_settings(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every setting of a network: those `given`, as text or value, else defaults.

    A layer list has none. Raises `SettingsError` for an unknown network or setting, or for
    a value that is not allowed.
    """
    entry = find(name)
    if entry.python is not None:
        return entry.python.resolve(given)
    if given:
        message = f"{name} is a layer list without settings, got {', '.join(given)}"
        raise SettingsError(message)
    return {}


def check_input(input_shape: tuple[int, int, int], num_classes: int) -> tuple[int, int, int]:
    """Refuse shapes and class numbers that no network can take; return the shape as integers."""
    shape = tuple(int(length) for length in input_shape)
    if len(shape) != 3 or min(shape) < 1:
        message = (
            f"input shape is {tuple(input_shape)}, expected (height, width, channels), each from 1"
        )
        raise SettingsError(message)
    if num_classes < 2:
        message = f"{num_classes} class(es) asked for, expected at least 2"
        raise SettingsError(message)
    return shape


def require_fit(
    name: str, layers: Sequence[Layer], shape: tuple[int, int, int], num_classes: int
) -> None:
    """Raise `SettingsError` if a layer list leaves no pixel somewhere at this input size."""
    try:
        walk(layers, shape, num_classes)
    except ShrinksToNothingError as error:
        side = smallest_side(layers, num_classes)
        raise SettingsError(_too_small(name, shape, side, str(error))) from error


def build_python(
    entry: NetworkEntry,
    shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
    settings: Mapping[str, Any] | None = None,
) -> keras.Model:
    """Call a Python network's function; raises `SettingsError` naming its file if that fails.

    A too small image is told from a fault of the function by trying larger ones.
    """
    network = _python(entry)
    chosen = network.resolve({}) if settings is None else dict(settings)
    function = functools.partial(network.build, **chosen)
    try:
        model = function(shape, num_classes, seeds)
    except BUILD_FAULTS as error:
        side = _smallest_python_side(function, shape, num_classes, seeds)
        if side is not None:
            reason = str(error).partition("\n")[0]
            raise SettingsError(_too_small(entry.name, shape, side, reason)) from error
        message = f"network {entry.name!r} in {entry.where} cannot be built: {error}"
        raise SettingsError(message) from error
    if tuple(model.output_shape) != (None, num_classes):
        message = (
            f"network {entry.name!r} gives an output of shape {model.output_shape}, expected "
            f"(None, {num_classes}): mend {entry.where}"
        )
        raise SettingsError(message)
    return model


def _smallest_python_side(
    function: Callable[..., keras.Model],
    shape: tuple[int, int, int],
    num_classes: int,
    seeds: LayerSeeds,
) -> int | None:
    """Smallest side above the given one at which the network builds; None if it never does."""
    from benchmarker.networks.symbolic import without_memory

    def fits(side: int) -> bool:
        try:
            without_memory(lambda: function((side, side, shape[2]), num_classes, seeds))
        except BUILD_FAULTS:
            return False
        return True

    below, above = min(shape[:2]), LARGEST_SEARCHED
    if not fits(above):
        return None
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if fits(middle) else (middle, above)
    return above


def _too_small(name: str, shape: tuple[int, int, int], side: int, reason: str) -> str:
    return (
        f"network {name!r} does not fit images of {shape[0]}x{shape[1]} pixels: {reason}; "
        f"expected at least {side}x{side} pixels"
    )


def _entries() -> dict[str, NetworkEntry]:
    files = list_texts(FOLDER, ".txt")
    return _read(tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files))


@functools.lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int, int], ...]) -> dict[str, NetworkEntry]:
    from_text = [entry for path, _, _ in files for entry in read_file(path)]
    return by_name([*from_text, *_from_package(), *_from_plugins()])


def _from_package() -> Iterator[NetworkEntry]:
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if re.search(r"^NETWORKS\b", path.read_text(encoding="utf-8"), re.MULTILINE):
            module = importlib.import_module(f"{__package__}.{path.stem}")
            for network in module.NETWORKS:
                yield entry_of(network, path)


def _from_plugins() -> Iterator[NetworkEntry]:
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        networks = _load(point)
        for network in networks:
            yield entry_of(network, _source(network.build))


def _load(point: importlib.metadata.EntryPoint) -> tuple[PythonNetwork, ...]:
    try:
        loaded = point.load()
    except Exception as error:
        message = f"the plug-in {point.name} ({point.value}) cannot be loaded: {error}"
        raise SettingsError(message) from error
    networks = loaded if isinstance(loaded, tuple) else (loaded,)
    if not all(isinstance(network, PythonNetwork) for network in networks):
        message = (
            f"the plug-in {point.name} ({point.value}) gives {type(loaded).__name__}, expected "
            "a PythonNetwork or a tuple of them"
        )
        raise SettingsError(message)
    return networks


def _source(build: Callable) -> Path:
    function = build.func if isinstance(build, functools.partial) else build
    return Path(inspect.getsourcefile(function) or "")


def entry_of(network: PythonNetwork, path: Path) -> NetworkEntry:
    """The entry of a Python network whose function stands in `path`."""
    return NetworkEntry(
        network.name,
        network.family,
        network.role,
        network.paper,
        network.note,
        path,
        python=network,
    )


def _python(entry: NetworkEntry) -> PythonNetwork:
    if entry.python is None:
        message = f"network {entry.name!r} in {entry.where} has neither layers nor a function"
        raise SettingsError(message)
    return entry.python
