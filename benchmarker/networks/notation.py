"""The layer-list notation: one line of text is one sequential network.

A list is a row of words separated by blanks, in the order the image passes them:

====================  =====================================================================
``C32k3s2S``          convolution: 32 filters, 3x3 kernel, stride 2 (1 if absent), padding
                      Same or Valid; kernel initialised He-normal
``P3s2V``             max-pooling 3x3, stride 2 (as the pool if absent), Same or Valid
``A:relu``            an activation as a layer of its own
``BN``                batch normalisation with the Keras defaults
``Do0.25``            dropout with this rate
``F`` / ``G``         flatten / global average pooling: from maps to a row of values
``D500``              dense layer with 500 units
``Dn``                the class layer: one unit per class, whatever their number
====================  =====================================================================

Suffixes, in this order when written back: an activation inside the layer (``:relu``), an L2
penalty on the kernel (``:L20.01``), the kernel initialiser (``:he`` He-normal, ``:gl``
Glorot-uniform), and ``:UNSEEDED``, which records that the published code gave this layer no
seed; networks built here seed it all the same.

>>> layers = parse("C8k3s2S:relu Do0.25 F D64:relu:he Dn:softmax:gl")
>>> layers[0]
Conv(filters=8, kernel=3, stride=2, padding='same', activation='relu', l2=0.0, ...)
>>> format_layers(layers)
'C8k3s2S:relu Do0.25 F D64:relu:he Dn:softmax:gl'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarker.core.errors import Problems
from benchmarker.networks.layer_types import (
    ACTIVATIONS,
    INITIALIZERS,
    PROBABILITIES,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    Pool,
)

PADDINGS = {"S": "same", "V": "valid"}
TOKENS = (
    "C<filters>k<kernel>[s<stride>]S|V, P<pool>[s<stride>]S|V, A:<activation>, BN, Do<rate>, "
    "F, G, D<units>, Dn"
)


def parse(text: str, *, where: str = "layer list") -> tuple[Layer, ...]:
    """Read a whole network; raises `InputFileError` that lists every fault in `text`."""
    layers, faults = read(text)
    problems = Problems(where)
    for fault in faults or structure_faults(layers, text):
        problems.add(fault)
    problems.raise_if_any()
    return layers


def parse_part(text: str) -> tuple[Layer, ...]:
    """Read a stretch of layers for a Python network: as `parse`, but no class layer is needed."""
    layers, faults = read(text)
    problems = Problems(f"layers {text!r}")
    for fault in faults:
        problems.add(fault)
    problems.raise_if_any()
    return layers


def read(text: str) -> tuple[tuple[Layer, ...], list[str]]:
    """Read `text`; returns the layers that could be read and one sentence per faulty token."""
    layers: list[Layer] = []
    faults: list[str] = []
    for number, token in enumerate(text.split(), start=1):
        try:
            layers.append(_layer(token))
        except _TokenError as error:
            faults.append(f"layer {number} {token!r}: {error}")
    return tuple(layers), faults


def format_layers(layers: Sequence[Layer]) -> str:
    """The canonical text of a layer list: `parse` of it gives the same layers."""
    return " ".join(_format(layer) for layer in layers)


def emits_softmax(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same network with softmax in place of its final activation, if that is another."""
    changed = list(layers)
    index = _final_index(changed)
    last = changed[index]
    if isinstance(last, Activation):
        changed[index] = replace(last, name="softmax")
    elif isinstance(last, Dense):
        changed[index] = replace(last, activation="softmax")
    return tuple(changed)


def final_activation(layers: Sequence[Layer]) -> str:
    """Name of the activation that the network's output has passed."""
    last = layers[_final_index(layers)]
    return last.name if isinstance(last, Activation) else getattr(last, "activation", "linear")


def _final_index(layers: Sequence[Layer]) -> int:
    for index in range(len(layers) - 1, -1, -1):
        if isinstance(layers[index], (Activation, Dense, Conv)):
            return index
    return len(layers) - 1


class _TokenError(Exception):
    """What is wrong with one token."""


_CONV = re.compile(r"C(\d{1,6})k(\d{1,6})(?:s(\d{1,6}))?([SV])")
_POOL = re.compile(r"P(\d{1,6})(?:s(\d{1,6}))?([SV])")
_DROPOUT = re.compile(r"Do([\d.eE+-]+)")
_DENSE = re.compile(r"D(\d{1,7}|n)")
_KERNEL_SUFFIXES = ("activation", "l2", "initializer", "seeded")
_PLAIN: dict[str, Layer] = {"BN": BatchNorm(), "F": Flatten(), "G": GlobalAverage()}


def _layer(token: str) -> Layer:
    head, *words = token.split(":")
    if head == "A":
        return _activation(words)
    if head in _PLAIN:
        _suffixes(words, ())
        return _PLAIN[head]
    if match := _CONV.fullmatch(head):
        return _conv(match, words)
    if match := _POOL.fullmatch(head):
        _suffixes(words, ())
        size = _count(match[1], "pool size")
        stride = _count(match[2], "stride") if match[2] else size
        return Pool(size, stride, PADDINGS[match[3]])
    if match := _DROPOUT.fullmatch(head):
        return _dropout(match[1], words)
    if match := _DENSE.fullmatch(head):
        units = None if match[1] == "n" else _count(match[1], "number of units")
        return Dense(units, **_suffixes(words, _KERNEL_SUFFIXES))
    message = f"not a layer; expected one of {TOKENS}"
    raise _TokenError(message)


