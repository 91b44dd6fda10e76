"""The registry: names, suggestions, digests and plug-ins."""

import importlib.metadata
from dataclasses import replace

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.networks import entries, registry
from benchmarker.networks.entries import ROLES, LayerSeeds, NetworkEntry, PythonNetwork
from benchmarker.networks.papers import PAPERS

CORE = {
    "convXpress", "conv4", "conv8", "vgg16_d_real", "alexnet_real_do_seed", "alexnet_adapted",
    "simple", "mcrgnet", "hosenie", "atlas", "fr_deep_real", "first_class", "radio_galaxy_zoo",
    "toothless_real",
}  # fmt: skip


def test_the_core_networks_of_the_paper_are_marked():
    entries = [registry.find(name) for name in registry.names()]
    assert {entry.name for entry in entries if entry.role == "core"} == CORE
    assert all(entry.role in ROLES for entry in entries)
    assert sum(entry.kind == "layers" for entry in entries) >= 125


def test_every_shipped_network_has_a_paper_and_a_note():
    for name in registry.names():
        entry = registry.find(name)
        assert entry.paper_key in PAPERS, name
        assert entry.note, name


def test_unknown_names_get_near_ones():
    with pytest.raises(SettingsError, match=r"no network named 'convexpres' \(did you mean .*conv"):
        registry.find("convexpres")
    with pytest.raises(SettingsError, match=r"did you mean convXpress"):
        registry.find("convxpress")


def test_the_digest_follows_the_layers_alone():
    entry = registry.find("convXpress")
    assert replace(entry, note="other", line=99).digest == entry.digest
    assert replace(entry, layers=entry.layers[1:]).digest != entry.digest
    assert registry.find("fr_deep").digest == registry.find("fr_deep_real").digest
    assert registry.find("conv8").digest != registry.find("conv8_no_seed").digest


def test_digests_of_python_networks_differ_by_name():
    digests = {registry.find(name).digest for name in ("maslej", "maslej_l2_do", "deepsource")}
    assert len(digests) == 3


def test_seeds_differ_by_layer_purpose_network_and_run():
    seeds = LayerSeeds(8901, "convXpress")
    drawn = [seeds.kernel(1), seeds.kernel(2), seeds.dropout(1), seeds.kernel("1")]
    drawn += [LayerSeeds(8901, "conv8").kernel(1), LayerSeeds(1826, "convXpress").kernel(1)]
    assert len(set(drawn)) == len(drawn)


def plugged(monkeypatch, loaded):
    """Install a fake plug-in and forget what was read before."""

    class Point:
        name, value = "mine", "my_package:NETWORKS"

        def load(self):
            if isinstance(loaded, Exception):
                raise loaded
            return loaded

    def points(*, group):
        assert group == "benchmarker.networks"
        return [Point()]

    monkeypatch.setattr(importlib.metadata, "entry_points", points)
    registry._read.cache_clear()


@pytest.fixture(autouse=True)
def _read_again():
    yield
    registry._read.cache_clear()


def network(build):
    return PythonNetwork("mine", "toys", "own", "", "a plug-in", build, 1, 1)


def test_a_plug_in_joins_the_list(monkeypatch):
    def build(input_shape, num_classes, seeds):
        import keras

        from benchmarker.networks.build import chain

        image = keras.Input(input_shape)
        output = chain("G Dn:softmax", image, seeds, prefix="x", classes=num_classes)
        return keras.Model(image, output)

    plugged(monkeypatch, network(build))
    assert "mine" in registry.names()
    assert registry.find("mine").path.name == "test_registry.py"
    assert registry.build("mine", (8, 8, 1), 3, seed=1).output_shape == (None, 3)


def test_a_plug_in_that_does_not_load_is_named(monkeypatch):
    plugged(monkeypatch, ImportError("no module my_package"))
    with pytest.raises(SettingsError, match=r"plug-in mine \(my_package:NETWORKS\) cannot be"):
        registry.names()


def test_a_plug_in_of_the_wrong_kind_is_named(monkeypatch):
    plugged(monkeypatch, ["text"])
    with pytest.raises(SettingsError, match="gives list, expected a PythonNetwork or a tuple"):
        registry.names()


def test_a_plug_in_that_raises_is_named(monkeypatch):
    def build(input_shape, num_classes, seeds):
        raise TypeError("wrong idea")

    plugged(monkeypatch, network(build))
    with pytest.raises(SettingsError, match=r"'mine' in .*test_registry.py cannot be built: wrong"):
        registry.build("mine", (8, 8, 1), 3, seed=1)


def test_a_plug_in_with_a_wrong_output_is_named(monkeypatch):
    def build(input_shape, num_classes, seeds):
        import keras

        image = keras.Input(input_shape)
        return keras.Model(image, keras.layers.Flatten()(image))

    plugged(monkeypatch, network(build))
    with pytest.raises(SettingsError, match=r"output of shape \(None, 64\), expected \(None, 3\)"):
        registry.build("mine", (8, 8, 1), 3, seed=1)


def test_the_layers_beside_a_network_are_part_of_its_digest(tmp_path):
    own = tmp_path / "own.py"
    own.write_text(
        "from benchmarker.networks.entries import x\nfrom benchmarker.networks.gate import y\n"
    )
    gate = tmp_path / "gate.py"
    gate.write_text("from benchmarker.networks.deeper import z\n")
    (tmp_path / "deeper.py").write_text("value = 1\n")
    (tmp_path / "entries.py").write_text("value = 1\n")

    def digest():
        return NetworkEntry("own", "own", "own", "", "", own).digest

    before = digest()
    (tmp_path / "entries.py").write_text("value = 2\n")
    assert digest() == before
    (tmp_path / "deeper.py").write_text("value = 2\n")
    assert digest() != before


def test_the_gate_belongs_to_agcnn():
    files = [path.name for path in entries._sources(registry.find("agcnn").path)]
    assert files == ["agcnn.py", "attention_gate.py", "torch_defaults.py"]
