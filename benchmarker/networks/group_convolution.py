"""Convolutions that share weights over rotations and mirror images (Cohen & Welling 2016).

Feature maps of a group G lie in the channels of an ordinary tensor, (batch, height, width,
order x fields), group element by group element: channel ``g * fields + f`` is field f seen
by element g. A rotated image gives rotated maps whose elements are permuted.

The kernel of one field is expanded to all elements once per step, and one ordinary
convolution does the rest: the cost is that of a plain convolution with as many channels.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarker.networks.plane_groups import group_moves, kernel_moves, plane_group

PACKAGE = "benchmarker"


@keras.saving.register_keras_serializable(package=PACKAGE)
class GroupConv2D(keras.layers.Layer):
    """Convolution from an image (`lifting`) or from group feature maps to group feature maps.

    Arguments
    ---------
    fields : independent filters; the output has ``order * fields`` channels
    kernel_size : pixels per side
    group : ``c4``, ``d4``, ``d8``, ...; see `plane_groups`
    lifting : True if the input is an image, whose channels know nothing of the group
    padding : ``same`` (odd kernels only), ``valid``, or zeros on each side in pixels
    activation : applied to the output
    use_bias : one bias per field, the same for all elements
    kernel_seed : seed of the He initialiser (Gaussian, by the fan-in of the
        expanded kernel)

    Input float (b, height, width, channels), output (b, height', width', order * fields).
    Raises `ValueError` for channels that are no multiple of the group's order.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options of one layer
        self,
        fields: int,
        kernel_size: int,
        *,
        group: str,
        lifting: bool = False,
        padding: str | int = "same",
        activation: str | None = None,
        use_bias: bool = True,
        kernel_seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if padding == "same" and kernel_size % 2 == 0:
            message = (
                f"padding same needs an odd kernel, got {kernel_size}: it would not be central"
            )
            raise ValueError(message)
        self.fields = fields
        self.side = kernel_size
        self.group = plane_group(group)
        self.lifting = lifting
        self.margin = None if isinstance(padding, str) else padding
        self.padding = padding if isinstance(padding, str) else f"margin {padding}"
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_seed = kernel_seed

    @property
    def filters(self) -> int:
        """Channels of the output."""
        return self.group.order * self.fields

    @property
    def kernel_size(self) -> tuple[int, int]:
        """Pixels of the kernel, as ordinary convolutions state it."""
        return (self.side, self.side)

    @property
    def strides(self) -> tuple[int, int]:
        """Always (1, 1): a stride sees other pixels in a rotated image."""
        return (1, 1)

    @property
    def multiply_adds(self) -> int:
        """Of the expanded convolution, for one image; the layer must have been called."""
        height, width = self.output.shape[1:3]
        return height * width * self.side**2 * self.input.shape[-1] * self.filters

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: (side, side, order, channels per element, fields) and (fields,)."""
        seen = 1 if self.lifting else self.group.order
        channels, rest = divmod(input_shape[-1], seen)
        if rest:
            message = (
                f"{self.name}: {input_shape[-1]} channels are no feature maps of "
                f"{self.group.name}, expected a multiple of {seen}"
            )
            raise ValueError(message)
        self.kernel = self.add_weight(
            shape=(self.side, self.side, seen, channels, self.fields),
            initializer=self._initializer(),
            name="kernel",
        )
        self.bias = (
            self.add_weight(shape=(self.fields,), initializer="zeros", name="bias")
            if self.use_bias
            else None
        )

    def _initializer(self) -> keras.initializers.Initializer:
        # interpolation and the disc take variance away, which He's rule counts on
        moves = kernel_moves(self.group, self.side)
        kept = float(np.square(moves, dtype=np.float64).sum()) / self.group.order / self.side**2
        return keras.initializers.VarianceScaling(
            scale=2.0 / kept,
            mode="fan_in",
            distribution="truncated_normal",
            seed=self.kernel_seed,
        )

    def expanded_kernel(self) -> Any:
        """The kernel of the ordinary convolution: (side, side, channels, order * fields)."""
        order, taps = self.group.order, self.side**2
        _, _, seen, channels, fields = self.kernel.shape
        moves = ops.reshape(self._constant(kernel_moves(self.group, self.side)), (-1, taps))
        copies = ops.matmul(
            moves, ops.reshape(ops.cast(self.kernel, self.compute_dtype), (taps, -1))
        )
        copies = ops.reshape(copies, (order, taps, seen, channels, fields))
        if not self.lifting:
            copies = ops.reshape(ops.transpose(copies, (0, 2, 1, 3, 4)), (order, seen, -1))
            copies = ops.matmul(self._constant(group_moves(self.group)), copies)
            copies = ops.reshape(copies, (order, seen, taps, channels, fields))
            copies = ops.transpose(copies, (0, 2, 1, 3, 4))
        kernel = ops.transpose(copies, (1, 2, 3, 0, 4))
        return ops.reshape(kernel, (self.side, self.side, seen * channels, order * fields))

    def _constant(self, values: np.ndarray) -> Any:
        return ops.convert_to_tensor(values, dtype=self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        """Expand the kernel, convolve, add the bias of each field."""
        padding = self.padding
        if self.margin is not None:
            sides = (self.margin, self.margin)
            inputs, padding = ops.pad(inputs, ((0, 0), sides, sides, (0, 0))), "valid"
        outputs = ops.conv(inputs, self.expanded_kernel(), strides=1, padding=padding)
        if self.bias is not None:
            outputs = outputs + ops.tile(ops.cast(self.bias, outputs.dtype), (self.group.order,))
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(b, height', width', order * fields)."""
        lost = 0 if self.padding == "same" else self.side - 1 - 2 * (self.margin or 0)
        height, width = (None if side is None else side - lost for side in input_shape[1:3])
        return (input_shape[0], height, width, self.filters)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "fields": self.fields,
            "kernel_size": self.side,
            "group": self.group.name,
            "lifting": self.lifting,
            "padding": self.padding if self.margin is None else self.margin,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_seed": self.kernel_seed,
        }


