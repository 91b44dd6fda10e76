"""The word by which a run list asks for a preparation."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarker.core.errors import NotReproducibleError
from benchmarker.data.preparation import NAMED, Preparation, named_preparation


def preparation_name(wanted: Preparation) -> str:
    """The name for which `named_preparation`, with the same size, gives this preparation.

    ``bin_threshold`` is an option of its own and does not count. Raises
    `NotReproducibleError` where no name of this version does.
    """
    pads = [f"pad{wanted.pad[0]}"] if wanted.pad else []
    plain = replace(wanted, bin_threshold=False)
    factor = f"/{wanted.downsample}" if wanted.downsample > 1 else ""
    for name in (*NAMED, *pads):
        if named_preparation(name + factor, size=wanted.size) == plain:
            return name + factor
    message = f"no preparation of this version is {json.dumps(wanted.as_dict())}"
    raise NotReproducibleError(message)
