"""Links, permissions, full disks, other programs: the old file or the new one, never a mixture."""

import errno
import json
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError
from benchmarker.hosts.radiance import replacing
from benchmarker.hosts.radiance.header_cards import Card
from benchmarker.hosts.radiance.headers import update_header
from tests.hosts.radiance.science_files import CARDS, data_bytes, make, plain, require_verified

TESTS = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return make("plain", tmp_path)


def refused(path, text, **options):
    before = path.stat(), path.read_bytes()
    with pytest.raises(InputFileError, match=text) as caught:
        update_header(path, CARDS, **options)
    assert str(path) in str(caught.value)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == (before[0].st_mtime_ns, before[1])
    assert list(path.resolve().parent.glob(".header-*")) == []


def test_symbolic_links_are_refused_unless_followed(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.fits"
    link.symlink_to(path)
    refused(link, "is a symbolic link")
    update_header(link, CARDS, follow_links=True)
    assert link.is_symlink()
    assert fits.getval(path, "RFI") == 0.25
    link.unlink()
    link.symlink_to(tmp_path / "gone.fits")
    with pytest.raises(InputFileError, match="no such file"):
        update_header(link, CARDS, follow_links=True)


def test_hard_links_are_refused_unless_told(path, tmp_path):
    os.link(path, tmp_path / "other.fits")
    refused(path, r"2 names \(hard links\)")
    update_header(path, CARDS, follow_links=True)
    assert "RFI" in fits.getheader(path)
    assert "RFI" not in fits.getheader(tmp_path / "other.fits")


def test_read_only_files_are_refused_unless_told(path):
    path.chmod(0o444)
    refused(path, "is read-only")
    update_header(path, CARDS, force_read_only=True)
    assert fits.getval(path, "RFI") == 0.25
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_fifos_are_refused(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    with pytest.raises(InputFileError, match="no regular file"):
        update_header(tmp_path / "a.fits", CARDS)


def test_mode_stays_and_times_where_asked(path):
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18 + 123456789))
    update_header(path, CARDS, keep_times=True)
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_mtime_ns == 10**18 + 123456789
    update_header(path, [Card("RFI", 0.5)])
    assert time.time() - path.stat().st_mtime < 60


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_attributes_stay(path):
    os.chown(path, 12345, 23456)
    try:
        os.setxattr(path, "user.origin", b"telescope")
    except OSError:
        pytest.skip("no extended attributes here")
    update_header(path, CARDS)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (12345, 23456)
    assert os.getxattr(path, "user.origin") == b"telescope"


