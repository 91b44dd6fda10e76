"""AG-CNN: counts, maps and scores against the paper and an oracle of its own."""

import itertools

import keras
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry
from benchmarker.networks.agcnn import AGGREGATIONS, NORMALISATIONS
from benchmarker.networks.symbolic import without_memory
from tests.networks import agcnn_oracle as oracle

# trainable parameters, 150 px and two classes; rows are 0 to 3 gates
COUNTS = {
    "mean": (95_750, 91_655, 96_874, 101_433),
    "concat": (95_750, 91_655, 96_872, 101_429),
    "deep_sup": (95_750, 91_721, 96_972, 101_543),
    "ft": (95_750, 91_661, 96_884, 101_447),
}
SHAPE = (33, 26, 1)  # odd and even, so that every pooling has something to round


def make(seed=5, shape=SHAPE, classes=2, **settings):
    return registry.build("agcnn", shape, classes, seed=seed, **settings)


def tapped(model):
    """The model that gives scores, probabilities and the maps of its gates."""
    layers = {layer.name: layer for layer in model.layers}
    maps = [layers[f"gate{n}"].output for n in (1, 2, 3) if f"gate{n}" in layers]
    return keras.Model(model.input, [layers["scores"].output, model.output, *maps])


def outputs(model, images):
    """Scores, probabilities and maps as arrays, in evaluation mode."""
    found = tapped(model)(images, training=False)
    return [keras.ops.convert_to_numpy(one) for one in found]


