import csv
import io
import json
import multiprocessing
import shutil

import pytest

from benchmarker.cli.main import main
from tests.report.factory import make_run
from tests.report.test_contenders import damage
from tests.report.test_ranking import SEEDS, many


@pytest.fixture
def results(tmp_path):
    many(tmp_path, {"convXpress": 3.0, "mcrgnet": 1.0}, seeds=SEEDS[:2])
    many(tmp_path, {"few": 5.0}, seeds=SEEDS[:1])
    return tmp_path


def output(capsys, results, *words):
    assert main(["leaderboard", "--results", str(results), *words]) == 0
    return capsys.readouterr().out


def rows_of(capsys, results, *words):
    return json.loads(output(capsys, results, "--format", "json", *words))


def test_every_format_is_printed(results, capsys):
    assert "MPCA %" in output(capsys, results)
    lines = list(csv.DictReader(io.StringIO(output(capsys, results, "--format", "csv"))))
    assert [line["network"] for line in lines] == ["few", "convXpress", "mcrgnet"]
    assert output(capsys, results, "--format", "markdown").startswith("| # | network |")
    assert r"\toprule" in output(capsys, results, "--format", "latex")
    assert rows_of(capsys, results) == json.loads(output(capsys, results, "--json"))


def test_filters_and_order(results, capsys):
    found = rows_of(capsys, results, "--network", "mcrgnet", "--network", "few")
    assert [row["network"] for row in found] == ["few", "mcrgnet"]
    assert found[1]["rank"] == 2
    found = rows_of(capsys, results, "--sort", "mpca_mean", "--reverse")
    assert [row["network"] for row in found] == ["mcrgnet", "convXpress", "few"]
    assert rows_of(capsys, results, "--protocol", "standard", "--data", "first") != []
    for words, part in (
        (["--network", "mcrget"], "did you mean mcrgnet?"),
        (["--protocol", "legasy"], "there are runs with protocol: standard"),
        (["--sort", "mpca"], "expected one of network, data"),
        (["--weights", "mpca=1"], "expected together with --rank-by cost or both"),
        (["--rank-by", "both", "--weights", "mpka=1"], "did you mean mpca?"),
    ):
        assert main(["leaderboard", "--results", str(results), *words]) == 1
        assert part in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex", "json"])
def test_rows_of_unlike_seeds_are_ranked_only_if_allowed_and_every_format_says_so(
    results, capsys, form
):
    closed = output(capsys, results, "--format", form)
    opened = output(capsys, results, "--format", form, "--allow-unlike")
    assert "not ranked: missing seed 4915" in " ".join(closed.split())
    assert "ranked in spite of: missing seed 4915" in " ".join(opened.split())
    assert "allow" in opened
    assert "allow" not in closed


def test_the_seeds_that_are_asked_for_are_checked_or_overridden(results, capsys):
    words = ["leaderboard", "--results", str(results), "--seeds", "1826,4915"]
    assert main(words) == 3
    assert "few on first: missing seed 4915" in capsys.readouterr().err
    assert main([*words, "--allow-unlike"]) == 0
    assert main([*words, "--network", "convXpress"]) == 0


def test_the_file_is_that_of_the_strict_rules(results, capsys):
    output(capsys, results)
    before = (results / "leaderboard.csv").read_bytes()
    output(capsys, results, "--allow-unlike", "--rank-by", "both", "--against", "published")
    assert (results / "leaderboard.csv").read_bytes() == before


def test_recognition_and_cost_together(results, capsys):
    found = rows_of(capsys, results, "--rank-by", "both", "--weights", "mpca=1")
    ranks = [row["combined_rank"] for row in found]
    assert ranks == [*sorted(ranks[:-1]), None]
    assert found[0]["rank_weights"].startswith("mpca 1, parameters 1")
    text = output(capsys, results, "--rank-by", "cost")
    assert "Ranked by cost: mean of the ranks in each measure, weighted parameters 1" in text


def test_published_numbers_stand_beside_ours(tmp_path, capsys):
    make_run(tmp_path, "agcnn", data="mirabest-nohybrid", classes=("FRI", "FRII"))
    (row,) = rows_of(capsys, tmp_path, "--against", "published")
    metrics = {entry["metric"]: entry for entry in row["against"]}
    assert metrics["accuracy"]["value"] == 0.844
    assert metrics["accuracy"]["ours"] == row["accuracy_mean"]
    assert metrics["FRI_recall"]["same_protocol"] is False
    assert metrics["FRI_recall"]["source"].startswith("Bowles et al. 2021")
    text = " ".join(output(capsys, tmp_path, "--against", "published").split())
    assert "against the published numbers" in text
    assert "cannot be compared with ours as they stand" in text


def test_damaged_half_written_and_foreign_folders_are_listed_never_a_crash(results, capsys):
    runs = results / "runs"
    for how in ("cut", "missing", "edited", "binary", "metrics"):
        folder = make_run(results, f"net_{how}", SEEDS[0])
        damage(folder, how)
    half = shutil.copytree(make_run(results, "half", SEEDS[0]), runs / "half")
    (half / "run.json").write_bytes((half / "run.json").read_bytes()[:200])
    no_metrics = make_run(results, "no_metrics", SEEDS[0])
    (no_metrics / "metrics.json").write_text("[]")
    (runs / "foreign").mkdir()
    (runs / "foreign" / "run.json").write_text('{"format": "mlflow"}')
    (runs / "notes.txt").write_text("no folder")
    (runs / "link").symlink_to(runs / "nowhere")
    rows = rows_of(capsys, results)
    complete = {row["network"] for row in rows if row["state"] == "complete"}
    assert complete == {"convXpress", "mcrgnet", "few", "half"}
    bad = " ".join(row["reason"] for row in rows if row["state"] == "unreadable")
    for name in ("net_cut", "net_missing", "net_edited", "net_binary", "net_metrics"):
        assert name in bad
    for name in ("runs/half/run.json", "no_metrics", "foreign"):
        assert name in bad
    for form in ("table", "csv", "markdown", "latex"):
        assert "net" in output(capsys, results, "--format", form)


def ask(results, words, said):
    import contextlib

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        code = main([*words, "--results", str(results)])
    said.put((code, text.getvalue()))


def test_commands_at_the_same_time_agree(results, capsys):
    expected = output(capsys, results, "--format", "json")
    table = (results / "leaderboard.csv").read_bytes()
    shutil.rmtree(results / ".cache")
    (results / "leaderboard.csv").unlink()
    context = multiprocessing.get_context("fork")
    said = context.Queue()
    words = ["leaderboard", "--format", "json"]
    processes = [context.Process(target=ask, args=(results, words, said)) for _ in range(3)]
    for process in processes:
        process.start()
    told = [said.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert told == [(0, expected)] * 3
    assert (results / "leaderboard.csv").read_bytes() == table
    assert not list(results.rglob(".part-*"))
