"""What a network is, without building it: layers, shapes, counts, receptive field, paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarker.core.errors import SettingsError
from benchmarker.networks.entries import LayerSeeds, NetworkEntry
from benchmarker.networks.notation import emits_softmax
from benchmarker.networks.registry import (
    build_python,
    check_input,
    find,
    network_settings,
    require_fit,
)
from benchmarker.networks.rows import Row, totals
from benchmarker.networks.walk import walk

REFERENCE_INPUT = (300, 300, 1)  # the input of the 2021 comparison, with four classes
REFERENCE_CLASSES = 4


@dataclass(frozen=True)
class Description:
    """Statistics of one network at one input size and number of classes.

    Counts are weights, multiply-adds those of convolutions and dense layers for one image
    (see `rows.py` for the conventions); `original_flops` is None where the counter of the
    2021 comparison knew no rule; `flatten` is the number of values entering the first dense
    layer; `receptive_field` and `stride` are in pixels of the image.
    """

    name: str
    kind: str
    family: str
    role: str
    paper: str
    note: str
    digest: str
    unseeded: bool
    input_shape: tuple[int, int, int]
    classes: int
    parameters: int
    trainable_parameters: int
    conv_parameters: int
    dense_parameters: int
    bn_parameters: int
    multiply_adds: int
    flops: int
    original_flops: int | None
    conv_layers: int
    dense_layers: int
    pool_layers: int
    bn_layers: int
    dropout_layers: int
    l2_kernels: int
    flatten: int
    receptive_field: int
    stride: int
    final_activation: str
    layers: tuple[Row, ...]

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON: shapes as lists, layers as short tables."""
        plain = asdict(self)
        plain["input_shape"] = list(self.input_shape)
        plain["layers"] = [row.as_dict() for row in self.layers]
        return plain


def describe(  # noqa: PLR0913 (the input of a network, in words)
    name: str,
    size: int | tuple[int, int] = 300,
    classes: int = 4,
    channels: int = 1,
    *,
    legacy: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Description:
    """Describe a network for images of `size` (pixels per side, or (height, width)).

    Layer lists are worked out by arithmetic, without TensorFlow; a Python network is built
    without memory for its weights; `settings` are those it declares. Raises
    `SettingsError` for an unknown name or setting, or a size that the network cannot take.
    """
    entry = find(name)
    height, width = (size, size) if isinstance(size, int) else size
    shape = check_input((height, width, channels), classes)
    rows = layer_rows(entry, shape, classes, legacy=legacy, settings=settings)
    return Description(
        name=entry.name,
        kind=entry.kind,
        family=entry.family,
        role=entry.role,
        paper=entry.paper,
        note=entry.note,
        digest=entry.digest,
        unseeded=entry.unseeded,
        input_shape=shape,
        classes=classes,
        layers=tuple(rows),
        **totals(rows),
    )


def fits(
    name: str,
    size: int | tuple[int, int],
    classes: int = 4,
    channels: int = 1,
    *,
    settings: Mapping[str, Any] | None = None,
) -> str | None:
    """None if the network takes images of this size, else the reason why not.

    Raises `SettingsError` for an unknown name.
    """
    find(name)
    try:
        describe(name, size, classes, channels, settings=settings)
    except SettingsError as error:
        return str(error)
    return None


def counts(entry: NetworkEntry, shape: tuple[int, int, int], classes: int) -> tuple[int, int]:
    """Parameters and multiply-adds; for Python networks as declared at the reference input."""
    if entry.python is not None and (shape, classes) == (REFERENCE_INPUT, REFERENCE_CLASSES):
        return entry.python.parameters, entry.python.multiply_adds
    rows = layer_rows(entry, shape, classes, legacy=False)
    return sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)


def layer_rows(
    entry: NetworkEntry,
    shape: tuple[int, int, int],
    classes: int,
    *,
    legacy: bool,
    settings: Mapping[str, Any] | None = None,
) -> list[Row]:
    """One row per layer; raises `SettingsError` if the network cannot take the shape."""
    # without any, the entry's own defaults: it need not be registered
    chosen = network_settings(entry.name, settings) if settings else None
    if entry.layers is not None:
        require_fit(entry.name, entry.layers, shape, classes)
        return walk(entry.layers if legacy else emits_softmax(entry.layers), shape, classes)
    from benchmarker.networks.symbolic import model_rows, without_memory

    seeds = LayerSeeds(0, entry.name)
    model = without_memory(lambda: build_python(entry, shape, classes, seeds, chosen))
    return model_rows(model)