def test_the_file_of_another_user_is_not_taken_over(path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(path, 12345, -1)

    def fchown(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", fchown)
    refused(path, "belongs to another user")
    update_header(path, CARDS, force_read_only=True)
    assert path.stat().st_uid == 0


def test_a_folder_without_permission_is_told(path, monkeypatch):
    def mkstemp(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(replacing.tempfile, "mkstemp", mkstemp)
    refused(path, "Permission denied; the file is as it was")


def test_a_full_disk_leaves_the_file_alone(path):
    """The limit on file sizes makes the kernel refuse to write on, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size
    try:
        for most in (0, 1, 2880, 2881, 5760, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
            with pytest.raises(InputFileError, match="File too large; the file is as it was"):
                update_header(path, CARDS)
            assert "RFI" not in fits.getheader(path)
            assert list(path.parent.glob(".header-*")) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    update_header(path, CARDS)


def test_a_disk_that_is_really_full(path):
    """A file system of its own, as far as the machine lets us mount one."""
    where = path.parent / "small"
    where.mkdir()
    size = path.stat().st_size
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={(size // 4096 + 2) * 4096}", "none", where]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        full = where / "a.fits"
        full.write_bytes(path.read_bytes())
        refused(full, "No space left on device; the file is as it was")
        assert data_bytes(full) == data_bytes(path)
    finally:
        subprocess.run(["umount", where], check=True)


def test_without_help_of_the_kernel_the_copy_is_the_same(path, monkeypatch):
    def copy(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    before = data_bytes(path)
    monkeypatch.setattr(os, "copy_file_range", copy)
    monkeypatch.setattr(replacing, "READ_PIECE", 1000)
    update_header(path, CARDS)
    assert data_bytes(path) == before
    monkeypatch.setattr(os, "copy_file_range", lambda *_, **__: 0)  # as on some file systems
    update_header(path, [Card("RFI", 0.5)])
    assert data_bytes(path) == before


def test_an_error_of_the_disk_is_told(path, monkeypatch):
    def fsync(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    refused(path, "Input/output error")


def test_a_program_that_writes_at_the_same_time_is_noticed(path, monkeypatch):
    chmod = os.fchmod

    def meanwhile(handle, mode):
        chmod(handle, mode)
        with path.open("r+b") as stream:  # pixels, by a program that edits in place
            stream.seek(-100, os.SEEK_END)
            stream.write(b"new")
        os.utime(path, ns=(1, 1))

    monkeypatch.setattr(os, "fchmod", meanwhile)
    with pytest.raises(InputFileError, match="was changed by another program"):
        update_header(path, CARDS)
    assert b"new" in path.read_bytes()
    assert "RFI" not in fits.getheader(path)


def test_a_file_replaced_in_the_meantime_is_read_again(path, tmp_path, monkeypatch):
    chmod, count = os.fchmod, []

    def meanwhile(handle, mode):
        chmod(handle, mode)
        count.append(1)
        if len(count) == 1:
            plain(tmp_path / "new.fits")
            fits.setval(tmp_path / "new.fits", "NEWER", value=1)
            (tmp_path / "new.fits").rename(path)

    monkeypatch.setattr(os, "fchmod", meanwhile)
    update_header(path, CARDS)
    assert len(count) == 2
    assert fits.getheader(path)["NEWER"] == 1
    assert fits.getheader(path)["RFI"] == 0.25


def test_without_locks_a_recent_copy_of_another_is_left(path, monkeypatch):
    import fcntl

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    left = []
    monkeypatch.setattr(replacing, "_remove_abandoned", lambda *_, **words: left.append(words))
    monkeypatch.setattr(fcntl, "flock", flock)
    update_header(path, CARDS)
    assert left == [{"locked": False}]
    monkeypatch.undo()
    copy = path.parent / f"{replacing.copy_prefix(path)}x.part"
    for age, stays in ((10, True), (2 * replacing.ABANDONED_SECONDS, False)):
        copy.write_bytes(b"half")
        os.utime(copy, (time.time() - age,) * 2)
        replacing._remove_abandoned(path.parent, replacing.copy_prefix(path), locked=False)
        assert copy.exists() == stays


def test_threads_wait_for_each_other(path):
    before = data_bytes(path)

    def work(keyword):
        for number in range(20):
            update_header(path, [Card(keyword, number)])

    threads = [threading.Thread(target=work, args=(f"KEY{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert data_bytes(path) == before
    header = fits.getheader(path)
    assert [header[f"KEY{n}"] for n in range(4)] == [19] * 4


UPDATES = """
import sys
from benchmarker.hosts.radiance.header_cards import Card
from benchmarker.hosts.radiance.headers import update_header
path, name = sys.argv[1:]
for number in range(40):
    update_header(path, [Card(f"K{name}N{number}", number), Card(name, number)])
"""


def test_two_processes_on_one_file_lose_nothing(path):
    before = data_bytes(path)
    processes = [
        subprocess.Popen([sys.executable, "-c", UPDATES, str(path), name], cwd=TESTS)
        for name in ("ONE", "TWO")
    ]
    seen = set()
    while any(process.poll() is None for process in processes):
        assert data_bytes(path) == before  # a reader always finds a whole file
        header = fits.getheader(path)
        seen.add((header.get("ONE"), header.get("TWO")))
    assert [process.returncode for process in processes] == [0, 0]
    header = fits.getheader(path)
    for name in ("ONE", "TWO"):
        assert header[name] == 39
        assert [header[f"K{name}N{number}"] for number in range(40)] == list(range(40))
    assert len(seen) > 2
    require_verified(path)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["plain", "compressed_scaled"])
def test_killed_at_any_step_the_file_is_old_or_new(kind, tmp_path):
    path = make(kind, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.hosts.radiance.kill_update", path],
        capture_output=True, text=True, check=True, cwd=TESTS,
    )  # fmt: skip
    states = json.loads(done.stdout)
    names = {state["step"] for state in states}
    assert {"mkstemp", "write", "half a write", "copy_file_range", "fsync", "replace"} <= names
    assert all(state["data_same"] for state in states)
    assert {state["header"] for state in states} == {"old", "new"}
    assert any(state["left_over"] for state in states)
    # old up to the move, new from then on
    headers = [state["header"] for state in states if state["step"] != "half a write"]
    assert headers == sorted(headers, reverse=True)
    data_bytes(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    require_verified(path)
