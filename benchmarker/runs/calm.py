"""The numerical library, made ready for a command that computes in its own process.

A run has a process whose environment is set by its parent; here it is set late, before the
library is imported, and the library's greetings are kept from the screen.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# quiet, exact in float32, no more GPU memory than needed, and no look for newer versions
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "NVIDIA_TF32_OVERRIDE": "0",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "MPLBACKEND": "Agg",
}


def start_backend() -> None:
    """Set what the library reads from the environment, then import it and wake its device.

    What the user has set stays. Call it before anything that imports Keras.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # several networks, each compiled once: TensorFlow takes that for a mistake and says so
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with greetings_held_back():
        import keras

        keras.ops.convert_to_numpy(keras.ops.zeros((1,)))


@contextmanager
def greetings_held_back() -> Iterator[None]:
    """Keep what C++ code writes to stderr; shown only where the block fails, not on Ctrl-C."""
    sys.stderr.flush()
    descriptor = 2
    kept = os.dup(descriptor)
    try:
        with tempfile.TemporaryFile("w+") as said:
            os.dup2(said.fileno(), descriptor)
            try:
                yield
            except Exception:
                os.dup2(kept, descriptor)
                said.seek(0)
                shutil.copyfileobj(said, sys.stderr)
                raise
            finally:
                os.dup2(kept, descriptor)
    finally:
        os.close(kept)
