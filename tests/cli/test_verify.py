"""``benchmarker verify`` as a user types it."""

import io
import json
from contextlib import redirect_stdout

import pytest

from benchmarker.cli.main import main
from benchmarker.core.records import read_record
from benchmarker.runs import resolve
from tests.report.factory import change_run, make_failed
from tests.runs.test_verdict import other_answers
from tests.runs.toy_run import copied


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    resolve._images.cache_clear()
    return folder, copied(folder)


@pytest.fixture(autouse=True)
def there(place, monkeypatch):
    monkeypatch.chdir(place[0])


@pytest.fixture(scope="module")
def kept(place):
    """A repetition, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place[0])
        with redirect_stdout(io.StringIO()) as out:
            code = main(["verify", str(place[1]), "--keep", "kept"])
    (folder,) = (place[0] / "kept" / "runs").iterdir()
    return code, folder, out.getvalue()


def test_a_repetition_is_bit_identical(place, kept):
    assert kept[0] == 0
    record, again = read_record(place[1]), read_record(kept[1])
    assert again.folder != record.folder
    assert again.run["created"] != record.run["created"]
    assert again.run["fingerprint"]["threads"] == record.run["fingerprint"]["threads"] == 1
    kinds = ("initial_weights", "best_weights", "final_weights", "history", "predictions")
    assert all(again.run["digests"][k] == record.run["digests"][k] for k in kinds)
    assert kept[2].startswith(f"{place[1]}: bit-identical\n")
    assert "history, predictions came out again (2 epochs, 16 sources)" in kept[2]


def test_another_machine_is_refused_unless_accepted(place, kept, tmp_path, capsys):
    folder = copied(tmp_path / "other")
    change_run(folder, lambda run: run["fingerprint"].update(processor="Abacus 3000"))
    assert main(["verify", str(folder), "--keep", "kept"]) == 1
    refused = capsys.readouterr().err
    assert "cannot come out bit for bit here:" in refused
    assert "processor: Abacus 3000 recorded" in refused
    assert "--accept-differences" in refused
    assert main(["verify", str(folder), "--keep", "kept", "--accept-differences", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["outcome"], found["fine"], found["changed_sources"]) == (
        "bit-identical",
        True,
        [],
    )
    assert found["fingerprint_differences"][0].startswith("processor: Abacus 3000 recorded")
    assert f"the new run: {kept[1]}" in said.err


def test_an_edited_record_is_different_and_says_why(place, kept, tmp_path, capsys):
    folder = copied(tmp_path / "edited")
    other_answers(folder, 16, right=True)  # as somebody might wish it
    assert main(["verify", str(folder), "--keep", "kept"]) == 3
    out = capsys.readouterr().out
    assert f"{folder}: different" in out
    assert "came out again: initial weights, final weights, history" in out
    assert "differ: best weights, predictions" in out
    assert "of 16 test sources have another class" in out
    assert ": more than chance" in out
    assert "why: nothing in the fingerprint differs: the record was changed" in out
    assert "the record itself has a fault: predictions.csv was changed after the run" in out


def test_the_run_itself_is_no_repetition(place, kept, capsys):
    assert main(["verify", str(place[1]), "--keep", "results"]) == 1
    assert "holds the run itself" in capsys.readouterr().err


def test_what_is_not_complete_or_gone_is_told(place, tmp_path, capsys):
    failed = make_failed(tmp_path)
    assert main(["verify", str(failed)]) == 1
    assert "is not complete (it is failed): nothing to verify" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "none")]) == 1
    assert "holds no run" in capsys.readouterr().err
    lost = copied(tmp_path / "lost")
    change_run(lost, lambda run: run["place"].update(data="gone.npz"))
    (tmp_path / "lost" / "toy.npz").unlink()
    assert main(["verify", str(lost)]) == 1
    assert "cannot be opened again" in capsys.readouterr().err
