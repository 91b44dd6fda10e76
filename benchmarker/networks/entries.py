"""What the registry knows of a network before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarker.networks.layer_types import Layer
from benchmarker.networks.notation import format_layers
from benchmarker.networks.papers import citation

if TYPE_CHECKING:
    import keras

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


Builder = Callable[[tuple[int, int, int], int, LayerSeeds], "keras.Model"]


@dataclass(frozen=True)
class PythonNetwork:
    """A network that is more than a row of layers, as its file declares it in `NETWORKS`.

    Arguments
    ---------
    name, family, role, paper, note : as in a layer list
    build : function (input_shape, num_classes, seeds) -> uncompiled keras.Model
    parameters, multiply_adds : counts at 300x300x1 and 4 classes, so that a table of all
        networks needs no TensorFlow; the contract test compares them with the model
    unseeded : True if the published code left a dropout or initialiser without a seed
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

        Names, notes and comments of a layer list do not enter it.
        """
        # numpy comes with hashing too
        from benchmarker.core.hashing import digest_text

        if self.layers is not None:
            return digest_text(f"layers\n{format_layers(self.layers)}")
        source = "\n".join(self.path.read_text(encoding="utf-8").splitlines())
        return digest_text(f"python\n{self.name}\n{source}")
