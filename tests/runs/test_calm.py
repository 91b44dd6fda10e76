"""What the numerical library writes while it starts."""

import os

import pytest

from benchmarker.runs.calm import greetings_held_back


@pytest.mark.parametrize(
    ("end", "shown"), [(None, False), (RuntimeError, True), (KeyboardInterrupt, False)]
)
def test_greetings_are_shown_where_the_start_fails_and_not_on_ctrl_c(capfd, end, shown):
    def start():
        with greetings_held_back():
            os.write(2, b"hello from C++")
            if end is not None:
                raise end

    if end is None:
        start()
    else:
        with pytest.raises(end):
            start()
    assert ("hello from C++" in capfd.readouterr().err) is shown
