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


def test_writes_mwa_snapshots(tmp_path, capsys):
    folder = tmp_path / "mwa"
    command = ["data", "simulate", "mwa-snapshots", "-n", "5", "--size", "64", "--seed", "2"]
    options = ["--strength", "4", "4", "--kind", "reflector", "--per-observation", "5"]
    assert main([*command, *options, "-o", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert printed["images"] == sum(printed["classes"].values()) == 5
    assert list(printed["classes"]) == ["good", "rfi", "sis", "rfisis"]
    assert "simulated 5 of 5 images" in captured.err
    listed = (folder / "list.csv").read_text().splitlines()
    assert listed[0] == "path,label"
    assert all((folder / line.split(",")[0]).is_file() for line in listed[1:])
    table = (folder / "table.csv").read_text()
    assert len({line.split(",")[5] for line in table.splitlines()[1:]}) == 1  # one observation
    assert "reflector" in table


def test_refuses_what_does_not_fit_snapshots_or_galaxies(tmp_path, capsys):
    output = ["-o", str(tmp_path)]
    assert main(["data", "simulate", "mwa-snapshots", "--size", "63", *output]) == 1
    assert "size is 63, expected an even number of pixels from 64" in capsys.readouterr().err
    assert main(["data", "simulate", "mwa-snapshots", "--workers", "0", *output]) == 1
    assert "--workers is 0, expected at least 1" in capsys.readouterr().err
    assert main(["data", "simulate", "--per-observation", "2", "--ratio", "2", *output]) == 1
    error = capsys.readouterr().err
    assert "--ratio, --per-observation given for radio-galaxies" in error
    assert list(tmp_path.iterdir()) == []
