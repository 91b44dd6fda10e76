"""Downloads against a loopback server that breaks off, lies, moves, stalls and redirects."""

import hashlib
import socket
import subprocess
import sys
import time

import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data import downloads, transfer
from benchmarker.data.downloads import DownloadError, Listener, RemoteFile, fetch
from tests.data.loopback import serving

DATA = hashlib.shake_256(b"radio galaxies").digest(350_000)
SHA256 = "sha256:" + hashlib.sha256(DATA).hexdigest()
MD5 = "md5:" + hashlib.md5(DATA).hexdigest()  # noqa: S324 (what publishers state)


@pytest.fixture
def server():
    with serving(DATA) as running:
        yield running


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(transfer.time, "sleep", lambda _: None)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def remote(server, *manners, **changes):
    """The test file at ``/MANNER/file.bin`` of the server, one address per manner."""
    urls = tuple(f"{server.url}/{manner}/file.bin" for manner in manners)
    options = {"name": "file.bin", "checksum": SHA256, "size": len(DATA)} | changes
    return RemoteFile(urls=urls, **options)


def notes_of(file, folder):
    """Fetch and return the sentences told on the way."""
    told = []
    fetch(file, folder, listener=Listener(note=told.append))
    return told


def require_failure(file, folder, text, kind=DownloadError):
    """The download fails with `text`; no file has the name, nothing unchecked is left there."""
    with pytest.raises(kind, match=text) as caught:
        fetch(file, folder)
    assert not (folder / file.name).exists()
    visible = [path.name for path in folder.glob("*") if not path.name.startswith(".")]
    assert visible == []
    return str(caught.value)


@pytest.mark.parametrize("checksum", [SHA256, MD5, None])
@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_file_arrives_whole(server, tmp_path, checksum, size):
    folder = tmp_path / "new folder"
    place = fetch(remote(server, "good", checksum=checksum, size=size), folder)
    assert place == folder / "file.bin"
    assert place.read_bytes() == DATA
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == [
        "file.bin"
    ]


