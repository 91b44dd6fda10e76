"""The command in a card makes the same run again."""

import argparse
import shlex

import pytest

from benchmarker.cli import verb_run
from benchmarker.exports.card_making import LIST, commands, list_line
from benchmarker.runs.resolve import resolve
from benchmarker.runs.run_list import read_run_list
from benchmarker.runs.settings import RunSettings
from tests.report.factory import change_run, make_run
from tests.runs.test_repeating import OTHERS, PLAIN, as_recorded
from tests.runs.toy import write_toy


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path / "toy.npz")
    return tmp_path


def blocks(lines):
    """The lines of each code block."""
    return [part.strip().splitlines() for part in "\n".join(lines).split("```")[1::2]]


def as_typed(here, lines):
    """The settings of the first run that list and command of a card ask for."""
    (line,), typed = blocks(lines)
    (here / LIST).write_text(line + "\n")
    (entry,) = read_run_list(here / LIST)
    parser = argparse.ArgumentParser()
    verb_run.add_arguments(parser)
    arguments = parser.parse_args(shlex.split(typed[0])[2:])
    values = {**entry.settings, **verb_run.overrides(arguments)}
    return RunSettings(**{**values, "seed": arguments.seeds[0]}), arguments, typed


@pytest.mark.parametrize("changes", OTHERS)
def test_list_and_command_are_the_run(here, changes):
    record, resolved = as_recorded(here, RunSettings(**{**PLAIN, **changes}))
    settings, arguments, typed = as_typed(here, commands([record]))
    assert resolve(settings).identity["digest"] == resolved.identity["digest"]
    assert arguments.threads == record.run["fingerprint"]["threads"]
    assert typed[1] == f"benchmarker verify results/runs/{record.folder.name}"


def test_no_place_of_this_machine_is_told(here, tmp_path):
    place = str(tmp_path / "secret" / "toy.npz")
    write_toy(tmp_path / "toy.npz")
    record, _ = as_recorded(here, RunSettings(**{**PLAIN, "data": str(tmp_path / "toy.npz")}))
    change_run(record.folder, lambda run: run["place"].update(data=place, init=place))
    from benchmarker.core.records import read_record

    text = "\n".join(commands([read_record(record.folder)]))
    assert str(tmp_path) not in text
    assert "-d toy.npz" in text
    assert "Files and folders are named without the place where they lay." in text


def test_a_name_cannot_end_the_code_block(tmp_path):
    from benchmarker.core.records import read_record

    folder = make_run(tmp_path)
    change_run(folder, lambda run: run["identity"].update(network="a```\n# b"))
    lines = commands([read_record(folder)])
    assert sum(line.startswith("```") for line in lines) == 4


def test_settings_of_the_network_stand_in_the_line(tmp_path):
    from benchmarker.core.records import read_record

    folder = make_run(tmp_path, "agcnn", settings={"network_settings": {"gates": 2}, "epochs": 5})
    assert list_line(read_record(folder)).startswith("agcnn,0.0001,5,")
    assert list_line(read_record(folder)).endswith(",gates=2")
