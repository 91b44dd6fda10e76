import json

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.runs.settings import RUN_LIST_KEYS, RunSettings, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("150", (150, 150)), ("150x200", (150, 200)), ("64,48", (64, 48))]
)
def test_size(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "0", "-3", "1x2x3", "12.5", "150px"])
def test_bad_size_says_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"expected e\.g\. 150 or 150x200"):
        parse_size(text)


def test_settings_go_through_json_unchanged():
    settings = RunSettings("simple", 1e-4, 3, size=(64, 48), recipe="d4", train=5, validation=2)
    again = RunSettings.from_dict(json.loads(json.dumps(settings.as_dict())))
    assert again == settings


def test_unknown_settings_are_refused():
    values = RunSettings("simple", 1e-4, 3).as_dict() | {"colour": "red"}
    with pytest.raises(SettingsError, match="unknown settings colour"):
        RunSettings.from_dict(values)


def test_every_run_list_key_is_a_setting():
    assert set(RUN_LIST_KEYS) <= set(RunSettings("simple", 1e-4, 3).as_dict())


@pytest.mark.parametrize(
    ("key", "text"),
    [("schedule", "plato"), ("optimizer", "Adam"), ("class_weights", "yes"), ("precision", "int8")],
)
def test_words_are_checked(key, text):
    with pytest.raises(ValueError, match="is not one of"):
        RUN_LIST_KEYS[key](text)
