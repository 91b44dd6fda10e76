"""A record as a TensorBoard event file, written after the fact.

Only the event format is needed, which comes with TensorFlow; TensorBoard itself is for
looking at it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarker.core.files import make_folder, write_bytes
from benchmarker.core.records import Record
from benchmarker.exports.series import Point, begun, points, settings_of

VERSION = "brain.Event:2"  # of the format, as its first record says


def write_events(record: Record, folder: str | Path) -> Path:
    """Write ``FOLDER/RUN/events.out.tfevents...``; the same record gives the same file again.

    Returns the path. Raises `MissingDataError` for a run without epochs.
    """
    events = [_first(record), _text(record), *map(_event, points(record))]
    place = make_folder(Path(folder) / record.folder.resolve().name)
    name = f"events.out.tfevents.{int(begun(record)):010d}.benchmarker"
    return write_bytes(place / name, _packed(events))


def _packed(events: list[Any]) -> bytes:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        with tf.io.TFRecordWriter(str(path)) as stream:
            for event in events:
                stream.write(event.SerializeToString())
        return path.read_bytes()


def _first(record: Record) -> Any:
    import tensorflow as tf

    return tf.compat.v1.Event(wall_time=begun(record), file_version=VERSION)


def _event(point: Point) -> Any:
    import tensorflow as tf

    value = tf.compat.v1.Summary.Value(tag=point.name, simple_value=point.value)
    summary = tf.compat.v1.Summary(value=[value])
    return tf.compat.v1.Event(wall_time=point.seconds, step=point.epoch, summary=summary)


def _text(record: Record) -> Any:
    """The settings as a table on TensorBoard's page of texts."""
    import tensorflow as tf

    rows = [f"|{key}|{json.dumps(value)}|" for key, value in settings_of(record).items()]
    table = "\n".join(["|setting|value|", "|---|---|", *rows])
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")
    )
    tensor = tf.make_tensor_proto([table.encode()], dtype=tf.string)
    value = tf.compat.v1.Summary.Value(tag="settings", metadata=metadata, tensor=tensor)
    summary = tf.compat.v1.Summary(value=[value])
    return tf.compat.v1.Event(wall_time=begun(record), summary=summary)
