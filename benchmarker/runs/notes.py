"""The notes in a file of weights: what it takes to use them without the folder of their run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarker.data.preparation import Preparation
from benchmarker.networks.definition import Definition

NOTES = "benchmarker"
_NEEDED = ("network", "network_settings", "shape", "classes", "preparation")


def notes_of(
    definition: Definition,
    *,
    shape: Sequence[int],
    classes: Sequence[str],
    preparation: Preparation,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The text metadata that lets a weights file be used by itself.

    Arguments
    ---------
    definition : of the network, as it was when it was trained
    shape : (height, width, channels) of a prepared image
    classes : names in the order of the outputs
    preparation : from a stored image to a prepared one
    facts : more that is known of the weights, ready for JSON
    """
    said = {
        "network": definition.network,
        "network_settings": dict(definition.settings),
        "network_digest": definition.digest,
        "layers": definition.layers,
        "shape": list(shape),
        "classes": list(classes),
        "preparation": preparation.as_dict(),
        "legacy": definition.legacy,
        "facts": None if facts is None else dict(facts),
    }
    # what is not known stands nowhere, as in the files of earlier versions
    kept = {key: value for key, value in said.items() if value not in (None, False)}
    return {NOTES: json.dumps(kept, allow_nan=False)}


def read_notes(texts: Mapping[str, str]) -> dict[str, Any] | None:
    """What `notes_of` wrote, out of a file's text metadata; None where it is not there."""
    try:
        said = json.loads(texts[NOTES])
        _ = [said[key] for key in _NEEDED]
        noted_definition(said)
    except (KeyError, TypeError, ValueError):
        return None
    return said


def noted_definition(said: Mapping[str, Any]) -> Definition:
    """The definition that notes name."""
    return Definition(
        said["network"],
        dict(said["network_settings"]),
        said.get("network_digest"),
        said.get("layers"),
        legacy=bool(said.get("legacy", False)),
    )