def images(count=3, shape=SHAPE, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype("float32")


@pytest.mark.parametrize(("gates", "aggregation"), [*itertools.product(range(4), AGGREGATIONS)])
def test_parameters_are_those_of_the_paper(gates, aggregation):
    model = without_memory(lambda: make(shape=(150, 150, 1), gates=gates, aggregation=aggregation))
    count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert count == COUNTS[aggregation][gates]
    assert model.count_params() - count == 580  # running means and variances


@pytest.mark.parametrize("shape", [(150, 150, 1), (33, 26, 1), (16, 47, 3)])
def test_maps_have_the_size_of_the_features(shape):
    model = without_memory(lambda: make(shape=shape))
    height, width = shape[:2]
    for gate, divisor in ((1, 4), (2, 2), (3, 1)):
        expected = (None, height // divisor, width // divisor, 1)
        assert model.get_layer(f"gate{gate}").output.shape == expected
    assert model.get_layer("relu4b").output.shape[1:3] == (height // 8, width // 8)


CASES = [
    *({"normalisation": n, "aggregation": a} for n in NORMALISATIONS for a in AGGREGATIONS),
    *({"gates": g, "aggregation": a} for g in range(3) for a in AGGREGATIONS),
    {"maps_over": "batch"},
    {"maps_over": "batch", "normalisation": "std_mean_norm"},
    {"pooling": "mean"},
    {"pooling": "weighted", "normalisation": "sigmoid"},
    {"kernel": 5, "gates": 1},
]


@pytest.mark.parametrize("given", CASES, ids=lambda given: " ".join(map(str, given.values())))
def test_scores_and_maps_are_those_of_the_oracle(given):
    settings = registry.network_settings("agcnn", given)
    # a bias away from zero, as training leaves it; 0.3 keeps sigmoid and tanh out of saturation
    model = oracle.shake(make(psi_bias=0.3, **given))
    x = images()
    scores, probabilities, *maps = outputs(model, x)
    expected, expected_maps = oracle.forward(model, x, settings)
    assert np.abs(scores - expected).max() < 1e-4 * np.abs(expected).max()
    shifted = np.exp(expected - expected.max(axis=1, keepdims=True))
    assert np.abs(probabilities - shifted / shifted.sum(axis=1, keepdims=True)).max() < 5e-4
    assert len(maps) == settings["gates"]
    for found, wanted in zip(maps, expected_maps, strict=True):
        assert np.abs(found - wanted).max() < 2e-4 * max(1, np.abs(wanted).max())


def test_ranges_of_the_maps():
    x = images()
    for gate in outputs(oracle.shake(make()), x)[2:]:
        assert np.array_equal(gate.min(axis=(1, 2, 3)), [0, 0, 0])
        assert np.allclose(gate.max(axis=(1, 2, 3)), 1, rtol=1e-6)
    for gate in outputs(oracle.shake(make(normalisation="softmax")), x)[2:]:
        assert np.allclose(gate.sum(axis=(1, 2, 3)), 1, atol=1e-5)
    for gate in outputs(oracle.shake(make(normalisation="sigmoid")), x)[2:]:
        assert 0 <= gate.min() < gate.max() <= 1


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_an_image_without_anything_gives_finite_scores_and_gradients(normalisation):
    model = make(normalisation=normalisation, pooling="weighted")
    empty = np.zeros((2, *SHAPE), "float32")
    assert all(np.isfinite(one).all() for one in outputs(model, empty))
    # with kernels of zero every score is the same
    for gate in (1, 2, 3):
        model.get_layer(f"gate{gate}").psi.assign(np.zeros((64, 1)))
    _, _, *maps = outputs(model, images(2))
    if normalisation in ("range_norm", "std_mean_norm"):
        assert not any(gate.any() for gate in maps)
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy", run_eagerly=True)
    loss = model.train_on_batch(images(2), np.eye(2, dtype="float32"))
    assert np.isfinite(loss)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("normalisation", ["range_norm", "std_mean_norm"])
def test_a_score_depends_on_the_batch_only_where_that_was_asked_for(normalisation):
    x = images(4)
    x[3] *= 3
    for over in ("image", "batch"):
        model = oracle.shake(make(normalisation=normalisation, maps_over=over))
        together, alone = outputs(model, x)[0][:1], outputs(model, x[:1])[0]
        same = np.allclose(together, alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())
        assert same == (over == "image")


def test_aggregations_are_made_of_their_parts():
    x = images()
    one = oracle.shake(make(gates=1, aggregation="mean"))
    part = keras.Model(one.input, one.get_layer("classifier1").output)(x)
    assert np.array_equal(outputs(one, x)[0], part)
    deep = oracle.shake(make(aggregation="deep_sup"))
    names = ("classifier", "classifier1", "classifier2", "classifier3")
    parts = keras.Model(deep.input, [deep.get_layer(name).output for name in names])(x)
    assert np.allclose(outputs(deep, x)[0], np.mean(parts, axis=0), rtol=1e-5)


def test_fine_tuned_passes_negatives_as_zero():
    model = oracle.shake(make(aggregation="ft"))
    for gate in (1, 2, 3):
        layer = model.get_layer(f"classifier{gate}")
        layer.bias.assign(np.full(2, -1e9))
    bias = np.asarray(model.get_layer("scores").bias)
    assert np.array_equal(outputs(model, images())[0], np.tile(bias, (3, 1)))


def test_dropout_as_published_and_as_asked_for():
    def rates(**settings):
        model = without_memory(lambda: make(**settings))
        return [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]

    assert rates() == [0.5, 0.5, 0.5]
    assert rates(gates=2) == []
    assert rates(dropout=0) == []
    assert rates(gates=1, dropout="0.25") == [0.25]


def test_weights_begin_as_in_the_paper():
    model = make(shape=(16, 16, 1), psi_bias=10, kernel=9)
    kernel = np.asarray(model.get_layer("conv4b").kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (64 * 81)), rel=0.02)
    assert np.abs(kernel).max() > 3 * kernel.std()  # tails are not cut off
    bias = np.asarray(model.get_layer("conv4b").bias)
    assert 0.5 < np.abs(bias).max() * np.sqrt(64 * 81) <= 1
    scale = np.asarray(model.get_layer("bnorm4b").gamma)
    assert 0.01 < scale.std() < 0.03
    assert model.get_layer("bnorm4b").epsilon == pytest.approx(1e-5)
    assert model.get_layer("bnorm4b").momentum == pytest.approx(0.9)
    assert np.array_equal(model.get_layer("gate2").bias, [10])
    joint = np.asarray(make(aggregation="concat").get_layer("scores").kernel)
    assert 0.9 < np.abs(joint).max() * np.sqrt(54) <= 1


def test_all_published_variants_have_a_name():
    names = {name for name in registry.names() if registry.find(name).family == "agcnn"}
    grid = {f"agcnn_{n}_{a}" for n in NORMALISATIONS[:4] for a in AGGREGATIONS}
    assert names == {"agcnn", "agcnn_gates0", "agcnn_gates1", "agcnn_gates2", *grid}
    settings = registry.network_settings("agcnn_softmax_concat", {})
    assert (settings["normalisation"], settings["aggregation"]) == ("softmax", "concat")
    assert registry.network_settings("agcnn_gates1", {})["gates"] == 1


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"gates": 4}, "'4' is not a whole number from 0 to 3"),
        ({"normalisation": "softmx"}, "did you mean softmax"),
        ({"aggregation": "sum"}, "not one of ft, mean, concat, deep_sup"),
        ({"maps_over": "set"}, "not one of image, batch"),
        ({"dropout": "1.5"}, "0 to 0.99, nor 'published'"),
        ({"kernel": 4}, "not one of 3, 5, 7, 9"),
        ({"gate": 2}, "no setting 'gate' .did you mean gates"),
    ],
)
def test_wrong_settings_are_named(given, match):
    with pytest.raises(SettingsError, match=match):
        make(**given)


@pytest.mark.parametrize("gates", [0, 3])
def test_a_small_image_is_refused_with_the_minimum(gates):
    with pytest.raises(SettingsError, match="at least 16x16 pixels"):
        make(shape=(15, 15, 1), gates=gates)
    assert make(shape=(16, 16, 2), classes=5, gates=gates).output_shape == (None, 5)
