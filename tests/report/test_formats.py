import csv
import io
import json

import pytest

from benchmarker.report import against, cost, leaderboard
from benchmarker.report.formats import FORMATS, Board
from benchmarker.report.published import Published
from benchmarker.report.ranking import fields
from tests.report.factory import make_failed, make_run

SEEDS = (1826, 8901)
NUMBERS = [
    Published("a_net", "first", "mpca", 0.8, 0.012, "A & B 2021 | table 2", True, ""),
    Published("a_net", "first", "FRII_recall", 0.93, None, "C 2020", False, "own split"),
    Published("a_net", "first", "fpr", 0.07, None, "C 2020", False, ""),
]


@pytest.fixture
def rows(tmp_path):
    for seed in SEEDS:
        make_run(tmp_path, "a_net", seed)
        make_run(tmp_path, "50%|<b>$x$</b>\\", seed, skill=1.0)
    make_failed(tmp_path, "simple", 1, reason="loss is NaN | stopped_early")
    return leaderboard.read_rows(tmp_path, model="best")


def lines_of_markdown(text):
    """Cells of the tables, as a reader of the escapes sees them."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            safe = line.replace("\\\\", "\0").replace("\\|", "\1")
            cells = [cell.strip() for cell in safe.strip("|").split("|")]
            plain = [
                cell.replace("\\", "").replace("\0", "\\").replace("\1", "|") for cell in cells
            ]
            found.append(plain)
    return found


def test_json_is_the_list_of_rows(rows):
    assert json.loads(FORMATS["json"](Board(rows))) == rows


def test_csv_reads_back_with_every_column(rows):
    found = list(csv.DictReader(io.StringIO(FORMATS["csv"](Board(rows)))))
    assert list(found[0]) == leaderboard.columns(rows)
    for line, row in zip(found, rows, strict=True):
        assert line["network"] == row["network"]
        assert line["state"] == row["state"]
        if row["mpca_mean"] is not None:
            assert float(line["mpca_low"]) == row["mpca_low"]
            assert line["seeds"] == "1826 8901"


def test_markdown_has_one_cell_per_column_whatever_the_names(rows):
    text = FORMATS["markdown"](Board(rows))
    table = lines_of_markdown(text)
    assert {len(line) for line in table} == {len(table[0])}
    assert table[0][:2] == ["#", "network"]
    assert table[1][1] == ":---"
    assert [line[1] for line in table[2:]] == ["a_net", "50%|<b>$x$</b>\\"]
    mpca = table[0].index("MPCA 95 %")
    low, high = (100 * rows[0][f"mpca_{end}"] for end in ("low", "high"))
    assert table[2][mpca] == f"{low:.1f}-{high:.1f}"
    assert "Failed: simple on first, seed 1: loss is NaN \\| stopped\\_early" in text


def test_latex_is_escaped_and_has_the_rules_of_booktabs(rows):
    text = FORMATS["latex"](Board(rows))
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}", r"\end{tabular}"):
        assert text.count(rule) == 1
    assert r"a\_net & 2 &" in text
    assert r"50\%\textbar{}\textless{}b\textgreater{}\$x\$\textless{}/b\textgreater{}" in text
    assert r"\textbackslash{}" in text
    assert r" $\pm$ " in text
    columns = text.split(r"\begin{tabular}{")[1].split("}")[0]
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    for line in filter(None, map(str.strip, body.splitlines())):
        assert line.endswith(r" \\")
        assert len(line.replace(r"\&", "").split("&")) == len(columns)
    assert r"stopped\_early" in text.split(r"\bottomrule")[1]
    low, high = (100 * rows[0][f"mpca_{end}"] for end in ("low", "high"))
    assert f"{low:.1f}--{high:.1f}" in text


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_overridden_stands_in_every_format(rows, form):
    statement = "Rows of unlike seeds or test sources are ranked together (--allow-unlike)."
    text = FORMATS[form](Board(rows, (statement,), allow_unlike=True))
    plain = FORMATS[form](Board(rows))
    if form == "json":
        assert all(row["allow_unlike"] is True for row in json.loads(text))
    elif form == "csv":
        assert {line["allow_unlike"] for line in csv.DictReader(io.StringIO(text))} == {"yes"}
    else:
        assert ("-{}-allow-unlike" if form == "latex" else "--allow-unlike") in text
    assert "allow" not in plain


@pytest.mark.parametrize("form", FORMATS)
def test_published_numbers_stand_with_source_and_protocol(rows, form):
    against.fill(rows, NUMBERS)
    text = FORMATS[form](Board(rows))
    if form == "json":
        entries = json.loads(text)[0]["against"]
        assert [entry["metric"] for entry in entries] == ["mpca", "FRII_recall", "fpr"]
        assert entries[0]["ours"] == rows[0]["mpca_mean"]
        assert entries[1]["ours"] == rows[0]["FRII_recall"]
        assert entries[2]["ours"] is None
        assert [entry["same_protocol"] for entry in entries] == [True, False, False]
        assert entries[0]["source"] == "A & B 2021 | table 2"
    elif form == "csv":
        line = next(csv.DictReader(io.StringIO(text)))
        assert (line["published_mpca"], line["published_mpca_uncertainty"]) == ("0.8", "0.012")
        assert line["published_mpca_same_protocol"] == "yes"
        assert line["published_FRII_recall_source"] == "C 2020"
        assert line["published_FRII_recall_same_protocol"] == "no"
        assert "against" not in line
    elif form == "markdown":
        table = lines_of_markdown(text)
        ours = f"{100 * rows[0]['mpca_mean']:.1f}"
        expected = ["a_net", "first", "mpca", ours, "80.0 ± 1.2", "yes", "A & B 2021 | table 2"]
        assert expected in table
    else:
        assert r"80.0 $\pm$ 1.2 & yes & A \& B 2021 \textbar{} table 2 \\" in text
        assert r"FRII\_recall" in text


def test_ranks_by_cost_are_columns(rows):
    cost.fill(fields(rows), cost.read_weights(None))
    line = next(csv.DictReader(io.StringIO(FORMATS["csv"](Board(rows)))))
    assert line["rank_weights"].startswith("mpca 3")
    assert line["combined_rank"] == str(rows[0]["combined_rank"])
    table = lines_of_markdown(FORMATS["markdown"](Board(rows)))
    assert {"both #", "cost #", "cost score", "both score"} <= set(table[0])


def test_a_board_without_scores_is_still_written(tmp_path):
    make_failed(tmp_path, "simple", 1)
    rows = leaderboard.read_rows(tmp_path, model="best")
    for form, write in FORMATS.items():
        assert "loss is NaN" in write(Board(rows)), form


def test_what_is_said_of_the_published_numbers(rows):
    against.fill(rows, NUMBERS)
    assert against.explained(rows).startswith("2 of 3 published numbers are of another protocol")
    against.fill(rows, NUMBERS[:1])
    assert against.explained(rows) == "The published numbers are of the same protocol."
    against.fill(rows, [])
    assert against.explained(rows).startswith("No published number is known")