@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_file_that_is_there_is_not_asked_for_again(server, tmp_path, checksum):
    (tmp_path / "file.bin").write_bytes(DATA)
    fetch(remote(server, "good", checksum=checksum), tmp_path)
    assert server.asked == []


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_another_file_of_the_name_is_kept_and_named(server, tmp_path, checksum):
    (tmp_path / "file.bin").write_bytes(b"my notes")
    with pytest.raises(InputFileError, match=r"file\.bin is not the file that was published"):
        fetch(remote(server, "good", checksum=checksum), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"my notes"
    assert server.asked == []


def test_broken_off_connections_are_continued_by_range(server, tmp_path):
    assert fetch(remote(server, "breaks"), tmp_path).read_bytes() == DATA
    ranges = [asked for _, asked in server.asked]
    assert ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_download_goes_on_where_an_earlier_command_stopped(server, tmp_path):
    message = require_failure(remote(server, "wrong-range"), tmp_path, "another piece")
    assert "100.0 kB of it are kept: the same command goes on from there" in message
    server.asked.clear()
    assert fetch(remote(server, "good"), tmp_path).read_bytes() == DATA
    assert server.asked == [("/good/file.bin", "bytes=100000-")]


def test_a_server_without_ranges_starts_again(server, tmp_path):
    assert fetch(remote(server, "no-range-breaks-once"), tmp_path).read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-"]


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_file_that_changed_between_two_halves_is_got_again(server, tmp_path, checksum):
    file = remote(server, "changes", checksum=checksum)
    told = notes_of(file, tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=100000-", None]
    assert "starting again" in told[0]


def test_without_a_checksum_an_old_half_is_not_trusted(server, tmp_path):
    file = remote(server, "wrong-range", checksum=None)
    message = require_failure(file, tmp_path, "another piece")
    assert "kept" not in message
    server.asked.clear()
    assert fetch(remote(server, "good", checksum=None), tmp_path).read_bytes() == DATA
    assert server.asked == [("/good/file.bin", None)]


def test_an_old_half_of_a_card_that_changed_is_not_continued(server, tmp_path):
    other = "sha256:" + "0" * 64
    require_failure(remote(server, "wrong-range", checksum=other), tmp_path, "another piece")
    server.asked.clear()
    fetch(remote(server, "good"), tmp_path)
    assert server.asked == [("/good/file.bin", None)]


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_wrong_content_never_gets_the_name(server, tmp_path, checksum):
    message = require_failure(remote(server, "wrong", checksum=checksum), tmp_path, "known hash")
    got = hashlib.new(checksum[: checksum.index(":")], bytes(len(DATA))).hexdigest()
    assert checksum.partition(":")[2] in message
    assert got in message
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("manner", "text"),
    [
        ("gone", r"no such file any more \(HTTP 404\)"),
        ("secret", r"refuses access \(HTTP 403\)"),
        ("page", "a web page came instead of the file"),
        ("moved", r"a web page came instead of the file \(from .*/page/login\): it has moved"),
        ("to-file", "redirected to an address that is not allowed"),
        ("round", "redirected more than 5 times"),
        ("short", r"the file there has 350\.0 kB, expected 350\.0 kB"),
        ("endless", r"more than the expected 350\.0 kB"),
        ("breaks-at-start", r"broke off.*4 attempts"),
    ],
)
def test_each_failure_names_address_reason_and_what_to_do(server, tmp_path, manner, text):
    message = require_failure(remote(server, manner), tmp_path, text)
    assert "cannot download file.bin (350.0 kB):" in message
    assert f"{server.url}/{manner}/file.bin: " in message
    assert f"put it at {tmp_path / 'file.bin'}" in message


def test_a_page_does_not_spoil_what_was_received(server, tmp_path):
    require_failure(remote(server, "wrong-range"), tmp_path, "another piece")
    require_failure(remote(server, "page", "short"), tmp_path, "web page")
    server.asked.clear()
    fetch(remote(server, "good"), tmp_path)
    assert server.asked == [("/good/file.bin", "bytes=100000-")]


def test_nothing_of_a_file_that_is_too_long_is_kept(server, tmp_path):
    require_failure(remote(server, "endless"), tmp_path, "more than")
    server.asked.clear()
    fetch(remote(server, "good"), tmp_path)
    assert server.asked == [("/good/file.bin", None)]


def test_the_next_address_is_tried_and_continues(server, tmp_path):
    told = notes_of(remote(server, "gone", "wrong-range", "good"), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == DATA
    assert server.asked[-1] == ("/good/file.bin", "bytes=100000-")
    assert "HTTP 404" in told[0]
    assert "another piece" in told[1]


def test_a_good_redirect_is_followed(server, tmp_path):
    assert fetch(remote(server, "moved-well"), tmp_path).read_bytes() == DATA


def test_a_busy_server_is_asked_again(server, tmp_path):
    fetch(remote(server, "busy-twice"), tmp_path)
    assert len(server.asked) == 3


@pytest.mark.parametrize("manner", ["chunked", "declared-gzip", "packs-if-allowed"])
def test_the_bytes_are_kept_as_they_are(server, tmp_path, manner):
    assert fetch(remote(server, manner, size=None), tmp_path).read_bytes() == DATA


def test_a_file_of_unknown_size_has_a_limit(server, tmp_path):
    downloader = transfer.ResumingDownloader(tmp_path / "part", None, most_bytes=1000)
    for manner, text in (("good", "expected 1.0 kB"), ("endless", "more than the expected")):
        with pytest.raises(transfer.TransferError, match=text):
            downloader(f"{server.url}/{manner}/file.bin", str(tmp_path / "out"), None)
    assert not (tmp_path / "out").exists()


def test_a_silent_server_is_given_up(server, tmp_path):
    downloader = transfer.ResumingDownloader(
        tmp_path / "part", len(DATA), attempts=2, silence_seconds=0.2
    )
    started = time.monotonic()
    with pytest.raises(transfer.TransferError, match=r"broke off.*2 attempts"):
        downloader(f"{server.url}/silent/file.bin", str(tmp_path / "out"), None)
    assert time.monotonic() - started < 5


def test_no_network_is_said(tmp_path):
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.bin"
        file = RemoteFile("file.bin", (url,), SHA256)
        require_failure(file, tmp_path, r"no connection to 127\.0\.0\.1: is there a network\?")


def test_an_unknown_certificate_is_not_accepted(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise transfer.requests.exceptions.SSLError

    monkeypatch.setattr(transfer.requests.Session, "get", refuse)
    file = RemoteFile("file.bin", ("https://127.0.0.1/file.bin",), SHA256)
    require_failure(file, tmp_path, "certificate is not accepted")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"urls": ("file:///etc/passwd",)}, "expected http"),
        ({"urls": ("ftp://127.0.0.1/x",)}, "expected http"),
        ({"urls": ("/etc/passwd",)}, "expected http"),
        ({"urls": ("http://",)}, "expected http"),
        ({"urls": ("http://[bad/",)}, "expected http"),
        ({"urls": ()}, "no address"),
        ({"name": "../file.bin"}, "a plain name"),
        ({"name": ".."}, "a plain name"),
        ({"name": "a\nb"}, "a plain name"),
        ({"checksum": "sha256:12"}, "expected sha256: and 64 digits"),
        ({"checksum": "sha1:" + "0" * 40}, "expected sha256: and 64 digits"),
        ({"size": 0}, "size 0"),
        ({"size": 10**15}, "size 1000000000000000"),
    ],
)
def test_what_is_not_allowed_is_refused_before_any_request(tmp_path, changes, text):
    options = {"name": "f", "urls": ("http://127.0.0.1/f",), "checksum": SHA256} | changes
    with pytest.raises(SettingsError, match=text):
        fetch(RemoteFile(**options), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_what_came_and_says_so(server, tmp_path, monkeypatch):
    real = transfer.ResumingDownloader._append

    def full(self, stream, piece, done):
        if done > 100_000:
            raise OSError(28, "No space left on device")
        real(self, stream, piece, done)

    with monkeypatch.context() as patch:
        patch.setattr(transfer.ResumingDownloader, "_append", full)
        message = require_failure(
            remote(server, "good"), tmp_path, "the disk is full", SettingsError
        )
    assert str(tmp_path / "file.bin") in message
    server.asked.clear()
    assert fetch(remote(server, "good"), tmp_path).read_bytes() == DATA
    assert server.asked[0][1] is not None


def test_too_little_room_is_said_before_any_request(server, tmp_path, monkeypatch):
    usage = downloads.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage)
    text = r"no room for file\.bin .*350\.0 kB needed, 1\.0 kB free"
    require_failure(remote(server, "good"), tmp_path, text, SettingsError)
    assert server.asked == []


