"""Files are whole or absent, whatever happens; locks hold between processes."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarker.core import files
from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.core.files import (
    LockedError,
    csv_text,
    lock,
    read_json,
    write_bytes,
    write_csv,
    write_json,
    write_text,
    write_with,
)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made_and_files_replaced(tmp_path):
    path = tmp_path / "new" / "Ordner mit Ä" / "file.txt"
    assert write_text(path, "first Ä") == path
    assert path.read_bytes() == "first Ä".encode()
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert names_in(path.parent) == ["file.txt"]


def test_others_may_read_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        path = write_text(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_failure_while_writing_leaves_the_old_file_alone(tmp_path):
    path = write_text(tmp_path / "file", "old")

    def fail(stream):
        stream.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_with(path, fail)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["file"]


KILLED = """
import sys, time
from benchmarker.core.files import write_with
def write(stream):
    stream.write(b"new" * 100_000)
    stream.flush()
    print("half", flush=True)
    time.sleep(60)
write_with(sys.argv[1], write)
"""


def test_killed_in_the_middle_leaves_the_old_file_whole(tmp_path):
    path = write_text(tmp_path / "file.txt", "old")
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_text(path, "next")
    assert path.read_text() == "next"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EACCES, "no permission to write"),
        (errno.EROFS, "read-only"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_refusals_of_the_system_name_the_path(tmp_path, monkeypatch, number, text, call):
    path = write_text(tmp_path / "file", "old")

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, call, refuse)
    with pytest.raises(SettingsError, match=text) as caught:
        write_text(path, "new")
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_really_full_disk_is_explained(tmp_path, monkeypatch):
    def full(**_):
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / "temporary")

    monkeypatch.setattr(files.tempfile, "mkstemp", full)
    with pytest.raises(SettingsError, match="the disk is full"):
        write_bytes(tmp_path / "file", b"x" * 100_000)
    assert names_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SettingsError, match="no permission to write"):
        write_text(tmp_path / "file", "x")
    tmp_path.chmod(0o700)


def test_names_and_paths_that_cannot_be_are_explained(tmp_path):
    with pytest.raises(SettingsError, match="the name is too long"):
        write_text(tmp_path / ("n" * 300) / "file", "x")
    write_text(tmp_path / "file", "x")
    with pytest.raises(SettingsError, match="is a file, not a folder"):
        write_text(tmp_path / "file" / "below" / "more", "x")


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path, "x")


def test_json_keeps_order_and_refuses_what_is_no_json(tmp_path):
    path = write_json(tmp_path / "a.json", {"b": 1, "a": [1.5, None, "Ä"]})
    assert path.read_text().endswith("}\n")
    assert list(json.loads(path.read_text())) == ["b", "a"]
    assert read_json(path) == {"b": 1, "a": [1.5, None, "Ä"]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"loss": float("nan")})
    assert read_json(path)["b"] == 1


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1', b"\xff\xfe"])
def test_broken_json_is_named(tmp_path, text):
    path = write_bytes(tmp_path / "run.json", text)
    with pytest.raises(InputFileError, match=r"cannot read .*run\.json as JSON"):
        read_json(path)


def test_missing_json_is_named(tmp_path):
    with pytest.raises(InputFileError, match=r"cannot read .*gone\.json"):
        read_json(tmp_path / "gone.json")


def test_tables_are_quoted_and_read_back(tmp_path):
    value = 0.1 + 0.2
    rows = [["a,b", 'say "x"', value], ["two\nlines", "", 1e-300]]
    path = write_csv(tmp_path / "t.csv", ["x", "y", "z"], rows)
    assert path.read_bytes() == csv_text(["x", "y", "z"], rows).encode()
    assert path.read_text() == (
        'x,y,z\n"a,b","say ""x""",0.30000000000000004\n"two\nlines",,1e-300\n'
    )


HOLDER = """
import sys
from benchmarker.core.files import lock
with lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(path):
    """A process that holds the lock until it gets a line or is killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "held\n"
    return child


def test_a_lock_keeps_other_processes_out(tmp_path):
    path = tmp_path / "run" / ".lock"
    with holder(path) as child:
        in_use = pytest.raises(LockedError, match="run is in use by another process")
        with in_use, lock(path, wait=False):
            pytest.fail("two holders of one lock")
        child.communicate("done\n")
    with lock(path, wait=False):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    path = tmp_path / ".lock"
    with holder(path) as child:
        child.kill()
        child.wait()
    with lock(path, wait=False):
        pass


def test_waiting_ends_when_the_other_is_done(tmp_path):
    path = tmp_path / ".lock"
    order = []
    with holder(path) as child:

        def wait():
            with lock(path):
                order.append("second")

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        order.append("first")
        child.communicate("done\n")
        thread.join(10)
    assert order == ["first", "second"]


def test_the_same_lock_can_be_taken_again_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), lock(tmp_path / ".lock"):
        raise RuntimeError
    with lock(tmp_path / ".lock", wait=False):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_share_without_locks_goes_on(tmp_path, monkeypatch, number):
    import fcntl

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    done = []
    with lock(tmp_path / ".lock"):
        done.append(True)
    assert done


def test_other_lock_errors_are_not_hidden(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="broken disk"), lock(tmp_path / ".lock"):
        pytest.fail("went on")


def test_a_file_written_by_name_is_whole_or_absent(tmp_path):
    path = tmp_path / "a.bin"
    assert files.write_named(path, lambda temporary: temporary.write_bytes(b"old")) == path

    def fail(temporary):
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        files.write_named(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_holds_it_already_is_left_alone(tmp_path):
    path = files.write_if_changed(tmp_path / "table.csv", "a,b\n")
    before = path.stat()
    assert files.write_if_changed(path, "a,b\n").stat().st_ino == before.st_ino
    assert files.write_if_changed(path, "a,c\n").read_text() == "a,c\n"
    assert path.stat().st_ino != before.st_ino or path.stat().st_mtime_ns > before.st_mtime_ns
    with pytest.raises(SettingsError):
        files.write_if_changed(path / "below.csv", "a file is no folder")