@keras.saving.register_keras_serializable(package=PACKAGE)
class GroupBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation with one mean, variance, scale and shift per field.

    All elements of a group share them: separate ones would tell directions apart.
    Input and output (b, height, width, order * fields).
    """

    def __init__(self, *, group: str, **options: Any) -> None:
        super().__init__(**options)
        self.group = plane_group(group)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights, (fields,) each."""
        super().build((*input_shape[:-1], input_shape[-1] // self.group.order))
        self.input_spec = None

    def call(self, inputs: Any, **options: Any) -> Any:
        """Normalise; the elements stand side by side along the width meanwhile."""
        height, width, channels = inputs.shape[1:]
        order = self.group.order
        beside = ops.reshape(inputs, (-1, height, width * order, channels // order))
        outputs = super().call(beside, **options)
        return ops.reshape(outputs, (-1, height, width, channels))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "group": self.group.name}


@keras.saving.register_keras_serializable(package=PACKAGE)
class GroupPooling(keras.layers.Layer):
    """From group feature maps to maps that no longer know a direction: max or mean over G.

    Input (b, ..., order * fields), output (b, ..., fields).
    """

    def __init__(self, *, group: str, how: str = "max", **options: Any) -> None:
        super().__init__(**options)
        if how not in ("max", "mean"):
            message = f"how is {how!r}, expected max or mean"
            raise ValueError(message)
        self.group = plane_group(group)
        self.how = how

    def call(self, inputs: Any) -> Any:
        """The largest, or the mean, over the elements of the group."""
        shape = tuple(inputs.shape[1:-1])
        fields = inputs.shape[-1] // self.group.order
        maps = ops.reshape(inputs, (-1, *shape, self.group.order, fields))
        return ops.max(maps, axis=-2) if self.how == "max" else ops.mean(maps, axis=-2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(b, ..., fields)."""
        return (*input_shape[:-1], input_shape[-1] // self.group.order)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "group": self.group.name, "how": self.how}


def centred_pool(tensor: Any, name: str, *, kind: str = "max") -> Any:
    """Halve height and width so that a rotated map gives a rotated result, at every size.

    Windows of 2 pixels leave out the last row of an odd number of rows, which is another
    row once the image is turned: there windows of 3 pixels overlap instead. The result has
    floor(n / 2) rows either way.
    """
    layer = keras.layers.MaxPooling2D if kind == "max" else keras.layers.AveragePooling2D
    windows = tuple(2 + side % 2 for side in tensor.shape[1:3])
    return layer(windows, strides=2, padding="valid", name=name)(tensor)
