"""The parts of a network when it starts from other weights: what is taken, new, frozen, slowed.

The last layers always begin anew: those that no other weights stand behind on the way to the
scores, and those whose shape follows from the number of classes (the dense layers in
parallel of AG-CNN are both). All other layers with weights are the trunk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fnmatch import fnmatchcase
from typing import Any

from benchmarker.core.errors import Problems, SettingsError, suggest

TRUNK = "trunk"
JOIN = "+"
_WILD = frozenset("*?[")

Shapes = tuple[tuple[int, ...], ...]


def layer_shapes(model: Any) -> dict[str, Shapes]:
    """Layers that hold weights, in the model's order, with the shapes of their weights."""
    return {
        layer.name: tuple(tuple(weight.shape) for weight in layer.weights)
        for layer in model.layers
        if layer.weights
    }


def new_layers(build: Callable[[int], Any], classes: int) -> tuple[str, ...]:
    """Names of the layers that begin anew, in the model's order.

    Arguments
    ---------
    build : number of classes -> functional model; shapes are enough
    classes : of the run
    """
    model = build(classes)
    shapes, others = layer_shapes(model), layer_shapes(build(classes + 1))
    last = last_layers(model)
    return tuple(
        name for name, shape in shapes.items() if name in last or others.get(name) != shape
    )


def last_layers(model: Any) -> set[str]:
    """Layers whose output reaches the model's without passing other weights."""
    found: set[str] = set()
    waiting, seen = list(model.outputs), set()
    while waiting:
        operation, node, _ = waiting.pop()._keras_history  # noqa: SLF001 (Keras tells the graph nowhere else)
        if (operation, node) in seen:
            continue
        seen.add((operation, node))
        if getattr(operation, "weights", None):
            found.add(operation.name)
        else:
            waiting += operation._inbound_nodes[node].input_tensors  # noqa: SLF001
    return found


def frozen_layers(
    freeze: str | None, taken: Sequence[str], new: Collection[str]
) -> tuple[str, ...]:
    """The layers that `freeze` names, in the order of `taken`.

    Arguments
    ---------
    freeze : ``trunk`` for all that are taken, or names, beginnings of names or patterns
        (``conv*``), several with ``+``; None freezes nothing
    taken : layers that take the weights of another network
    new : layers that begin anew; they cannot be frozen

    Raises `SettingsError` for a part that is no layer taken.
    """
    if freeze is None:
        return ()
    problems = Problems(f"--freeze {freeze}", SettingsError)
    found: set[str] = set()
    for part in (piece.strip() for piece in freeze.split(JOIN)):
        matches = _named(part, taken)
        if matches:
            found.update(matches)
        elif part and _named(part, tuple(new)):
            problems.add(f"{part!r} begins anew at random, so it must learn; {TRUNK} is the rest")
        else:
            problems.add(
                f"no layer {part!r}{suggest(part, taken)}; expected {TRUNK}, or out of "
                f"{', '.join(taken)} a name, the beginning of names, or a pattern such as conv*"
            )
    problems.raise_if_any()
    return tuple(name for name in taken if name in found)


def _named(part: str, layers: Sequence[str]) -> list[str]:
    if part == TRUNK:
        return list(layers)
    if part in layers:
        return [part]
    if _WILD & set(part):
        return [name for name in layers if fnmatchcase(name, part)]
    return [name for name in layers if part and name.startswith(part)]


def freeze(model: Any, layers: Collection[str]) -> None:
    """Let the layers stay as they are: no gradient, and batch normalisation as in inference.

    Call before the model is compiled.
    """
    for layer in model.layers:
        if layer.name in layers:
            layer.trainable = False


def weights_of(model: Any, layers: Collection[str]) -> list[Any]:
    """The trainable weights of these layers."""
    return [
        weight
        for layer in model.layers
        if layer.name in layers
        for weight in layer.trainable_weights
    ]


def with_slowed(optimizer: type, slowed: Sequence[Any], factor: float) -> type:
    """The optimizer's class with another learning rate for some weights.

    Arguments
    ---------
    optimizer : a Keras optimizer class whose step is proportional to its learning rate
    slowed : Keras variables that train at `factor` times the rate in force; so does their
        decoupled weight decay
    factor : above 0

    Everything else, the optimizer's own variables included, is as without: a checkpoint of
    the one holds what the other needs.
    """
    from keras import ops

    known = frozenset(id(variable) for variable in slowed)

    class Slowed(optimizer):
        """Two rates, by variable."""

        def _backend_update_step(
            self, grads: Sequence[Any], trainable_variables: Sequence[Any], learning_rate: Any
        ) -> None:
            # the one place that every backend passes, with its own way to apply a step
            pairs = list(zip(grads, trainable_variables, strict=True))
            for is_slow in (True, False):
                part = [pair for pair in pairs if (id(pair[1]) in known) is is_slow]
                if part:
                    rate = ops.multiply(learning_rate, factor) if is_slow else learning_rate
                    super()._backend_update_step(*map(list, zip(*part, strict=True)), rate)

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            if self.weight_decay is None:
                return
            for variable in filter(self._use_weight_decay, variables):
                rate = self.learning_rate * (factor if id(variable) in known else 1.0)
                share = ops.cast(rate * self.weight_decay, variable.dtype)
                variable.assign(ops.subtract(variable, ops.multiply(variable, share)))

    Slowed.__name__ = optimizer.__name__
    return Slowed
