"""Which runs need a process, and with how many threads."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.core.records import DIGESTED
from benchmarker.runs import executor, session
from benchmarker.runs.folder import RunFolder
from benchmarker.runs.settings import RunSettings

IDENTITY = {"digest": "abc"}


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "results" / "runs" / "simple-toy-s1-abc")


def begun(folder, state, threads=3, **status):
    folder.begin(IDENTITY, {"threads": threads}, {})
    folder.change(status={"state": state, **status})


def request(tmp_path, **options):
    return session.Request([], [1], results=tmp_path / "results", **options)


def test_what_is_not_complete_needs_a_process(tmp_path, folder):
    assert session._settled(folder, request(tmp_path)) is None
    for state in ("running", "interrupted", "failed"):
        begun(folder, state, reason="killed")
        assert session._settled(folder, request(tmp_path)) is None


def test_complete_is_skipped_and_its_left_over_checkpoint_removed(tmp_path, folder):
    begun(folder, "complete")
    for name in DIGESTED:
        (folder.path / name).touch()
    folder.checkpoint.mkdir()
    outcome = session._settled(folder, request(tmp_path))
    assert outcome.complete
    assert "complete already" in outcome.text
    assert not folder.checkpoint.exists()


def test_a_complete_run_that_lost_a_file_is_no_complete_run(tmp_path, folder):
    begun(folder, "complete")
    outcome = session._settled(folder, request(tmp_path))
    assert outcome.code == 1
    assert "lost history.csv, predictions.csv, metrics.json" in outcome.text


def test_a_run_that_can_only_fail_again_is_not_repeated(tmp_path, folder):
    begun(folder, "failed", reason="the loss became nan", final=True)
    outcome = session._settled(folder, request(tmp_path))
    assert outcome.code == 2
    assert "the loss became nan" in outcome.text


def test_again_leaves_the_old_record_until_its_turn(tmp_path, folder):
    begun(folder, "complete")
    assert session._settled(folder, request(tmp_path, again=True)) is None
    assert folder.state == "complete"


def test_a_damaged_record_ends_its_own_run_only(tmp_path, folder):
    folder.path.mkdir(parents=True)
    (folder.path / "run.json").write_text("{")
    outcome = session._settled(folder, request(tmp_path))
    assert outcome.code == 1
    assert "--again" in outcome.text


def test_only_complete_runs_are_tested(tmp_path, folder):
    asked = request(tmp_path, test_only=True)
    outcome = session._settled(folder, asked)
    assert outcome.code == 1
    assert "no complete run to test" in outcome.text
    assert not folder.path.exists()
    begun(folder, "interrupted")
    assert session._settled(folder, asked).code == 1
    assert folder.state == "interrupted"
    begun(folder, "complete")
    for name in DIGESTED:
        (folder.path / name).touch()
    assert session._settled(folder, asked) is None


def test_a_run_goes_on_with_the_threads_it_was_begun_with(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(executor, "cores", lambda: 16)
    assert session._threads(folder, request(tmp_path), 16) == 16
    begun(folder, "interrupted", threads=5)
    assert session._threads(folder, request(tmp_path), 16) == 5
    assert session._threads(folder, request(tmp_path, threads=7), 7) == 7
    assert session._threads(folder, request(tmp_path, again=True), 16) == 16
    monkeypatch.setattr(executor, "cores", lambda: 4)
    assert session._threads(folder, request(tmp_path), 4) == 4


def test_threads_do_not_depend_on_what_is_complete(tmp_path, monkeypatch):
    """Three seeds on 16 cores: the last one alone gets what each of the three would get."""
    asked = request(tmp_path, cache=tmp_path / "cache")
    runs = [
        SimpleNamespace(
            name=f"simple-toy-s{seed}-abc",
            settings=RunSettings("simple", 1e-3, 2, seed=seed),
            identity=IDENTITY,
        )
        for seed in (1, 2, 3)
    ]
    for run in runs[:2]:
        done = RunFolder(tmp_path / "results" / "runs" / run.name)
        begun(done, "complete")
        for name in DIGESTED:
            (done.path / name).touch()
    monkeypatch.setattr(executor, "cores", lambda: 16)
    started = []

    def execute(specs, processes, done):
        started.extend(specs)
        return [executor.Outcome(spec.folder, 0, "complete") for spec in specs]

    monkeypatch.setattr(executor, "execute", execute)
    session.perform(asked, runs)
    (spec,) = started
    assert spec.threads == 5


def test_what_a_complete_run_lacks_is_said(folder):
    usual = RunSettings("simple", 1e-3, 2)
    asked = replace(usual, test_passes=9, keep="all")
    folder.path.mkdir(parents=True)
    said = session._unmade(asked, folder)
    assert f"benchmarker evaluate {folder.path} --passes 9" in said
    assert "no weights of epochs were kept" in said
    assert not session._unmade(usual, folder)
    (folder.path / "augmented.csv").touch()
    folder.kept.mkdir()
    assert not session._unmade(asked, folder)


def test_the_subset_of_a_list_yields_to_the_data_of_the_command(tmp_path, monkeypatch, real_data):
    monkeypatch.setenv("BENCHMARKER_DATA", str(real_data))
    for data, listed, kept in (
        ("mirabest", "nounc", "nounc"),
        ("mirabest-confident", "nounc", "nounc"),
        ("mirabest-confident", "nohybrid", None),
        ("frdeep-first", "nohybrid", None),
    ):
        asked = request(tmp_path, overrides={"data": data})
        settings = RunSettings("simple", 1e-3, 1, data=data, subset=listed)
        assert session._with_fitting_subset(settings, asked).subset == kept


def test_a_misspelt_subset_of_a_list_does_not_train_on_the_whole_set(
    tmp_path, monkeypatch, real_data
):
    monkeypatch.setenv("BENCHMARKER_DATA", str(real_data))
    asked = request(tmp_path, overrides={"data": "mirabest"})
    settings = RunSettings("simple", 1e-3, 1, data="mirabest", subset="nonunc")
    fitting = session._with_fitting_subset(settings, asked)
    with pytest.raises(SettingsError, match="expected one of the subsets of mirabest"):
        session.open_images(fitting)
