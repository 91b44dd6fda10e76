"""The layer-list notation: what it reads, what it refuses and how it says so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarker.core.errors import InputFileError
from benchmarker.networks.layer_types import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAverage,
    Pool,
)
from benchmarker.networks.notation import (
    emits_softmax,
    final_activation,
    format_layers,
    parse,
    parse_part,
)


def test_every_kind_of_layer_is_read():
    layers = parse(
        "C8k3s2S:relu C4k5V:relu:L20.01:gl:UNSEEDED P2S P3s2V A:leaky BN Do0.25 "
        "Do0.5:UNSEEDED F D64:relu:L20.5:he Dn:gl A:softmax"
    )
    assert layers == (
        Conv(8, 3, 2, "same", "relu"),
        Conv(4, 5, 1, "valid", "relu", 0.01, "gl", seeded=False),
        Pool(2, 2, "same"),
        Pool(3, 2, "valid"),
        Activation("leaky"),
        BatchNorm(),
        Dropout(0.25),
        Dropout(0.5, seeded=False),
        Flatten(),
        Dense(64, "relu", 0.5, "he"),
        Dense(None),
        Activation("softmax"),
    )


def test_the_published_spelling_of_leaky_is_read_too():
    assert parse_part("A:LeakyReLU") == (Activation("leaky"),)


KERNEL = {
    "activation": st.sampled_from([name for name in ACTIVATIONS if name != "leaky"]),
    "l2": st.just(0.0) | st.floats(1e-9, 1e3),
    "initializer": st.sampled_from(["he", "gl"]),
    "seeded": st.booleans(),
}
SMALL = st.integers(1, 4096)
MAP_LAYERS = st.one_of(
    st.builds(
        Conv,
        filters=SMALL,
        kernel=SMALL,
        stride=SMALL,
        padding=st.sampled_from(["same", "valid"]),
        **KERNEL,
    ),
    st.builds(Pool, size=SMALL, stride=SMALL, padding=st.sampled_from(["same", "valid"])),
)
ANY_LAYERS = st.one_of(
    st.builds(Activation, name=st.sampled_from(ACTIVATIONS)),
    st.just(BatchNorm()),
    st.builds(Dropout, rate=st.floats(0, 1, exclude_max=True), seeded=st.booleans()),
)
DENSE_LAYERS = st.builds(Dense, units=SMALL, **KERNEL)


@st.composite
def networks(draw):
    maps = draw(st.lists(MAP_LAYERS | ANY_LAYERS, max_size=8))
    turn = draw(st.sampled_from([Flatten(), GlobalAverage()]))
    dense = draw(st.lists(DENSE_LAYERS | ANY_LAYERS, max_size=5))
    return (*maps, turn, *dense, Dense(None, draw(st.sampled_from(["softmax", "sigmoid"]))))


@settings(max_examples=200, deadline=None)
@given(networks())
def test_formatted_layers_read_back_the_same(layers):
    assert parse(format_layers(layers)) == layers
    assert format_layers(parse(format_layers(layers))) == format_layers(layers)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="CPDFABGno0123456789ksSV:.relu-L |\t", max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    try:
        layers = parse(text)
    except InputFileError as error:
        assert "expected" in str(error) or "layer " in str(error)  # noqa: PT017
    else:
        assert parse(format_layers(layers)) == layers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C16k3", ["layer 1 'C16k3'", "not a layer", "C<filters>k<kernel>[s<stride>]S|V"]),
        ("C0k3S", ["'C0k3S'", "number of filters is 0, expected at least 1"]),
        ("C8k3s0S", ["stride is 0"]),
        ("P2S:relu", ["'P2S:relu'", "suffix :relu is not known here", "allowed: none"]),
        ("A:swoosh", ["'A:swoosh'", "A: and one of relu, leaky"]),
        ("A", ["'A'", "A: and one of relu"]),
        ("Do1.0", ["'Do1.0'", "from 0 to below 1"]),
        ("Do0.5:he", [":he is not known here", "allowed: :UNSEEDED"]),
        ("D64:relu:tanh", ["suffix :tanh repeats or contradicts"]),
        ("D64:L2-1", ["suffix :L2-1", ":L2<factor above 0>"]),
        ("D64:leaky", ["suffix :leaky is not known", ":relu"]),
        ("D4:softmax:gl", ["0 class layers Dn, expected exactly one"]),
        ("F Dn:softmax Dn:softmax", ["2 class layers Dn"]),
        ("F Dn:softmax D3", ["layer 2 'Dn:softmax'", "a dense layer follows"]),
        ("Dn:softmax", ["layer 1 'Dn:softmax'", "expected F or G before it"]),
        ("F C3k3S Dn:softmax", ["layer 2 'C3k3S'", "works on maps, but F or G stands before it"]),
        ("F F Dn:softmax", ["layer 2 'F'"]),
        ("F Dn", ["ends in linear, expected softmax"]),
        ("F Dn:softmax A:relu", ["ends in relu, expected softmax"]),
        ("", ["no layer given"]),
    ],
)
def test_faults_name_the_token_and_what_is_allowed(text, words):
    with pytest.raises(InputFileError) as caught:
        parse(text)
    for word in words:
        assert word in str(caught.value)


def test_all_faulty_tokens_are_listed_at_once():
    with pytest.raises(InputFileError, match="has 3 faults") as caught:
        parse("C8k3Q P2 F Do7 Dn:softmax")
    assert "layer 1 'C8k3Q'" in str(caught.value)
    assert "layer 2 'P2'" in str(caught.value)
    assert "layer 4 'Do7'" in str(caught.value)


def test_softmax_takes_the_place_of_the_final_activation_only():
    inside = parse("F D8:sigmoid Dn:sigmoid:gl")
    apart = parse("F D8:sigmoid Dn A:sigmoid Do0.5")
    assert format_layers(emits_softmax(inside)) == "F D8:sigmoid:gl Dn:softmax:gl"
    assert format_layers(emits_softmax(apart)) == "F D8:sigmoid:gl Dn:gl A:softmax Do0.5"
    assert final_activation(inside) == final_activation(apart) == "sigmoid"
