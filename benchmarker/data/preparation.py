"""From a stored image to the numbers a network sees: clip, crop, normalise, all declared."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmarker.core.errors import InputFileError, SettingsError, suggest
from benchmarker.core.hashing import digest_json
from benchmarker.data import field_views, planes
from benchmarker.data.field_views import MAD_TO_SIGMA, VIEWS
from benchmarker.data.images import require_shape

VERSION = 1  # part of every digest: raise it when a step below changes its result
CLIPS = ("none", "legacy", "robust", "mirabest")
NORMALISATIONS = ("minmax", "scale255", "none")
STRETCHES = ("linear", "sqrt")
CLIP_SIGMA = 3.0
BINARY_SHARE = 0.8  # of the maximum, in the original's binary threshold
GREY_WEIGHTS = (0.3, 0.59, 0.11)
BYTE_MAX = 255


@dataclass(frozen=True)
class Preparation:
    """What is done to every image of a data set, the same for each part of a split.

    Arguments
    ---------
    clip : how noise is set to 0. ``none``; ``legacy``: of the min-max scaled whole image,
        pixels above mean + 3 standard deviations stay (the 2021 comparison); ``robust``:
        pixels above median + 3 x 1.4826 x median absolute deviation stay; ``mirabest``:
        pixels above 3 sigma-clipped standard deviations stay, the result is cut to 1/255 steps
    normalise : ``minmax`` to [0, 1]; ``scale255`` divides prepared uint8 images by 255; ``none``
    stretch : ``linear``, or ``sqrt``: the root of the normalised value, so that lobes a
        hundred times fainter than the core still show
    size : (height, width) of the central crop in pixels, None keeps the whole image
    pad : (height, width) reached by zeros around the image, None adds none
    bin_threshold : the original's odd binary option: clipping is undone and pixels above
        0.8 of the maximum become 1
    circular_mask : pixels outside the inscribed circle become 0, so that an image and its
        rotations show the same sky
    keep_centre : connected groups of pixels (8 neighbours) that do not reach the central
        half of the crop become 0; needs a clip
    standardise : (mean, deviation): the network sees (value - mean) / deviation. Done last,
        after stored variants and random draws (`PreparedImages.finish`), so that the zeros
        they fill in are empty sky like the rest; `prepare` and the cache leave it out
    views : channels out of ``contrast``, ``texture`` and ``fourier`` (`field_views`), for whole
        fields whose noise is the message; instead of a clip, with normalise ``none``. All
        pixels of the image are counted, also those that `size` cuts off
    downsample : side of the blocks of pixels whose mean is taken before all else
    planes : ``unit``, ``unit-rows`` or ``as-is`` keep the channels apart, each scaled by itself
        (`planes.scaled_planes`), in place of mixing them to grey; with clip and normalise
        ``none``. ``pad`` then fills up the ends of an image, as braai does, and does not centre it

    Raises `SettingsError` for an unknown word or a combination that has no meaning.
    """

    clip: str = "none"
    normalise: str = "minmax"
    stretch: str = "linear"
    size: tuple[int, int] | None = None
    pad: tuple[int, int] | None = None
    bin_threshold: bool = False
    circular_mask: bool = False
    keep_centre: bool = False
    standardise: tuple[float, float] | None = None
    views: tuple[str, ...] = ()
    downsample: int = 1
    planes: str = ""

    def __post_init__(self) -> None:
        _refuse_word("clip", self.clip, CLIPS)
        _refuse_word("normalise", self.normalise, NORMALISATIONS)
        _refuse_word("stretch", self.stretch, STRETCHES)
        if self.stretch == "sqrt" and self.normalise == "none":
            message = "stretch sqrt needs values from 0: normalise minmax or scale255, got none"
            raise SettingsError(message)
        if self.clip in ("legacy", "mirabest") and self.normalise != "minmax":
            message = f"clip {self.clip} needs normalise minmax, got {self.normalise}"
            raise SettingsError(message)
        if self.normalise == "scale255" and self.clip != "none":
            message = (
                f"normalise scale255 is for prepared images, expected clip none, got {self.clip}"
            )
            raise SettingsError(message)
        if self.bin_threshold and self.clip != "legacy":
            message = f"bin_threshold belongs to clip legacy, got clip {self.clip}"
            raise SettingsError(message)
        if self.keep_centre and self.clip == "none":
            message = "keep_centre needs a clip: without one the noise connects all pixels"
            raise SettingsError(message)
        self._check_views()
        if self.size is not None:
            object.__setattr__(self, "size", _checked_size(self.size))
        if self.pad is not None:
            object.__setattr__(self, "pad", _checked_size(self.pad))
        if self.standardise is not None:
            object.__setattr__(self, "standardise", _checked_scaling(self.standardise))

    def _check_views(self) -> None:
        object.__setattr__(self, "views", tuple(self.views))
        for view in self.views:
            _refuse_word("view", view, VIEWS)
        others = (self.clip, self.normalise, self.stretch)
        if self.views and others != ("none", "none", "linear"):
            message = (
                f"views want clip none, normalise none and stretch linear, got {', '.join(others)}"
            )
            raise SettingsError(message)
        if self.planes:
            _refuse_word("planes", self.planes, planes.PLANES)
            if others != ("none", "none", "linear") or self.views:
                message = (
                    "planes want clip none, normalise none, stretch linear and no views, "
                    f"got {', '.join((*others, *self.views))}"
                )
                raise SettingsError(message)
        if self.downsample != int(self.downsample) or self.downsample < 1:
            message = f"downsample must be a whole number from 1, got {self.downsample}"
            raise SettingsError(message)

    def as_dict(self) -> dict[str, Any]:
        """All settings, JSON-ready, as a run record shows them; ``Preparation(**it)`` reads it.

        Keys that came later (`standardise`, `views`, `downsample`) are absent where nothing
        was chosen, so digests are those of the time before them.
        """
        fields = asdict(self)
        fields["size"] = None if self.size is None else list(self.size)
        fields["pad"] = None if self.pad is None else list(self.pad)
        for name, usual in _LATER.items():
            if fields[name] == usual:
                del fields[name]
            elif isinstance(fields[name], tuple):
                fields[name] = list(fields[name])
        return fields

    @property
    def stored(self) -> Preparation:
        """The part whose result is stored: all of it but `standardise`."""
        return self if self.standardise is None else replace(self, standardise=None)

    def channels_of(self, stored: int) -> int:
        """Channels of a prepared image: one, one for each of `views`, or all with `planes`."""
        return stored if self.planes else max(1, len(self.views))

    def shape_of(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) after preparation of an image that large; never smaller than `pad`."""
        cropped = self.size or (height // self.downsample, width // self.downsample)
        return (
            cropped
            if self.pad is None
            else (
                max(cropped[0], self.pad[0]),
                max(cropped[1], self.pad[1]),
            )
        )

    @cached_property
    def digest(self) -> str:
        """Digest of the settings and of the version of the steps."""
        return digest_json({"version": VERSION, **self.as_dict()})


# fields that came later, with what they are where nothing is chosen
_LATER = {"standardise": None, "views": (), "downsample": 1, "planes": ""}


def _refuse_word(what: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        message = f"unknown {what} {word!r}{suggest(str(word), known)}; known: {', '.join(known)}"
        raise SettingsError(message)


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    if len(size) != 2 or any(int(side) != side or side < 1 for side in size):
        message = f"size must be two whole numbers from 1 (height, width), got {size}"
        raise SettingsError(message)
    return int(size[0]), int(size[1])


def _checked_scaling(scaling: tuple[float, float]) -> tuple[float, float]:
    try:
        mean, deviation = (float(value) for value in scaling)
    except (TypeError, ValueError):
        mean = deviation = math.nan
    if not (math.isfinite(mean) and math.isfinite(deviation) and deviation > 0):
        message = (
            f"standardise must be two finite numbers (mean, deviation above 0), got {scaling!r}"
        )
        raise SettingsError(message)
    return mean, deviation


NAMED = {
    "legacy": Preparation(clip="legacy"),
    "robust": Preparation(clip="robust"),
    "mirabest": Preparation(clip="mirabest", size=(150, 150)),
    "scaled": Preparation(normalise="scale255"),
    "scaled-sqrt": Preparation(normalise="scale255", stretch="sqrt"),
    "legacy-sqrt": Preparation(clip="legacy", stretch="sqrt"),
    "minmax": Preparation(),
    "attention": Preparation(normalise="scale255", standardise=(0.5, 0.5)),
    "attention-fits": Preparation(clip="mirabest", size=(150, 150), standardise=(0.5, 0.5)),
    "field": Preparation(normalise="none", views=("contrast",)),
    "field-texture": Preparation(normalise="none", views=("texture",)),
    "field-fourier": Preparation(normalise="none", views=("fourier",)),
    "field-all": Preparation(normalise="none", views=VIEWS),
    "braai": Preparation(normalise="none", planes="unit", pad=(63, 63)),
    "braai-rows": Preparation(normalise="none", planes="unit-rows", pad=(63, 63)),
    "as-is": Preparation(normalise="none", planes="as-is"),
    "scaife2021": Preparation(normalise="scale255", pad=(151, 151), standardise=(0.0031, 0.0350)),
}


def named_preparation(name: str, size: tuple[int, int] | None = None) -> Preparation:
    """The preparation called `name`, cropped to `size` where given.

    Names: ``legacy`` (the 2021 comparison), ``robust``, ``mirabest`` (150 x 150 unless a
    size is given), ``scaled`` (prepared uint8 images over 255), ``minmax`` (no clip),
    ``scaled-sqrt`` and ``legacy-sqrt`` (their square root), ``padN`` (as ``scaled``, zeros
    around it up to N x N, for instance ``pad64``), ``attention`` (as ``scaled``, then -1 to
    1: Bowles et al. 2021), ``attention-fits`` (the same from a FIRST cut-out, clipped as
    ``mirabest``), ``scaife2021`` (as ``pad151``, then mean 0.0031 and deviation 0.0350 of the
    training images taken out: Scaife & Porter 2021), ``field`` (a whole field over its own
    mean and deviation, as RADIAnCE does), ``field-texture``, ``field-fourier`` and
    ``field-all`` (`field_views`, the last with all three as channels), ``braai`` and
    ``braai-rows`` (each plane, or each row of it, over its length, filled up to 63 x 63: Duev
    et al. 2019), ``as-is`` (planes as stored, NaN as 0); ``/N`` after a name
    takes means over N x N pixels first, for instance ``field/8``.
    Raises `SettingsError` for any other name.
    """
    name, _, factor = name.partition("/")
    if factor:
        if not re.fullmatch(r"[1-9]\d{0,3}", factor):
            message = f"preparation {name}/{factor}: expected a whole number from 1 after the slash"
            raise SettingsError(message)
        return replace(named_preparation(name, size), downsample=int(factor))
    padded = re.fullmatch(r"pad([1-9]\d{0,3})", name)
    if padded:
        preparation = Preparation(normalise="scale255", pad=(int(padded[1]), int(padded[1])))
    else:
        _refuse_word("preparation", name, (*NAMED, "padN"))
        preparation = NAMED[name]
    return preparation if size is None else replace(preparation, size=size)


def prepare(image: np.ndarray, preparation: Preparation, where: str) -> np.ndarray:
    """Apply `preparation` to one stored image.

    Arguments
    ---------
    image : (height, width) or (height, width, channels), uint8 or float; three channels
        are mixed to grey with weights 0.3, 0.59, 0.11, other numbers than one are refused
    preparation : the steps
    where : name of the image for messages

    Returns float32 (height', width', channels), finite; in [0, 1] unless `normalise` is ``none``.
    `standardise` is not applied: it comes last (`PreparedImages.finish`).
    Pixels that are not finite become 0 (see `count_nonfinite`) and take no part in
    ``robust`` and ``mirabest`` statistics. An image without contrast becomes all zeros
    under ``minmax``.

    Raises `InputFileError` naming `where`: no finite pixel, smaller than the crop,
    not uint8 under ``scale255``, two or more than three channels.
    """
    _refuse_unscaled(image, preparation, where)
    if preparation.planes:
        return _planes(require_shape(np.asarray(image), where), preparation, where)
    grey = _grey(require_shape(np.asarray(image), where), where)
    if min(grey.shape) < preparation.downsample:
        message = (
            f"{where}: {grey.shape[0]} x {grey.shape[1]} pixels, expected at least "
            f"{preparation.downsample} for means over so many"
        )
        raise InputFileError(message)
    grey = field_views.block_mean(grey, preparation.downsample)
    finite = np.isfinite(grey)
    if not finite.any():
        message = f"{where}: no finite pixel (all are NaN or infinite), expected an image"
        raise InputFileError(message)
    if preparation.views:
        values = _views(grey, preparation, where)
        return np.ascontiguousarray(values, dtype=np.float32)
    filled = np.where(finite, grey, np.float32(0))
    clipped = _crop(_clip(filled, finite, preparation), preparation.size, where)
    if preparation.keep_centre:
        clipped = _keep_centre(clipped)
    values = _normalise(clipped, preparation)
    if preparation.stretch == "sqrt":
        values = np.sqrt(values)
    values = _framed(values, preparation)
    return np.ascontiguousarray(values, dtype=np.float32)[:, :, np.newaxis]


def _framed(values: np.ndarray, preparation: Preparation) -> np.ndarray:
    """With zeros outside the circle and around the image, as far as asked for."""
    if preparation.circular_mask:
        values = np.where(_inside_circle(*values.shape), values, np.float32(0))
    if preparation.pad is not None:
        height, width = values.shape
        side = preparation.pad
        values = _pad(values, (max(height, side[0]), max(width, side[1])))
    return values


def _planes(image: np.ndarray, preparation: Preparation, where: str) -> np.ndarray:
    """(height, width, channels), each channel by itself."""
    if not np.isfinite(image).any():
        message = f"{where}: no finite pixel (all are NaN or infinite), expected an image"
        raise InputFileError(message)
    apart = [
        _crop(field_views.block_mean(plane, preparation.downsample), preparation.size, where)
        for plane in np.moveaxis(image, -1, 0)
    ]
    values = planes.scaled_planes(np.stack(apart, axis=-1), preparation.planes)
    if preparation.circular_mask:
        inside = _inside_circle(*values.shape[:2])
        values = np.where(inside[..., np.newaxis], values, np.float32(0))
    if preparation.pad is not None:
        values = planes.filled_up(values, preparation.pad)
    return np.ascontiguousarray(values, dtype=np.float32)


def _views(grey: np.ndarray, preparation: Preparation, where: str) -> np.ndarray:
    """(height, width, views) of a whole field; Fourier amplitudes are those of the crop."""
    made = {
        name: _framed(_crop(view(grey), preparation.size, where), preparation)
        for name, view in (("contrast", field_views.contrast), ("texture", field_views.texture))
        if name in preparation.views or (name == "texture" and "fourier" in preparation.views)
    }
    if "fourier" in preparation.views:
        made["fourier"] = field_views.fourier(made["texture"])
    return np.stack([made[name] for name in preparation.views], axis=-1)


def last_scaling(images: np.ndarray, standardise: tuple[float, float] | None) -> np.ndarray:
    """(images - mean) / deviation, float32 of any shape; `images` where `standardise` is None."""
    if standardise is None:
        return images
    mean, deviation = np.asarray(standardise, np.float32)
    return (images - mean) / deviation


def count_nonfinite(image: np.ndarray) -> int:
    """How many values of a stored image are NaN or infinite; `prepare` turns them into 0."""
    if not np.issubdtype(image.dtype, np.inexact):
        return 0
    return int(image.size - np.count_nonzero(np.isfinite(image)))


def mirabest_uint8(image: np.ndarray, where: str = "image") -> np.ndarray:
    """The uint8 image of the MiraBest release from its 300 x 300 FIRST cut-out.

    Returns uint8 (150, 150, 1), bit for bit that of the release.
    """
    values = prepare(image, NAMED["mirabest"], where)
    return np.rint(values * BYTE_MAX).astype(np.uint8)


def _refuse_unscaled(image: np.ndarray, preparation: Preparation, where: str) -> None:
    if preparation.normalise == "scale255" and np.asarray(image).dtype != np.uint8:
        message = (
            f"{where}: normalise scale255 expects a prepared uint8 image, got "
            f"{np.asarray(image).dtype} (use another preparation, for instance minmax)"
        )
        raise InputFileError(message)


def _grey(image: np.ndarray, where: str) -> np.ndarray:
    """(height, width, 1 or 3) -> native float32 (height, width)."""
    channels = image.shape[2]
    if channels == 1:
        return image[:, :, 0].astype(np.float32, copy=False)  # no step below writes into it
    if channels == len(GREY_WEIGHTS):
        # NaN and infinity may meet in one pixel; it is not finite either way
        with np.errstate(invalid="ignore"):
            return image.astype(np.float32) @ np.asarray(GREY_WEIGHTS, np.float32)
    message = f"{where}: expected 1 channel, or 3 to mix to grey, got shape {image.shape}"
    raise InputFileError(message)


def _clip(values: np.ndarray, finite: np.ndarray, preparation: Preparation) -> np.ndarray:
    if preparation.clip == "none":
        return values
    if preparation.clip == "legacy":
        return _legacy_clip(_minmax(values), binary=preparation.bin_threshold)
    limit = _robust_limit if preparation.clip == "robust" else _mirabest_limit
    return np.where(values > limit(values, finite), values, np.float32(0))


def _legacy_clip(scaled: np.ndarray, *, binary: bool) -> np.ndarray:
    if binary:
        return np.where(scaled > BINARY_SHARE * scaled.max(), np.float32(1), scaled)
    mean = np.mean(scaled, dtype=np.float64)
    limit = mean + CLIP_SIGMA * np.std(scaled, dtype=np.float64)
    return np.where(scaled > limit, scaled, np.float32(0))


def _robust_limit(values: np.ndarray, finite: np.ndarray) -> float:
    sky = values[finite].astype(np.float64)
    median = np.median(sky)
    return float(median + CLIP_SIGMA * MAD_TO_SIGMA * np.median(np.abs(sky - median)))


def _mirabest_limit(values: np.ndarray, finite: np.ndarray) -> float:
    from astropy.stats import sigma_clipped_stats

    mask = None if finite.all() else ~finite
    # kept in float32: the release was made so, and one bit decides about a pixel
    deviation = sigma_clipped_stats(values, mask=mask, sigma=CLIP_SIGMA, maxiters=5)[2]
    return 3 * deviation


def _crop(values: np.ndarray, size: tuple[int, int] | None, where: str) -> np.ndarray:
    """Central crop; where the margin is odd, the extra row or column goes at the end."""
    if size is None:
        return values
    if size[0] > values.shape[0] or size[1] > values.shape[1]:
        message = (
            f"{where}: image is smaller than the crop: expected at least "
            f"{size[0]} x {size[1]} pixels, got {values.shape[0]} x {values.shape[1]}"
        )
        raise InputFileError(message)
    top, left = (values.shape[0] - size[0]) // 2, (values.shape[1] - size[1]) // 2
    return values[top : top + size[0], left : left + size[1]]


def _pad(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Zeros on all sides; where the margin is odd, the extra row or column goes at the end."""
    out = np.zeros(shape, np.float32)
    top, left = (shape[0] - values.shape[0]) // 2, (shape[1] - values.shape[1]) // 2
    out[top : top + values.shape[0], left : left + values.shape[1]] = values
    return out


def _keep_centre(values: np.ndarray) -> np.ndarray:
    from scipy.ndimage import label

    groups, _ = label(values != 0, structure=np.ones((3, 3)))
    rows, columns = values.shape
    centre = groups[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    return np.where(np.isin(groups, np.unique(centre)), values, np.float32(0))


def _normalise(values: np.ndarray, preparation: Preparation) -> np.ndarray:
    if preparation.clip == "legacy" or preparation.normalise == "none":
        return values  # legacy scales the whole image, before its clip
    if preparation.normalise == "scale255":
        return values / np.float32(BYTE_MAX)
    scaled = _minmax(values)
    if preparation.clip != "mirabest":
        return scaled
    # the release is uint8, cut and not rounded
    return (scaled * BYTE_MAX).astype(np.uint8).astype(np.float32) / np.float32(BYTE_MAX)


def _minmax(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    if low == high:
        return np.zeros_like(values)
    extent = np.float64(high) - np.float64(low)
    if extent > np.finfo(np.float32).max:  # would overflow
        return ((values.astype(np.float64) - low) / extent).astype(np.float32)
    return (values - low) / (high - low)


def _inside_circle(height: int, width: int) -> np.ndarray:
    rows = np.arange(height)[:, np.newaxis] - (height - 1) / 2
    columns = np.arange(width)[np.newaxis, :] - (width - 1) / 2
    return np.hypot(rows, columns) <= min(height, width) / 2
