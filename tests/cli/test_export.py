"""``benchmarker export`` as a user types it."""

import json

import pytest

from benchmarker.cli.main import main
from benchmarker.core import extras
from benchmarker.runs import resolve
from tests.report.factory import make_run
from tests.runs.toy_run import copied, toy_place, toy_run


@pytest.fixture
def here(monkeypatch):
    resolve._images.cache_clear()
    monkeypatch.chdir(toy_place())


def test_a_bundle_is_written_and_named(tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    assert main(["export", str(toy_run()), "--bundle", str(path)]) == 0
    assert f"{path}: mcrgnet, 4 classes, 0.1 MB" in capsys.readouterr().out
    assert path.is_file()


def test_onnx_says_how_well_it_agrees(here, tmp_path, capsys):
    pytest.importorskip("tf2onnx", reason="pip install 'benchmarker[export]'")
    pytest.importorskip("onnxruntime", reason="pip install 'benchmarker[export]'")
    path = tmp_path / "net.onnx"
    assert main(["export", str(toy_run()), "--to", "onnx", "-o", str(path), "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["agreement"]["images"] == 16
    assert found["beside"] == f"{path}.json"
    assert said.err == ""


def test_tensorboard_needs_no_more_than_the_record(tmp_path, capsys):
    folder = make_run(tmp_path / "results")
    words = ["export", str(folder), "--to", "tensorboard", "-o", str(tmp_path / "logs")]
    assert main(words) == 0
    assert f"tensorboard --logdir {tmp_path / 'logs'}" in capsys.readouterr().out
    (made,) = (tmp_path / "logs").iterdir()
    assert made.name == folder.name


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--to", "onnx"], "--to onnx needs -o with the path to write"),
        (["--to", "mlflow"], "--to mlflow needs --uri"),
        (["--to", "onnx", "-o", "x.onnx", "--uri", "y"], "--uri belongs to --to mlflow"),
        (["--bundle", "x.safetensors", "-o", "y"], "leave -o out"),
        (["--to", "litert", "-o", "x.onnx"], "expected a name that ends in .tflite"),
        (["--to", "safetensors", "-o", "x"], "expected a name that ends in .safetensors"),
    ],
)
def test_options_that_do_not_go_together(here, capsys, words, text):
    assert main(["export", str(toy_run()), *words]) == 1
    assert text in capsys.readouterr().err
    assert not list(toy_place().glob("x*"))


def test_what_is_missing_is_named_with_the_command(here, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    for words in (
        ["--to", "onnx", "-o", str(tmp_path / "x.onnx")],
        ["--to", "mlflow", "--uri", "m"],
    ):
        assert main(["export", str(toy_run()), *words]) == 1
        assert "pip install 'benchmarker[" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_edited_run_is_a_failed_check(tmp_path, capsys):
    folder = copied(tmp_path / "edited")
    final = (folder / "final.safetensors").read_bytes()
    (folder / "best.safetensors").write_bytes(final)
    assert main(["export", str(folder), "--bundle", str(tmp_path / "x.safetensors")]) == 3
    assert "the weights are not those whose digest is in run.json" in capsys.readouterr().err
    assert not (tmp_path / "x.safetensors").exists()
