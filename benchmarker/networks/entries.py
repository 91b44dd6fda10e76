"""What the registry knows of a network before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarker.core.errors import SettingsError, suggest
from benchmarker.networks.layer_types import Layer
from benchmarker.networks.notation import format_layers
from benchmarker.networks.papers import citation

if TYPE_CHECKING:
    import keras

# Files that every network uses; a change there that alters networks has a version of its own
COMMON = {"build", "entries", "layer_types", "notation", "papers", "registry", "walk"}
ROLES = ("core", "published", "variant", "own")


@dataclass(frozen=True)
class LayerSeeds:
    """Seeds of one network's layers: each layer and purpose has its own.

    One integer for all layers would start equal-shaped layers with equal weights, because
    an integer seed is stateless in Keras 3.
    """

    seed: int
    network: str

    def kernel(self, layer: int | str) -> int:
        """Seed of the kernel initialiser of a layer (its position from 1, or its name)."""
        return self._derive(layer, "kernel")

    def dropout(self, layer: int | str) -> int:
        """Seed of the masks of a dropout layer."""
        return self._derive(layer, "dropout")

    def _derive(self, layer: int | str, purpose: str) -> int:
        # numpy comes with seeds; a table of networks does without
        from benchmarker.core.seeds import derive_seed

        return derive_seed(self.seed, self.network, layer, purpose)


Builder = Callable[..., "keras.Model"]


@dataclass(frozen=True)
class NetworkSetting:
    """One setting of a Python network, as a run list gives it: ``gates=3``.

    Arguments
    ---------
    default : the value where none is given, as `read` returns it
    read : text -> value; raises `ValueError` with words that say what is allowed
    about : what it does, one line
    """

    default: Any
    read: Callable[[str], Any]
    about: str


def words(*allowed: str) -> Callable[[str], str]:
    """A reader that takes one of the words."""

    def read(text: str) -> str:
        if text not in allowed:
            message = f"{text!r} is not one of {', '.join(allowed)}{suggest(text, allowed)}"
            raise ValueError(message)
        return text

    return read


def whole(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers within bounds, both included."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum or (maximum is not None and value > maximum):
            message = f"{text!r} is not a whole number {bounds(minimum, maximum)}"
            raise ValueError(message)
        return value

    return read


def number(minimum: float, maximum: float | None = None) -> Callable[[str], float]:
    """A reader of numbers within bounds, both included."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not minimum <= value <= (float("inf") if maximum is None else maximum):
            message = f"{text!r} is not a number {bounds(minimum, maximum)}"
            raise ValueError(message)
        return value

    return read


def bounds(minimum: float, maximum: float | None) -> str:
    """``of at least 1``, or ``from 1 to 3``: for messages."""
    return f"of at least {minimum:g}" if maximum is None else f"from {minimum:g} to {maximum:g}"


@dataclass(frozen=True)
class PythonNetwork:
    """A network that is more than a row of layers, as its file declares it in `NETWORKS`.

    Arguments
    ---------
    name, family, role, paper, note : as in a layer list
    build : function (input_shape, num_classes, seeds, **settings) -> uncompiled keras.Model;
        it gets a value for every one of `settings`
    parameters, multiply_adds : counts at 300x300x1 and 4 classes, so that a table of all
        networks needs no TensorFlow; the contract test compares them with the model
    unseeded : True if the published code left a dropout or initialiser without a seed
    settings : what a run list may choose, by name; a variant with a name of its own is the
        same network with other defaults (`with_defaults`)
    """

    name: str
    family: str
    role: str
    paper: str
    note: str
    build: Builder
    parameters: int
    multiply_adds: int
    unseeded: bool = False
    settings: Mapping[str, NetworkSetting] = field(default_factory=dict)

    def resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every setting; raises `SettingsError` listing what is wrong in `given`."""
        faults = []
        values = {key: setting.default for key, setting in self.settings.items()}
        for key, value in given.items():
            if key not in self.settings:
                known = ", ".join(self.settings) or "none"
                faults.append(
                    f"{self.name} has no setting {key!r}{suggest(key, self.settings)}; "
                    f"known: {known}"
                )
                continue
            try:
                values[key] = self.settings[key].read(str(value))
            except ValueError as error:
                faults.append(f"{self.name}, {key}: {error}")
        if faults:
            raise SettingsError("; ".join(faults))
        return values

    def with_defaults(self, **defaults: Any) -> dict[str, NetworkSetting]:
        """The settings with other defaults, for a variant with a name of its own."""
        return {
            key: replace(setting, default=defaults.get(key, setting.default))
            for key, setting in self.settings.items()
        }


@dataclass(frozen=True)
class NetworkEntry:
    """One registered network: a layer list (`layers`) or a Python network (`python`)."""

    name: str
    family: str
    role: str
    paper_key: str
    note: str
    path: Path
    line: int | None = None
    layers: tuple[Layer, ...] | None = None
    python: PythonNetwork | None = None

    @property
    def kind(self) -> str:
        """``layers`` or ``python``."""
        return "python" if self.layers is None else "layers"

    @property
    def paper(self) -> str:
        """The full reference, or an empty text."""
        return citation(self.paper_key)

    @property
    def where(self) -> str:
        """File and line of the definition, for messages."""
        return f"{self.path}" if self.line is None else f"{self.path} line {self.line}"

    @property
    def unseeded(self) -> bool:
        """True if the published code left some layer without a seed (it is seeded here)."""
        if self.python is not None:
            return self.python.unseeded
        return not all(getattr(layer, "seeded", True) for layer in self.layers or ())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the definition: of the canonical layer list, or of the Python source.

        Names, notes and comments of a layer list do not enter it. To a Python network belong
        the files beside it that it imports, such as its layers.
        """
        # numpy comes with hashing too
        from benchmarker.core.hashing import digest_text

        if self.layers is not None:
            return digest_text(f"layers\n{format_layers(self.layers)}")
        source = "\n".join(_lines_of(path) for path in _sources(self.path))
        return digest_text(f"python\n{self.name}\n{source}")


def _lines_of(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8").splitlines())


def _sources(path: Path) -> list[Path]:
    """A network's file, then those beside it that it imports, as far as they go, by name."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        names = set(re.findall(r"^\s*from benchmarker\.networks\.(\w+) import", text, re.MULTILINE))
        beside = {path.parent / f"{name}.py" for name in names - COMMON}
        new = {file for file in beside if file.is_file()} - found - {path}
        found |= new
        waiting += new
    return [path, *sorted(found)]
