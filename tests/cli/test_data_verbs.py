"""``benchmarker data check``, ``convert`` and ``split`` as the user calls them."""

import json

import numpy as np
import pytest

from benchmarker.cli.main import main
from benchmarker.core.seeds import generator
from benchmarker.data.splits import read_split

MANIFEST = "Name,Type\n" + "".join(
    f"J{row:02d}0000.00+{row:02d}0000.0,{row % 4 + 1}\n" for row in range(24)
)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "toy.csv"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def image_file(tmp_path):
    """An .npz with an image that stands in train and in test."""
    images = generator("verbs").integers(1, 255, (8, 6, 6)).astype(np.uint8)
    images[7] = images[0]

    def save(name, images=images):
        path = tmp_path / name
        np.savez(
            path,
            images=images,
            labels=np.array([0, 1] * 3 + [1, 0]),
            label_names=np.array(["FRI", "FRII"]),
            split=np.array([0] * 6 + [1] * 2),
            split_names=np.array(["train", "test"]),
        )
        return str(path)

    return save


def call(capsys, *words):
    code = main([str(word) for word in words])
    out = capsys.readouterr()
    return code, out.out, out.err


def call_json(capsys, *words):
    code, out, _ = call(capsys, *words, "--json")
    return code, json.loads(out)


def test_split_prints_the_published_digests(capsys, real_data):
    tables = real_data / "ma2019"
    code, value = call_json(
        capsys, "data", "split", "unlrg", "--tables", tables, "--seed", 8901, "--legacy"
    )
    assert code == 0
    assert (value["name"], value["seed"]) == ("unlrg", 8901)
    sizes = [value[part]["n"] for part in ("train", "validation", "test")]
    assert sizes == [1000, 400, 12642]
    digests = [value[part]["digest"] for part in ("train", "validation", "test")]
    assert all(len(digest) == 64 for digest in digests)
    expected = ["a8edc3b0410cfd1f", "3cf2ae3248aa7b95", "4beb031bc619a6eb"]
    assert [digest[:16] for digest in digests] == expected


def test_split_of_lrg_has_the_original_quotas(capsys, real_data):
    _, value = call_json(capsys, "data", "split", "lrg", "--tables", real_data / "ma2019")
    assert value["rule"] == "quotas per class: train 80, validation 60; seed 8901"
    assert value["test"]["classes"] == {"COMP": 131, "FRI": 47, "FRII": 290, "BENT": 166}


def test_split_of_a_manifest_as_text_and_file(capsys, manifest, tmp_path):
    output = tmp_path / "out" / "split.json"
    words = ("data", "split", manifest, "--train", 3, "--validation", 1, "--seed", 5)
    code, out, _ = call(capsys, *words, "--output", output)
    assert code == 0
    split = read_split(output)
    assert split.digests["train"] in out
    assert "train          12 sources" in out
    _, value = call_json(capsys, *words)
    assert value["digest"] == split.digest


def test_split_of_a_manifest_without_quotas_is_stratified(capsys, manifest):
    _, value = call_json(capsys, "data", "split", manifest)
    assert value["rule"].startswith("stratified 0.7 / 0.1 / 0.2")
    assert sum(value[part]["n"] for part in ("train", "validation", "test")) == 24


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--train", "3"], "give both or neither"),
        (["--legacy"], "--legacy draws by quotas"),
        (["--tables", "."], "--tables belongs to lrg and unlrg"),
        (["--train", "5", "--validation", "1"], "class COMP has 6 sources"),
        (["--certainty", "certain"], "gives none"),
    ],
)
def test_split_refuses_what_cannot_be(capsys, manifest, words, text):
    code, out, err = call(capsys, "data", "split", manifest, *words)
    assert (code, out) == (1, "")
    assert text in err


