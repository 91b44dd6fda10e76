"""Records in TensorBoard and MLflow, as they were and as often as they are."""

import os

import pytest

from benchmarker.core import extras
from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.core.records import read_record
from benchmarker.exports import mlflow
from benchmarker.exports.series import points, settings_of
from benchmarker.exports.tensorboard import write_events
from tests.report.factory import change_run, make_failed, make_run


@pytest.fixture
def record(tmp_path):
    return read_record(make_run(tmp_path / "results"))


@pytest.fixture
def store(tmp_path):
    """A client of an MLflow folder; the test skips where MLflow is not installed."""
    library = pytest.importorskip("mlflow", reason="pip install 'benchmarker[tracking]'")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        yield library.MlflowClient(tracking_uri=(tmp_path / "ml").as_uri())
    finally:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]


def test_points_are_the_history_and_the_test(record):
    found = {(one.name, one.epoch): one for one in points(record)}
    row = record.history[1]
    assert found["train/cross_entropy", 2].value == row["cross_entropy"]
    assert found["validation/accuracy", 2].value == row["val_accuracy"]
    assert found["epoch/learning_rate", 2].value == row["learning_rate"]
    assert found["test/final/mpca", 3].value == record.metrics["final"]["mpca"]["value"]
    apart = found["train/accuracy", 2].seconds - found["train/accuracy", 1].seconds
    assert apart == pytest.approx(row["seconds"])


def test_an_undefined_metric_is_no_point(record):
    record.metrics["best"]["auc"]["value"] = None
    names = {one.name for one in points(record)}
    assert "test/best/auc" not in names
    assert "test/final/auc" in names


def test_a_failed_run_has_its_epochs_and_no_test(tmp_path):
    folder = make_failed(tmp_path)
    names = {one.name for one in points(read_record(folder))}
    assert "train/accuracy" in names
    assert not any(name.startswith("test/") for name in names)
    header = (folder / "history.csv").read_text().splitlines()[0]
    (folder / "history.csv").write_text(header + "\n")
    with pytest.raises(MissingDataError, match="has no finished epoch"):
        list(points(read_record(folder)))


def test_settings_are_flat(record):
    change_run(
        record.folder,
        lambda run: run["identity"]["settings"].update(network_settings={"gates": 2}, freeze=None),
    )
    found = settings_of(read_record(record.folder))
    assert found["network_settings.gates"] == 2
    assert found["network"] == "convXpress"
    assert "freeze" not in found


def test_tensorboard_reads_what_is_written(record, tmp_path):
    import tensorflow as tf

    path = write_events(record, tmp_path / "logs")
    assert path.parent.name == record.folder.name
    assert "tfevents" in path.name
    events = [
        tf.compat.v1.Event.FromString(raw.numpy()) for raw in tf.data.TFRecordDataset(str(path))
    ]
    assert events[0].file_version == "brain.Event:2"
    values = {
        (value.tag, event.step): (value.simple_value, event.wall_time)
        for event in events
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    }
    expected = {(p.name, p.epoch): (pytest.approx(p.value), p.seconds) for p in points(record)}
    assert values == expected
    (text,) = [v for e in events for v in e.summary.value if v.tag == "settings"]
    assert b"|learning_rate|0.0001|" in text.tensor.string_val[0]
    before = path.read_bytes()
    assert write_events(record, tmp_path / "logs").read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


def test_tensorboard_itself_finds_the_series(record, tmp_path):
    package = "tensorboard.backend.event_processing.event_accumulator"
    module = pytest.importorskip(package, reason="pip install 'benchmarker[tracking]'")
    path = write_events(record, tmp_path / "logs")
    found = module.EventAccumulator(str(path.parent))
    found.Reload()
    assert "test/best/mpca" in found.Tags()["scalars"] + found.Tags()["tensors"]


def test_mlflow_holds_the_run_once(record, tmp_path, store):
    name, is_new = mlflow.write_run(record, str(tmp_path / "ml"))
    run = store.get_run(name)
    assert is_new
    assert (run.info.status, run.info.run_name) == ("FINISHED", record.folder.name)
    assert run.data.params["learning_rate"] == "0.0001"
    assert run.data.metrics["test/best/mpca"] == record.metrics["best"]["mpca"]["value"]
    series = store.get_metric_history(name, "validation/accuracy")
    assert [one.step for one in series] == [1, 2, 3]
    assert [one.value for one in series] == [row["val_accuracy"] for row in record.history]
    assert mlflow.write_run(record, str(tmp_path / "ml")) == (name, False)
    other, is_new = mlflow.write_run(record, str(tmp_path / "ml"), "another")
    assert is_new
    assert other != name


def test_an_mlflow_that_refuses_is_told_in_a_line(record, store):
    with pytest.raises(SettingsError, match="MLflow at nonsense://here refuses: "):
        mlflow.write_run(record, "nonsense://here")


def test_mlflow_that_is_not_installed_is_named(record, monkeypatch, tmp_path):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    text = r"MLflow needs mlflow-skinny, which is not .* pip install 'benchmarker\[tracking\]'"
    with pytest.raises(SettingsError, match=text):
        mlflow.write_run(record, str(tmp_path / "ml"))
    assert not (tmp_path / "ml").exists()
