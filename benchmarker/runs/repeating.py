"""From a record back to the settings that make the same run once more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarker.core.errors import BenchmarkerError, NotReproducibleError, Problems
from benchmarker.core.files import write_text
from benchmarker.core.hashing import digest_json
from benchmarker.core.records import BY_CONTENT, DETERMINING, Record
from benchmarker.data.preparation import Preparation
from benchmarker.data.preparation_names import preparation_name
from benchmarker.data.recipes import Recipe, load_recipe, rotations
from benchmarker.runs.resolve import Resolved, reopen, resolve
from benchmarker.runs.settings import RunSettings
from benchmarker.runs.trained import preparation_from

FULL_TURN = 360
# identity settings that are no settings of a run: the first is found anew, the second by place
_FOUND = ("size", "init", "network_settings")


def repeated(record: Record, folder: Path, given: str | None = None) -> Resolved:
    """The run of `record`, decided once more from its data.

    Arguments
    ---------
    record : of a run that has begun
    folder : for the text of a recipe that is no longer found by its name
    given : where the images lie now; else they are looked for as `reopen` does

    Raises `MissingDataError` where data or initial weights are gone, and
    `NotReproducibleError` listing what would not be the same run here.
    """
    settings, _ = reopen(record, given)
    resolved = resolve(_settings(record, settings, folder))
    texts = other_identity(record.identity, resolved.identity)
    if not texts and resolved.identity["digest"] != record.identity["digest"]:
        texts = ["run.json was edited: its identity has another digest"]
    problems = Problems(f"{record.folder}: the same run cannot be made", NotReproducibleError)
    for text in texts:
        problems.add(text)
    problems.raise_if_any()
    return resolved


def _settings(record: Record, found: RunSettings, folder: Path) -> RunSettings:
    identity = record.identity
    known = RunSettings.__dataclass_fields__.keys()
    values: dict[str, Any] = {
        key: value for key, value in record.settings.items() if key in known and key not in _FOUND
    }
    chosen = dict(record.settings.get("network_settings", {}))
    preparation = _preparation(record)
    return replace(
        found,
        **values,
        precision=identity["precision"],
        protocol=identity["protocol"],
        seed=record.seed,
        network_settings=tuple(sorted(chosen.items())),
        init=record.run.get("place", {}).get("init"),
        recipe=_recipe_name(record, folder),
        preparation=preparation_name(preparation),
        bin_threshold=preparation.bin_threshold,
        size=preparation.size,
    )


def _preparation(record: Record) -> Preparation:
    stated = record.identity["preparation"]
    plain = {key: value for key, value in stated.items() if key != "digest"}
    return preparation_from(plain, record.folder / "run.json")


def _recipe_name(record: Record, folder: Path) -> str:
    """A word for the recipe that leads to the record's digest."""
    stated = record.identity["recipe"]
    for word, recipe in _recipes(stated):
        if recipe.digest == stated["digest"]:
            return word
    # the text is no longer there, or says something else by now: the record holds all of it
    path = write_text(folder / f"{_word(stated['name'])}.yaml", _recipe_text(stated))
    if load_recipe(path).digest != stated["digest"]:
        message = f"the recipe {stated['name']} of the record does something else in this version"
        raise NotReproducibleError(message)
    return str(path)


def _recipes(stated: dict[str, Any]) -> Iterator[tuple[str, Recipe]]:
    expansion = stated.get("expansion", [])
    if len(expansion) > 1 and float(expansion[1][0]).is_integer():
        step = int(expansion[1][0])
        if 1 <= step <= FULL_TURN:
            yield f"rotations:{step}", rotations(step)
    with suppress(BenchmarkerError):  # the record itself holds the recipe
        yield stated["name"], load_recipe(stated["name"])


def _recipe_text(stated: dict[str, Any]) -> str:
    """The recipe as the text file that `load_recipe` reads; JSON is YAML."""
    turned = [angle for angle, mirrored in stated["expansion"] if not mirrored]
    content = {
        "rotations": len(turned),
        "flips": len(turned) < len(stated["expansion"]),
        "draw": stated["draw"],
        "transforms": stated["transforms"],
    }
    return json.dumps(content, indent=2) + "\n"


def _word(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name) or "recipe"


def other_identity(recorded: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """In which determining parts two identities differ, in words."""
    texts = []
    for key in DETERMINING:
        if digest_json(recorded.get(key)) == digest_json(here.get(key)):
            continue
        if key == "settings":
            texts += _other_settings(recorded[key], here[key])
        elif key == "network_digest":
            texts.append(f"the definition of {recorded['network']} is another one here")
        else:
            texts.append(f"{key} is {recorded.get(key)} in the record, {here.get(key)} here")
    texts += [
        f"{key} is {_named(recorded[key])} in the record, {_named(here[key])} here"
        for key in BY_CONTENT
        if recorded[key]["digest"] != here[key]["digest"]
    ]
    return texts


def _other_settings(recorded: dict[str, Any], here: dict[str, Any]) -> list[str]:
    keys = sorted({*recorded, *here})
    return [
        f"{key} is {recorded.get(key)} in the record, {here.get(key)} here"
        for key in keys
        if digest_json(recorded.get(key)) != digest_json(here.get(key))
    ]


def _named(part: dict[str, Any]) -> str:
    word = part.get("name") or part.get("rule") or "digest"
    return f"{word} {part['digest'][:8]}"
