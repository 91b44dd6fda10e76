"""Errors carry exit codes, collect faults and offer near names."""

import doctest

import pytest

from benchmarker.core import errors
from benchmarker.core.errors import (
    BenchmarkerError,
    CheckFailedError,
    InputFileError,
    Problems,
    RunFailedError,
    SettingsError,
    suggest,
)


def test_the_example_in_the_text_is_true():
    assert doctest.testmod(errors).failed == 0
    assert doctest.testmod(errors).attempted > 0


@pytest.mark.parametrize(
    ("kind", "code"),
    [(InputFileError, 1), (SettingsError, 1), (RunFailedError, 2), (CheckFailedError, 3)],
)
def test_exit_codes(kind, code):
    assert issubclass(kind, BenchmarkerError)
    assert kind("text").exit_code == code


def test_no_fault_raises_nothing():
    problems = Problems("list.txt")
    assert not problems
    problems.raise_if_any()


def test_all_faults_stand_in_one_error_with_their_lines():
    problems = Problems("list.txt", SettingsError)
    problems.add("rate is -1, expected more than 0", line=7)
    problems.add("no run")
    assert problems
    with pytest.raises(SettingsError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == (
        "list.txt has 2 faults:\n  line 7: rate is -1, expected more than 0\n  no run"
    )


def test_near_names_are_offered_in_their_own_spelling():
    known = ["convXpress", "mcrgnet", "agcnn"]
    assert suggest("convxpres", known) == " (did you mean convXpress?)"
    assert suggest("alexnet", ["vgg"]) == ""
    assert suggest("x", iter([])) == ""
