"""Whether weights still belong to the network whose name they carry."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.networks import registry
from benchmarker.networks.definition import (
    Definition,
    definition_of,
    differences,
    is_other_source,
    source_warning,
)

LIST = "C8k3S:relu P2S F D16:relu Dn:softmax"


def listed(text=LIST, **changes):
    return Definition("mine", digest="a" * 64, layers=text, **changes)


def test_a_built_model_knows_its_definition():
    model = registry.build("agcnn", (28, 28, 1), 2, seed=5, gates=2)
    found = definition_of(model)
    assert (found.network, found.settings["gates"], found.layers) == ("agcnn", 2, None)
    assert found.settings["aggregation"] == "ft"  # also what was not said
    assert found.digest == registry.find("agcnn").digest
    assert definition_of(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])) is None


def test_a_layer_list_is_known_by_its_layers():
    assert differences(listed(), replace(listed(), network="other", digest=None)) == []
    (text,) = differences(listed(), listed(LIST.replace("D16:relu", "D16:tanh")))
    assert "layer 4 of mine is D16:relu:gl, that of this network is D16:tanh:gl" in text
    (text,) = differences(listed(), listed(LIST.replace("P2S ", "")))
    assert "layer 2" in text
    (text,) = differences(listed(), listed(LIST.replace(" F", " BN F")))
    assert "layer 3" in text


def test_the_published_output_is_a_difference_where_it_is_no_softmax():
    sigmoid = LIST.replace("softmax", "sigmoid")
    assert differences(listed(LIST, legacy=True), listed(LIST)) == []
    (text,) = differences(listed(sigmoid, legacy=True), listed(sigmoid))
    assert "Dn:sigmoid" in text
    assert "Dn:softmax" in text


def test_a_list_noted_by_its_digest_alone():
    noted = replace(listed(), layers=None)
    assert differences(noted, listed()) == []
    (text,) = differences(replace(noted, digest="b" * 64), listed())
    assert "another definition of mine: digest bbbbbbbb, here aaaaaaaa" in text


def test_python_networks_are_known_by_name_and_settings():
    one = registry.define("agcnn", {"gates": 2})
    assert differences(one, registry.define("agcnn", {"gates": "2"})) == []
    (text,) = differences(one, registry.define("agcnn", {"gates": 2, "normalisation": "softmax"}))
    assert text == ("normalisation is 'range_norm' of the weights, 'softmax' of this network")
    (text,) = differences(one, registry.define("compact", {}))
    assert text == "the weights belong to agcnn, this network is compact"
    assert differences(listed(), one) == ["the weights belong to mine, this network is agcnn"]


def test_another_source_is_no_difference_but_is_told():
    here = registry.define("compact", {})
    then = replace(here, digest="0" * 64)
    assert differences(then, here) == []
    assert is_other_source(then, here)
    assert not is_other_source(replace(then, digest=None), here)
    assert f"digest 00000000, here {here.digest[:8]}" in source_warning(then, here)


def test_a_list_is_built_from_its_own_text():
    model = registry.build_defined(listed(), (12, 12, 1), 3)
    assert model.output_shape == (None, 3)
    assert definition_of(model) == listed()
    shapes = [tuple(w.shape) for w in model.weights]
    assert shapes[0] == (3, 3, 1, 8)
    known = registry.define("mcrgnet", {})
    one = registry.build_defined(known, (32, 32, 1), 4, seed=7)
    other = registry.build("mcrgnet", (32, 32, 1), 4, seed=7)
    pairs = zip(one.weights, other.weights, strict=True)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)


def test_a_text_that_is_no_layer_list_is_refused():
    with pytest.raises(
        InputFileError, match=r"the layers of mine has 1 fault:\n  layer 1 .C8k3;rm."
    ):
        registry.build_defined(listed("C8k3;rm F Dn:softmax"), (12, 12, 1), 3)
    with pytest.raises(SettingsError, match="does not fit images of 2x2"):
        registry.build_defined(listed("P2V P2V P2V " + LIST), (2, 2, 1), 3)


def test_settings_that_were_not_said_are_filled_in_where_the_network_is_known():
    found = registry.completed(Definition("agcnn", {"gates": 2}))
    assert found.settings["aggregation"] == "ft"
    unknown = Definition("no_such_network", {"x": 1})
    assert registry.completed(unknown) == unknown
