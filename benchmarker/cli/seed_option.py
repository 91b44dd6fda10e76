"""The option ``--seeds N,N,...`` of the verbs that compare."""

from __future__ import annotations


def seeds_of(text: str | None) -> tuple[int, ...] | None:
    """The seeds, None where the option is not given; `SettingsError` for anything else."""
    from benchmarker.core.errors import SettingsError

    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() for word in words):
        message = f"--seeds {text}: expected whole numbers separated by commas"
        raise SettingsError(message)
    return tuple(sorted({int(word) for word in words}))
