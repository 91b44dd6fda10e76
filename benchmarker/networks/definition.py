"""What a network was when its weights were trained: name, settings, and the definition behind.

Names outlive definitions: an activation that is changed in a text file, or a setting that
changes no shape, gives another network that takes the same weights without a word. So a
file of weights says what they belong to, and this module says whether that is still so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from benchmarker.networks.layer_types import Layer
from benchmarker.networks.notation import emits_softmax, format_layers, parse


@dataclass(frozen=True)
class Definition:
    """Which network something is, or was.

    Arguments
    ---------
    network : name in the registry
    settings : value of every setting of a Python network
    digest : of the definition, as in the identity of a run; None where nobody noted it
    layers : canonical text of a layer list; None for a Python network, or where not noted
    legacy : whether it keeps its published output
    """

    network: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    digest: str | None = None
    layers: str | None = None
    legacy: bool = False

    def read_layers(self) -> tuple[Layer, ...]:
        """The layers that are built: with the published output, or with a softmax.

        Raises `InputFileError` where the text is no layer list.
        """
        found = parse(self.layers or "", where=f"the layers of {self.network}")
        return found if self.legacy else emits_softmax(found)

    @property
    def short_digest(self) -> str:
        """The digest, cut for messages."""
        # numpy comes with hashing; a table of networks does without
        from benchmarker.core.hashing import SHORT

        return (self.digest or "unknown")[:SHORT]


_of_models: WeakKeyDictionary[Any, Definition] = WeakKeyDictionary()


def remember(model: Any, definition: Definition) -> Any:
    """Note of which definition a Keras model was built; returns the model."""
    _of_models[model] = definition
    return model


def definition_of(model: Any) -> Definition | None:
    """What `remember` noted; None for a model that the registry did not build."""
    return _of_models.get(model)


def differences(noted: Definition, wanted: Definition) -> list[str]:
    """Why weights of `noted` do not belong into `wanted`, one text per reason; none if they do.

    Two Python sources of one name differ by a comment too, which is no reason: see
    `is_other_source`.
    """
    if noted.layers is not None and wanted.layers is not None:
        ours, theirs = (format_layers(one.read_layers()) for one in (wanted, noted))
        return [] if ours == theirs else [_other_layers(noted, wanted, theirs, ours)]
    if noted.network != wanted.network:
        return [f"the weights belong to {noted.network}, this network is {wanted.network}"]
    if noted.layers is None and wanted.layers is not None:
        # a file from before layers were noted: its digest alone tells
        return [_other_digest(noted, wanted)] if _unlike(noted.digest, wanted.digest) else []
    if noted.layers is not None:
        return [f"the weights belong to a layer list, {wanted.network} is a Python network here"]
    keys = sorted({*noted.settings, *wanted.settings})
    return [
        f"{key} is {_shown(noted.settings, key)} of the weights, "
        f"{_shown(wanted.settings, key)} of this network"
        for key in keys
        if noted.settings.get(key) != wanted.settings.get(key)
    ]


def is_other_source(noted: Definition, wanted: Definition) -> bool:
    """Whether two Python networks of one name come from sources that differ in some letter."""
    python = noted.layers is None and wanted.layers is None
    same_name = noted.network == wanted.network
    return python and same_name and _unlike(noted.digest, wanted.digest)


def source_warning(noted: Definition, wanted: Definition) -> str:
    """The sentence for `is_other_source`."""
    return (
        f"{noted.network} was defined by another source when these weights were trained "
        f"(digest {noted.short_digest}, here {wanted.short_digest}): the scores may differ"
    )


def _unlike(one: str | None, other: str | None) -> bool:
    return None not in (one, other) and one != other


def _other_layers(noted: Definition, wanted: Definition, theirs: str, ours: str) -> str:
    pairs = list(zip(theirs.split(), ours.split(), strict=False))
    place = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
    if place is None:
        count = (len(theirs.split()), len(ours.split()))
        text = f"{count[0]} layers of {noted.network}, this network has {count[1]}"
    else:
        text = (
            f"layer {place + 1} of {noted.network} is {pairs[place][0]}, "
            f"that of this network is {pairs[place][1]}"
        )
    name = "" if noted.network == wanted.network else f" ({wanted.network})"
    return f"the weights belong to another definition{name}: {text}"


def _other_digest(noted: Definition, wanted: Definition) -> str:
    return (
        f"the weights belong to another definition of {noted.network}: digest "
        f"{noted.short_digest}, here {wanted.short_digest}"
    )


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings[key]) if key in settings else "not set"
