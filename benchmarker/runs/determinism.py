"""Everything that makes a run repeat bit for bit, and the record of what it depends on.

The empty package ``tensorflow-determinism`` once did a part of this; today it is
``tf.config.experimental.enable_op_determinism()``, called here.
"""

from __future__ import annotations

import os
import platform
import random
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarker.core.hashing import digest_json
from benchmarker.core.seeds import derive_seed

# Versions that can change the bits of a result
PACKAGES = (
    "benchmarker",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "numpy",
    "albumentations",
)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: int) -> dict[str, str]:
    """Environment of a run's process; must be set before Keras is imported there."""
    return {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "OMP_NUM_THREADS": str(threads),
        "NVIDIA_TF32_OVERRIDE": "0",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_FLAGS": " ".join(
            (os.environ.get("XLA_FLAGS", ""), "--xla_gpu_deterministic_ops=true")
        ).strip(),
        "NO_ALBUMENTATIONS_UPDATE": "1",
        "MPLBACKEND": "Agg",
        # the child finds the package that the parent runs, installed or not
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }


def set_determinism(seed: int, threads: int, *, ops: bool = True) -> None:
    """Fix every source of chance of this process; call before any model or data set exists.

    With ``ops=False`` operations that have no deterministic form are let through.

    The global generators of Python and NumPy are seeded for the sake of plug-ins only:
    nothing in this package draws from them.
    """
    import keras

    random.seed(seed)
    np.random.seed(derive_seed(seed, "numpy"))  # noqa: NPY002 (plug-ins may draw from it)
    keras.utils.set_random_seed(derive_seed(seed, "keras"))
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    if keras.backend.backend() == "tensorflow":
        _set_tensorflow(threads, ops=ops)
    elif keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def _set_tensorflow(threads: int, *, ops: bool) -> None:
    """The TensorFlow-only part: op determinism, threads, no TF32."""
    import tensorflow as tf

    if ops:
        tf.config.experimental.enable_op_determinism()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    # operations one after the other, each on all threads: where three or more gradients meet,
    # TensorFlow adds them in the order in which their memory happens to become free
    tf.config.threading.set_inter_op_parallelism_threads(1)


def fingerprint(threads: int, *, ops: bool = True) -> dict[str, Any]:
    """What the bits of a result depend on beside its identity: versions, device, threads, flags."""
    import keras

    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "packages": _versions(),
        "backend": backend,
        "devices": _devices(backend),
        "processor": processor(),
        "machine": platform.machine(),
        "system": platform.system(),
        "threads": threads,
        "op_determinism": ops,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "float32_matmul": "full",
    }


def differences(recorded: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """Entries in which two fingerprints differ, as ``threads: 2 recorded, 1 here``."""
    keys = sorted(set(recorded) | set(here))
    return [
        f"{key}: {recorded.get(key)} recorded, {here.get(key)} here"
        for key in keys
        if digest_json(recorded.get(key)) != digest_json(here.get(key))
    ]


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _devices(backend: str) -> list[str]:
    if backend == "tensorflow":
        import tensorflow as tf

        details = [
            tf.config.experimental.get_device_details(device).get("device_name", "GPU")
            for device in tf.config.list_physical_devices("GPU")
        ]
        return details or ["CPU"]
    if backend == "jax":
        import jax

        return [device.device_kind for device in jax.devices()]
    return ["CPU"]


def processor() -> str:
    """Model name of the processor, as the system states it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or sys.platform
