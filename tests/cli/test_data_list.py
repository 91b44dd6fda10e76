import argparse
import json

from benchmarker.cli import data_list


def run(capsys, **options):
    assert data_list.run(argparse.Namespace(**options)) == 0
    return capsys.readouterr().out


def test_table_names_every_card_and_where_it_is(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCHMARKER_DATA", raising=False)
    lines = run(capsys, json=False).splitlines()
    rows = {line.split()[0]: line for line in lines[1:] if line}
    assert "1256" in rows["mirabest"]
    assert "benchmarker data fetch mirabest" in rows["mirabest-confident"]
    assert "drawn on demand" in rows["simulated"]
    assert any("non-commercial" in line for line in lines)
    subsets = "nohybrid, confident = nounc, uncertain, hybrid"
    assert f"mirabest: subsets for --subset: {subsets}" in lines


def test_json_says_where_files_were_found(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCHMARKER_DATA", raising=False)
    folder = tmp_path / "data" / "first"
    folder.mkdir(parents=True)
    (folder / "first_griese2022.npz").write_bytes(b"")
    (tmp_path / "data" / "mine.toml").write_text("title = 3")
    rows = {row["name"]: row for row in json.loads(run(capsys, json=True))}
    assert rows["first"]["found"] == str(folder / "first_griese2022.npz")
    assert rows["first"]["images"] == 2158
    assert rows["mirabest-nohybrid"]["subset_of"] == "mirabest"
    assert [one["aliases"] for one in rows["mirabest"]["subsets"]] == [[], ["nounc"], [], []]
    assert rows["unlrg"]["found"] == "not here"
    assert "card has faults" in rows["mine"]["found"]
