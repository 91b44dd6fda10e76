"""The environment in which a command computes; light, because it comes before the backend."""

from __future__ import annotations

import os

# quiet, exact in float32, no more GPU memory than needed, and no look for newer versions
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "NVIDIA_TF32_OVERRIDE": "0",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}


def calm_backend() -> None:
    """Set what the numerical library reads from the environment; call before it is imported.

    What the user has set stays.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
