"""``benchmarker data simulate`` from the command line to the files."""

import json

from benchmarker.cli.main import main


def test_writes_a_readable_folder(tmp_path, capsys):
    folder = tmp_path / "with a space"
    command = ["data", "simulate", "--output", str(folder), "--count", "2", "--size", "64"]
    assert main([*command, "--seed", "5", "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert printed["images"] == 8
    assert printed["classes"] == {"COMP": 2, "FRI": 2, "FRII": 2, "BENT": 2}
    assert printed["seed"] == 5
    assert "simulated 8 of 8 images" in captured.err
    assert len(list(folder.glob("*/J*.fits"))) == 8
    assert (folder / "manifest.csv").is_file()


def test_prints_one_line_without_json(tmp_path, capsys):
    assert main(["data", "simulate", "--output", str(tmp_path / "a"), "--count", "1"]) == 0
    expected = f"4 images of 150 px (1 COMP, 1 FRI, 1 FRII, 1 BENT) in {tmp_path / 'a'}\n"
    assert capsys.readouterr().out == expected


def test_refuses_with_a_sentence(tmp_path, capsys):
    assert main(["data", "simulate", "--output", str(tmp_path), "--size", "10"]) == 1
    assert "simulated images of 10 px asked for" in capsys.readouterr().err
    assert main(["data", "simulate", "--output", str(tmp_path), "--count", "0"]) == 1
    assert "no source to simulate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
