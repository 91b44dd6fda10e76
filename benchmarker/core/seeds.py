"""Seeds: everything random is a pure function of who draws it.

No code of this package draws from a global generator; a generator is made where it
is needed, from the run seed and the words that say what it is for.
"""

from __future__ import annotations

import hashlib

import numpy as np

PAPER_SEEDS = (8901, 1826, 4915)  # Becker et al. 2021: results are the mean of these three


def derive_seed(*parts: int | str) -> int:
    """A 31-bit seed from words and numbers, e.g. ``derive_seed(8901, "convXpress", 3, "kernel")``.

    A fixed hash (BLAKE2b), so neither the Python version nor the order in which layers
    or images are visited changes it. 31 bits fit every library's seed argument.
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """A NumPy generator (PCG64) for the given words, e.g. ``generator(seed, epoch, "order")``."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    entropy = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.PCG64(entropy))
