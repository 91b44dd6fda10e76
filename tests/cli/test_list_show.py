"""`benchmarker list` and `benchmarker show`: what they print."""

import argparse
import json
import subprocess
import sys

import pytest

from benchmarker.cli import verb_list, verb_show
from benchmarker.core.errors import SettingsError
from benchmarker.networks import registry


def call(verb, *words):
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return verb.run(parser.parse_args(words))


def printed(capsys, verb, *words):
    assert call(verb, *words) == 0
    return capsys.readouterr().out


def test_show_as_json(capsys):
    plain = json.loads(
        printed(capsys, verb_show, "convXpress", "--size", "300", "--classes", "4", "--json")
    )
    assert plain["parameters"] == 4_567_944
    assert plain["multiply_adds"] == 779_033_680
    assert plain["flops"] == 2 * 779_033_680
    assert plain["receptive_field"] == 333
    assert len(plain["layers"]) == 23


def test_show_for_people(capsys):
    text = printed(capsys, verb_show, "alexnet", "--size", "200x300", "--channels", "3")
    assert "alexnet: 200 x 300 x 3 image, 4 classes" in text
    assert "96 filters, 11x11, stride 4, valid" in text
    assert "Krizhevsky et al. 2012" in text
    assert "all are seeded here" in text
    assert "conv_01" in text


def test_show_a_network_with_settings(capsys):
    words = ("agcnn", "--size", "150", "--classes", "2", "--set", "gates=1", "--set")
    plain = json.loads(printed(capsys, verb_show, *words, "aggregation=concat", "--json"))
    assert plain["trainable_parameters"] == 91_655
    text = printed(capsys, verb_show, *words, "normalisation=softmax")
    assert "gates=1  attention gates, 0 to 3" in text
    assert "normalisation=softmax" in text
    assert "pooling=sum" in text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("agcnn", "--set", "gates"), "not of the form key=value"),
        (("agcnn", "--set", "gates=1", "--set", "gates=2"), "gives 'gates' twice"),
        (("agcnn", "--set", "gates=4"), "not a whole number from 0 to 3"),
        (("agcnn", "--set", "gate=1"), "did you mean gates"),
        (("simple", "--set", "gates=1"), "a layer list without settings"),
    ],
)
def test_settings_at_fault(words, reason):
    with pytest.raises(SettingsError, match=reason):
        call(verb_show, *words)


def test_show_the_published_output_of_atlas(capsys):
    assert json.loads(printed(capsys, verb_show, "atlas", "--json"))["final_activation"] == (
        "softmax"
    )
    legacy = json.loads(printed(capsys, verb_show, "atlas", "--legacy", "--json"))
    assert legacy["final_activation"] == "sigmoid"


@pytest.mark.parametrize("size", ["large", "300x", "-3", "3.5"])
def test_sizes_at_fault(size):
    with pytest.raises(SettingsError, match="expected pixels such as 300"):
        call(verb_show, "simple", f"--size={size}")


def test_list_networks_as_json(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, verb_list, "--json"))}
    assert len(rows) == len(registry.names()) > 150
    assert rows["agcnn_softmax_concat"]["kind"] == "python"
    assert rows["maslej"]["parameters"] == 725_052_676
    assert rows["maslej"]["kind"] == "python"
    assert rows["convXpress"]["multiply_adds"] == 779_033_680
    assert rows["convXpress"]["paper"].startswith("Becker et al. 2021")


def test_list_at_a_size_where_not_all_fit(capsys):
    words = ("networks", "--family", "alexnet", "--size", "150")
    text = printed(capsys, verb_list, *words)
    assert "from 195 px" in text
    rows = json.loads(printed(capsys, verb_list, *words, "--json"))
    assert sum(row["parameters"] is None for row in rows) == 7
    assert "expected at least 195x195" in rows[0]["reason"]


def test_list_by_role(capsys):
    rows = json.loads(printed(capsys, verb_list, "networks", "--role", "core", "--json"))
    assert len(rows) == 14


def test_list_of_an_unknown_family():
    with pytest.raises(SettingsError, match="did you mean convxpress"):
        call(verb_list, "networks", "--family", "convexpress")


def test_a_role_of_data_is_refused():
    with pytest.raises(SettingsError, match="--role choose among networks, got them for data"):
        call(verb_list, "data", "--role", "core")


def test_list_texts_of_the_user(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder, name, text in (
        ("data", "mine.toml", 'title = "My sources"\n'),
        ("augment", "mine.yaml", "# Turn them\nrotations: 4\n"),
        ("architectures", "mine.txt", "#\n# My runs\nsimple,1e-4,16\n"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    titles = []
    for what in ("data", "recipes", "run-lists"):
        rows = json.loads(printed(capsys, verb_list, what, "--json"))
        titles += [row["title"] for row in rows if row["name"] == "mine"]
    assert titles == ["My sources", "Turn them", "My runs"]
    assert "My runs" in printed(capsys, verb_list, "run-lists")


def test_titles_are_whole_sentences(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "augment").mkdir()
    (tmp_path / "augment" / "broken.yaml").write_text("about: [\n", encoding="utf-8")
    recipes = json.loads(printed(capsys, verb_list, "recipes", "--json"))
    titles = {row["name"]: row["title"] for row in recipes}
    assert titles["rotations24"].startswith("24 rotations of each source in steps of 15 degrees")
    assert titles["broken"] == ""
    assert all(title for name, title in titles.items() if name != "broken")
    lists = json.loads(printed(capsys, verb_list, "run-lists", "--json"))
    titles = {row["name"]: row["title"] for row in lists}
    assert titles["first"] == "ConvXpress on the real FIRST images of Griese et al. 2023 at 150 px"


def test_a_python_network_is_shown_without_words_of_tensorflow():
    words = [sys.executable, "-m", "benchmarker", "show", "deepsource", "--size", "64", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["name"] == "deepsource"
    assert done.stderr == ""


def test_neither_verb_loads_tensorflow():
    code = (
        "import argparse, sys\n"
        "from benchmarker.cli import verb_list, verb_show\n"
        "for verb, words in ((verb_list, []), (verb_show, ['convXpress'])):\n"
        "    parser = argparse.ArgumentParser()\n"
        "    verb.add_arguments(parser)\n"
        "    verb.run(parser.parse_args(words))\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'astropy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_list_data_names_the_subsets(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, verb_list, "data", "--json"))}
    assert rows["mirabest"]["subsets"] == ["nohybrid", "confident", "uncertain", "hybrid"]
    assert rows["first"]["subsets"] == []
    text = printed(capsys, verb_list, "data")
    assert "confident" in text
    assert "--subset" in text


def test_a_card_with_faults_is_listed_without_subsets(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "odd.toml").write_text('title = "Odd"\nclasses = 3\n')
    rows = {row["name"]: row for row in json.loads(printed(capsys, verb_list, "data", "--json"))}
    assert rows["odd"]["subsets"] == []