def _activation(words: list[str]) -> Activation:
    name = {"LeakyReLU": "leaky"}.get(words[0], words[0]) if len(words) == 1 else ""
    if name not in ACTIVATIONS:
        message = f"expected A: and one of {', '.join(ACTIVATIONS)}"
        raise _TokenError(message)
    return Activation(name)


def _conv(match: re.Match[str], words: list[str]) -> Conv:
    stride = _count(match[3], "stride") if match[3] else 1
    numbers = _count(match[1], "number of filters"), _count(match[2], "kernel size"), stride
    return Conv(*numbers, PADDINGS[match[4]], **_suffixes(words, _KERNEL_SUFFIXES))


def _dropout(number: str, words: list[str]) -> Dropout:
    rate = _number(number)
    if rate is None or not 0 <= rate < 1:
        message = "the rate must be a number from 0 to below 1"
        raise _TokenError(message)
    return Dropout(rate, **_suffixes(words, ("seeded",)))


def _suffixes(words: list[str], allowed: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        kind, value = _suffix(word)
        if kind not in allowed:
            message = f"suffix :{word} is not known here; allowed: {_allowed_text(allowed)}"
            raise _TokenError(message)
        if kind in found:
            message = f"suffix :{word} repeats or contradicts an earlier one"
            raise _TokenError(message)
        found[kind] = value
    return found


def _suffix(word: str) -> tuple[str, Any]:
    # leaky has a slope, so it stands as a layer of its own (A:leaky)
    if word in ACTIVATIONS and word != "leaky":
        return "activation", word
    if word in INITIALIZERS:
        return "initializer", word
    if word == "UNSEEDED":
        return "seeded", False
    if word.startswith("L2"):
        factor = _number(word[2:])
        if factor is not None and 0 < factor < float("inf"):
            return "l2", factor
    return "unknown", None


def _allowed_text(allowed: tuple[str, ...]) -> str:
    texts = {
        "activation": ", ".join(f":{name}" for name in ACTIVATIONS if name != "leaky"),
        "l2": ":L2<factor above 0>",
        "initializer": ":he, :gl",
        "seeded": ":UNSEEDED",
    }
    return ", ".join(texts[kind] for kind in allowed) or "none"


def _count(digits: str, what: str) -> int:
    number = int(digits)
    if number < 1:
        message = f"the {what} is 0, expected at least 1"
        raise _TokenError(message)
    return number


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def structure_faults(layers: Sequence[Layer], text: str) -> list[str]:
    """What keeps the valid layers of `text` from being a classifier, one sentence each."""
    if not layers:
        return ["no layer given; expected a layer list such as C16k3S:relu P2S F Dn:softmax:gl"]
    tokens = text.split()
    faults = _order_faults(layers, tokens)
    classes = [n for n, layer in enumerate(layers) if isinstance(layer, Dense) and not layer.units]
    if len(classes) != 1:
        faults.append(f"{len(classes)} class layers Dn, expected exactly one, the last dense layer")
    elif any(isinstance(layer, Dense) for layer in layers[classes[0] + 1 :]):
        faults.append(f"{_place(tokens, classes[0])}: a dense layer follows, expected none")
    elif final_activation(layers) not in PROBABILITIES:
        faults.append(
            f"the network ends in {final_activation(layers)}, expected softmax "
            "(Dn:softmax:gl, or A:softmax after it)"
        )
    return faults


def _order_faults(layers: Sequence[Layer], tokens: Sequence[str]) -> list[str]:
    faults: list[str] = []
    flat = False
    for index, layer in enumerate(layers):
        place = _place(tokens, index)
        if flat and isinstance(layer, (Conv, Pool, Flatten, GlobalAverage)):
            faults.append(f"{place}: works on maps, but F or G stands before it")
        if not flat and isinstance(layer, Dense):
            faults.append(f"{place}: works on a row of values, expected F or G before it")
        flat = flat or isinstance(layer, (Flatten, GlobalAverage, Dense))
    return faults


def _place(tokens: Sequence[str], index: int) -> str:
    return f"layer {index + 1} {tokens[index]!r}"


def _format(layer: Layer) -> str:  # noqa: PLR0911 (one line per kind of layer)
    match layer:
        case Conv():
            head = f"C{layer.filters}k{layer.kernel}{_stride(layer.stride, 1)}"
            return f"{head}{layer.padding[0].upper()}{_options(layer, default='he')}"
        case Pool():
            return f"P{layer.size}{_stride(layer.stride, layer.size)}{layer.padding[0].upper()}"
        case Dense():
            return f"D{layer.units or 'n'}{_options(layer, default='')}"
        case Activation():
            return f"A:{layer.name}"
        case Dropout():
            return f"Do{layer.rate!r}{'' if layer.seeded else ':UNSEEDED'}"
        case BatchNorm():
            return "BN"
        case Flatten():
            return "F"
        case GlobalAverage():
            return "G"


def _stride(stride: int, default: int) -> str:
    return "" if stride == default else f"s{stride}"


def _options(layer: Conv | Dense, *, default: str) -> str:
    words = [] if layer.activation == "linear" else [layer.activation]
    words += [f"L2{layer.l2!r}"] if layer.l2 else []
    words += [] if layer.initializer == default else [layer.initializer]
    words += [] if layer.seeded else ["UNSEEDED"]
    return "".join(f":{word}" for word in words)