def test_convert_writes_both_manifests(capsys, real_data, tmp_path):
    words = ("data", "convert", "--tables", real_data / "ma2019", "--output", tmp_path)
    code, value = call_json(capsys, *words)
    assert code == 0
    assert [one["rows"] for one in value["manifests"]] == [1328, 14093]
    assert (tmp_path / "unLRG_manifest.csv").read_bytes().startswith(b"Name,Type-MAN\nJ")
    _, value = call_json(
        capsys,
        *("data", "split", tmp_path / "LRG_manifest.csv", "--train", 80, "--validation", 60),
        *("--seed", 1826, "--legacy"),
    )
    assert value["train"]["digest"].startswith("1b244f1a187c3ede")


def test_convert_without_tables_says_what_is_missing(capsys, tmp_path):
    code, _, err = call(capsys, "data", "convert", "--tables", tmp_path, "--output", tmp_path)
    assert code == 1
    assert "Ma et al. 2019" in err


def test_check_leaves_with_3_for_a_leak_and_0_without(capsys, image_file):
    code, value = call_json(capsys, "data", "check", image_file("leaky.npz"))
    assert code == 3
    assert [finding["kind"] for finding in value["findings"]] == ["leak"]
    assert value["findings"][0]["rows"] == [0, 7]
    clean = image_file("clean.npz", generator("clean").integers(1, 255, (8, 6, 6)).astype("u1"))
    code, out, _ = call(capsys, "data", "check", clean)
    assert code == 0
    assert "8 images (FRI 4, FRII 4)" in out
    assert "errors: 0, warnings: 0" in out


def test_check_shows_the_first_findings_of_a_kind_and_json_all(capsys, tmp_path):
    images = generator("nan").random((30, 4, 4)).astype("f4")
    images[:, 0, 0] = np.nan
    np.savez(tmp_path / "edges.npz", images=images, labels=np.arange(30) % 2)
    code, out, _ = call(capsys, "data", "check", tmp_path / "edges.npz")
    assert code == 0
    assert out.count("non-finite") == 21
    assert "and 10 more of this kind" in out
    assert "warnings: 30" in out
    _, value = call_json(capsys, "data", "check", tmp_path / "edges.npz")
    assert len(value["findings"]) == 30


def test_check_and_split_take_a_subset(capsys, real_data):
    words = (real_data / "mirabest.npz", "--subset", "NoUnc")
    _, value = call_json(capsys, "data", "check", *words)
    assert (value["name"], value["images"]) == ("mirabest-confident", 833)
    _, value = call_json(capsys, "data", "split", *words)
    assert [value[part]["n"] for part in ("train", "validation", "test")] == [583, 146, 104]
    assert value["test"]["classes"] == {"FRI": 49, "FRII": 55}


def test_subset_of_a_list_of_sources_is_refused(capsys, manifest):
    code, _, err = call(capsys, "data", "split", manifest, "--subset", "nounc")
    assert code == 1
    assert "--subset belongs to images that a card describes" in err


@pytest.mark.parametrize("word", ["-3", "nan", "near"])
def test_check_refuses_a_distance_that_is_none(capsys, word):
    with pytest.raises(SystemExit) as caught:
        main(["data", "check", "simulated", f"--neighbour-arcsec={word}"])
    assert caught.value.code == 1
    assert "is not a number of arcsec from 0" in capsys.readouterr().err


def test_check_against_another_set(capsys, image_file):
    first = image_file("first.npz", generator("a").integers(1, 255, (8, 6, 6)).astype("u1"))
    code, value = call_json(capsys, "data", "check", first, "--against", first)
    assert value["against"]["counts"]["identical_images"] == 8
    assert code == 0  # every image is in the same part of both


def test_check_finds_the_known_case_of_mirabest(capsys, real_data):
    code, value = call_json(capsys, "data", "check", real_data / "mirabest.npz")
    assert code == 0
    assert value["images"] == 1256
    (finding,) = [one for one in value["findings"] if one["kind"] == "repeated-position"]
    assert finding["rows"] == [511, 989]
    assert finding["pairs"][0]["arcsec"] == pytest.approx(7.8, abs=0.05)
