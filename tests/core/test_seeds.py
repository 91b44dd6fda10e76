"""Seeds are pinned: if one of these values changes, no published result can be repeated."""

import random

import numpy as np

from benchmarker.core.seeds import PAPER_SEEDS, derive_seed, generator


def test_values_never_change():
    assert PAPER_SEEDS == (8901, 1826, 4915)
    assert derive_seed(8901) == 753_009_847
    assert derive_seed(8901, "convXpress", 3, "kernel") == 2_144_949_831
    assert derive_seed() == 317_175_945
    assert generator(8901, 0, "order").integers(0, 1000, 5).tolist() == [855, 422, 680, 937, 265]


def test_every_part_and_its_type_matters():
    seeds = [
        derive_seed(1, "a", 2),
        derive_seed(1, "a", 3),
        derive_seed(1, "b", 2),
        derive_seed(2, "a", 1),
        derive_seed("1", "a", 2),
        derive_seed(1, "a2"),
        derive_seed(1, "a"),
    ]
    assert len(set(seeds)) == len(seeds)


def test_seeds_fit_31_bits_and_fill_them():
    seeds = [derive_seed(8901, "layer", number) for number in range(2000)]
    assert min(seeds) >= 0
    assert max(seeds) < 2**31
    assert max(seeds) > 2**31 * 0.99
    assert len(set(seeds)) == len(seeds)
    # the mean of a uniform distribution, within four standard errors
    assert abs(np.mean(seeds) / 2**31 - 0.5) < 4 / np.sqrt(12 * 2000)


def test_generators_of_different_words_differ():
    first = generator(1, "order").random(100)
    assert np.array_equal(first, generator(1, "order").random(100))
    assert not np.array_equal(first, generator(1, "noise").random(100))


def test_no_global_generator_is_drawn_from_or_seeded():
    python, numpy_state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    generator(1, "x").random(10)
    derive_seed(1, "x")
    assert random.getstate() == python
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
