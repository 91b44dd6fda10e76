from dataclasses import replace

import pytest

from benchmarker.core.errors import NotReproducibleError
from benchmarker.data.preparation import NAMED, named_preparation
from benchmarker.data.preparation_names import preparation_name


@pytest.mark.parametrize("name", [*NAMED, "pad64", "field/8", "scaled/2"])
@pytest.mark.parametrize("size", [None, (60, 61)])
def test_the_name_leads_back(name, size):
    wanted = named_preparation(name, size)
    assert named_preparation(preparation_name(wanted), size) == wanted


def test_bin_threshold_is_no_part_of_the_name():
    wanted = replace(named_preparation("legacy"), bin_threshold=True)
    assert preparation_name(wanted) == "legacy"


def test_what_has_no_name_is_refused_with_all_it_is():
    wanted = replace(named_preparation("scaled"), standardise=(0.1, 0.7))
    with pytest.raises(NotReproducibleError, match=r"no preparation .*\[0\.1, 0\.7\]"):
        preparation_name(wanted)
