"""Progress on a terminal, in a file, and where nobody reads any more."""

import os
from types import SimpleNamespace

import pytest

from benchmarker.runs.progress import Console, duration

PACE = SimpleNamespace(batches=10, images_per_second=100.0, seconds_per_batch=1.0)
STATE = SimpleNamespace(epoch=0, batch=1, history=[])
FIRST = SimpleNamespace(batches=10, images_per_second=0.0, seconds_per_batch=9.0)


def test_plain_lines_in_a_file(tmp_path):
    path = tmp_path / "log.txt"
    with path.open("w") as stream:
        console = Console(stream.fileno(), "s1 simple")
        console.say("begun [not markup]")
        console.batch("simple", STATE, 2, PACE)
        console.close()
    assert path.read_text() == (
        "[s1 simple] begun [not markup]\n"
        "[s1 simple] simple epoch 1/2: batch 1 of 10, 100 images/s, 0:19 left\n"
    )


def test_the_first_step_says_nothing_of_the_pace(tmp_path):
    path = tmp_path / "log.txt"
    with path.open("w") as stream:
        console = Console(stream.fileno())
        console.batch("simple", STATE, 2, FIRST)
        console.close()
    assert path.read_text() == "simple epoch 1/2: batch 1 of 10\n"


def test_a_closed_pipe_ends_nothing():
    reader, writer = os.pipe()
    console = Console(writer)
    os.close(reader)
    console.say("nobody reads this")
    console.batch("simple", STATE, 2, PACE)
    console.say("nor this")
    console.close()
    os.close(writer)


def test_a_bar_on_a_terminal():
    master, slave = os.openpty()
    console = Console(slave)
    console.batch("simple epoch", STATE, 2, PACE)
    console.say("done")
    console.close()
    text = ""
    while "done" not in text:
        text += os.read(master, 65536).decode()
    os.close(slave)
    os.close(master)
    assert "1/10 100 images/s, 0:19 left" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (75, "1:15"), (4000, "1:06:40"), (59.6, "1:00")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