def test_a_folder_that_is_a_file_is_said(server, tmp_path):
    (tmp_path / "set").write_text("a file")
    with pytest.raises(SettingsError, match="it is a file, expected a folder"):
        fetch(remote(server, "good"), tmp_path / "set")


def test_progress_grows_to_the_end(server, tmp_path):
    told = []
    fetch(
        remote(server, "breaks"),
        tmp_path,
        listener=Listener(progress=lambda done, total: told.append((done, total))),
    )
    assert told == sorted(told)
    assert told[-1] == (len(DATA), len(DATA))


CLIENT = """
import sys
from benchmarker.data.downloads import Listener, RemoteFile, fetch
url, checksum, size, folder = sys.argv[1:]
file = RemoteFile("file.bin", (url,), checksum, int(size))
told = Listener(progress=lambda done, total: print("piece", flush=True), note=print)
print(fetch(file, folder, listener=told), flush=True)
"""


def client(server, manner, folder):
    url = f"{server.url}/{manner}/file.bin"
    command = [sys.executable, "-c", CLIENT, url, SHA256, str(len(DATA)), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_download_once(server, tmp_path):
    with client(server, "slow", tmp_path) as first, client(server, "slow", tmp_path) as second:
        texts = [process.communicate(timeout=30)[0] for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0]
    assert len(server.asked) == 1
    assert sorted("piece" in text for text in texts) == [False, True]
    assert (tmp_path / "file.bin").read_bytes() == DATA


def test_killed_in_the_middle_then_continued(server, tmp_path):
    with client(server, "slow", tmp_path) as process:
        assert [process.stdout.readline() for _ in range(2)] == ["piece\n"] * 2
        process.kill()
    assert not (tmp_path / "file.bin").exists()
    server.asked.clear()
    assert fetch(remote(server, "good"), tmp_path).read_bytes() == DATA
    start = int(server.asked[0][1].removeprefix("bytes=").rstrip("-"))
    assert 0 < start < len(DATA)


def test_sizes_in_words():
    sizes = {999: "999 bytes", 1000: "1.0 kB", 1_440_000: "1.4 MB", 15_300_000_000: "15.3 GB"}
    assert {size: transfer.human_size(size) for size in sizes} == sizes
    assert transfer.human_size(3 * 10**12) == "3.0 TB"
