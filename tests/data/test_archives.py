"""Archives of every malicious kind, made here byte by byte; nothing may be written outside."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import signal
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.data import archives
from benchmarker.data.archives import Limits, unpack

FILES = {"set/one.txt": b"one", "set/deep/two.txt": b"two" * 1000, "notes.txt": b""}


def tar_bytes(members, **options):
    """An uncompressed tar of (name, content or TarInfo changes) pairs."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **options) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                for key, value in content.items():
                    setattr(info, key, value)
                archive.addfile(info)
    return stream.getvalue()


def zip_bytes(members):
    """A zip of (name, content, unix mode) triples."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


def plain_zip(members):
    return zip_bytes([(name, content, stat.S_IFREG | 0o644) for name, content in members])


@pytest.fixture(autouse=True)
def _no_wait_for_the_disk(monkeypatch):
    # the sync before the journal waits for every other process of the machine, too
    monkeypatch.setattr(archives.os, "sync", lambda: None)


@pytest.fixture
def place(tmp_path):
    """A folder with room around it, so that an escape shows."""
    folder = tmp_path / "around" / "data" / "set"
    folder.mkdir(parents=True)
    return folder


def write(place, name, data):
    path = place / name
    path.write_bytes(data)
    return path


def everything_below(folder):
    """Names of all files and folders, our own bookkeeping (dot files) left out."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def require_refused(place, data, text, *, name="a.archive", **options):
    """`data` is refused with `text` in the message, and nothing at all appears."""
    archive = write(place, name, data)
    root = place.parents[1]
    before = everything_below(root)
    with pytest.raises(InputFileError) as caught:
        unpack(archive, place, **options)
    assert str(archive) in str(caught.value)
    assert re.search(text, str(caught.value).replace(str(archive), ""))
    assert everything_below(root) == before
    assert not list(place.glob("*.unpack*"))
    assert not list(place.glob(".*.unpack*"))


@pytest.mark.parametrize(
    "pack",
    [
        lambda: tar_bytes(FILES.items()),
        lambda: gzip.compress(tar_bytes(FILES.items())),
        lambda: bz2.compress(tar_bytes(FILES.items())),
        lambda: lzma.compress(tar_bytes(FILES.items())),
        lambda: tar_bytes(FILES.items(), format=tarfile.PAX_FORMAT),
        lambda: plain_zip(FILES.items()),
    ],
    ids=["tar", "gz", "bz2", "xz", "pax", "zip"],
)
def test_every_format_unpacks_to_the_same_files(place, pack):
    archive = write(place, "set.bin", pack())
    assert unpack(archive, place) == [place / "notes.txt", place / "set"]
    for name, content in FILES.items():
        assert (place / name).read_bytes() == content
    assert everything_below(place) == sorted([*FILES, "set", "set.bin", "set/deep"])


def test_dot_names_and_folder_members_are_accepted(place):
    folder = {"type": tarfile.DIRTYPE, "mode": 0o700}
    data = tar_bytes(
        [("./", folder), ("./set/", folder), ("./set/one.txt", b"1"), ("empty", folder)]
    )
    assert unpack(write(place, "set.tar", data), place) == [place / "empty", place / "set"]
    assert (place / "set" / "one.txt").read_bytes() == b"1"
    assert (place / "empty").is_dir()


def test_long_and_foreign_names_survive(place):
    names = ["a" * 200 + "/" + "b" * 150 + ".fits", "Zentaurus Ä – 3C 31.png"]
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        archive = write(place, f"{kind}.tar", tar_bytes([(n, b"x") for n in names], format=kind))
        folder = place / str(kind)
        unpack(archive, folder)
        assert all((folder / name).read_bytes() == b"x" for name in names)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../escaped.txt", "leads out of the folder"),
        ("set/../../escaped.txt", "leads out of the folder"),
        ("set/..", "leads out of the folder"),
        ("/escaped.txt", "an absolute path"),
        ("//escaped.txt", "an absolute path"),
        ("..\\escaped.txt", "backslashes"),
        ("C:/escaped.txt", "a drive"),
        ("new\nline.txt", "control"),
        ("bell\x07.txt", "control"),
        ("x" * 256, "too long"),
        ("/".join(["d" * 100] * 11), "too long"),
    ],
)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_names_that_lead_elsewhere_are_refused(place, name, text, kind):
    members = [("fine.txt", b"fine"), (name, b"bad")]
    pack = tar_bytes if kind == "tar" else plain_zip
    require_refused(place, pack(members), text)


def test_a_name_cut_at_a_null_character_is_refused(place):
    data = plain_zip([("fine.txt0hidden", b"x")]).replace(b"fine.txt0hidden", b"fine.txt\0hidden")
    require_refused(place, data, "control")


def test_a_tar_name_that_is_no_unicode_is_refused(place):
    data = tar_bytes([("caf\udce9.txt", b"x")], format=tarfile.GNU_FORMAT, errors="surrogateescape")
    require_refused(place, data, "invalid characters")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc"}, "is a symbolic link"),
        ({"type": tarfile.SYMTYPE, "linkname": "fine.txt"}, "is a symbolic link"),
        ({"type": tarfile.LNKTYPE, "linkname": "../../secret"}, "is a hard link"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "is a device"),
        ({"type": tarfile.BLKTYPE}, "is a device"),
        ({"type": tarfile.FIFOTYPE}, "is a named pipe"),
        ({"type": b"Z"}, "unknown type"),
    ],
)
def test_tar_members_other_than_files_and_folders_are_refused(place, changes, text):
    require_refused(place, tar_bytes([("fine.txt", b"fine"), ("bad", changes)]), text)


def test_a_file_written_through_a_link_is_refused(place):
    target = place.parents[1]
    link = {"type": tarfile.SYMTYPE, "linkname": str(target)}
    data = tar_bytes([("out", link), ("out/escaped.txt", b"bad")])
    require_refused(place, data, "symbolic link")


@pytest.mark.parametrize(
    ("mode", "text"),
    [(stat.S_IFLNK, "symbolic link"), (stat.S_IFCHR, "device"), (stat.S_IFIFO, "special file")],
)
def test_zip_members_other_than_files_and_folders_are_refused(place, mode, text):
    data = zip_bytes([("fine.txt", b"fine", stat.S_IFREG), ("bad", b"/etc", mode | 0o777)])
    require_refused(place, data, text)


def test_an_encrypted_zip_is_refused(place):
    data = bytearray(plain_zip([("a", b"x")]))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    require_refused(place, bytes(data), "encrypted")


@pytest.mark.parametrize("names", [["a", "a"], ["a", "./a"], ["d/a", "d//a"]])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(place, names):
    members = [(name, b"x") for name in names]
    require_refused(place, tar_bytes(members), "comes twice", name="a.tar")
    require_refused(place, plain_zip(members), "comes twice", name="a.zip")


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b", "a"]])
def test_a_name_that_is_file_and_folder_is_refused(place, names):
    require_refused(place, tar_bytes([(name, b"x") for name in names]), "folder")


def test_all_faults_are_listed_at_once(place):
    members = [("../up", b"x"), ("/top", b"x"), ("l", {"type": tarfile.SYMTYPE, "linkname": "x"})]
    archive = write(place, "bad.tar", tar_bytes(members))
    with pytest.raises(InputFileError) as caught:
        unpack(archive, place)
    text = str(caught.value)
    assert "refused whole" in text
    assert "has 3 faults" in text
    assert all(name in text for name in ("'../up'", "'/top'", "'l'"))


@pytest.mark.parametrize("pack", [tar_bytes, plain_zip])
def test_too_many_members_are_refused(place, pack):
    data = pack([(f"{number}.txt", b"") for number in range(11)])
    require_refused(place, data, "more than 10 members", limits=Limits(members=10))


@pytest.mark.parametrize("pack", [tar_bytes, plain_zip])
def test_too_many_bytes_are_refused(place, pack):
    data = pack([("a", b"x" * 600), ("b", b"x" * 600)])
    require_refused(place, data, "more than 1000 bytes", limits=Limits(total_bytes=1000))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_tar_bomb_is_refused(place, compress):
    data = compress(tar_bytes([("zeros", bytes(30_000_000))]))
    limits = Limits(ratio=100, harmless_bytes=1_000_000)
    require_refused(place, data, "times its own size", limits=limits)


def test_a_zip_bomb_is_refused(place):
    data = plain_zip([("zeros", bytes(30_000_000))])
    limits = Limits(ratio=100, harmless_bytes=1_000_000)
    require_refused(place, data, "times its own size", limits=limits)


def test_an_image_of_empty_sky_is_no_bomb(place):
    archive = write(place, "sky.zip", plain_zip([("sky.fits", bytes(30_000_000))]))
    assert unpack(archive, place) == [place / "sky.fits"]


def test_a_stream_of_endless_headers_is_refused(place):
    # a gzip of headers without contents is large only when it is unpacked
    folder = {"type": tarfile.DIRTYPE}
    block = tar_bytes([("d", folder)])[:512]
    data = gzip.compress(block * 20_000, 1)
    require_refused(place, data, "limit", limits=Limits(members=100, harmless_bytes=0, ratio=1))


def test_a_header_that_claims_a_giant_name_is_refused(place):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    data = info.tobuf(tarfile.GNU_FORMAT) + bytes(10240)
    require_refused(place, data, "header claims")


def test_a_negative_size_is_refused(place):
    info = tarfile.TarInfo("a")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 11 + b"\x00"  # base-256 number -256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    require_refused(place, bytes(block) + bytes(10240), "claims -256")


def test_a_pax_header_with_a_negative_size_is_refused(place):
    info = tarfile.TarInfo("a")
    info.pax_headers = {"size": "-1024"}
    data = info.tobuf(tarfile.PAX_FORMAT) + bytes(10240)
    require_refused(place, data, "damaged|claims")


def test_sparse_files_are_refused_and_do_not_hang(place):
    old = tarfile.TarInfo("a")
    old.type = tarfile.GNUTYPE_SPARSE
    require_refused(place, old.tobuf(tarfile.GNU_FORMAT) + bytes(10240), "sparse", name="old")
    new = tarfile.TarInfo("GNUSparseFile.0/a")
    new.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a"}
    require_refused(place, new.tobuf(tarfile.PAX_FORMAT), "sparse", name="new")
    map_in_header = tarfile.TarInfo("a")
    map_in_header.pax_headers = {"GNU.sparse.map": "0,10", "GNU.sparse.size": str(10**15)}
    data = map_in_header.tobuf(tarfile.PAX_FORMAT) + bytes(10240)
    require_refused(place, data, "sparse", name="map")


def test_a_zip_that_hides_its_true_size_is_refused(place):
    data = bytearray(plain_zip([("a", b"x" * 5000)]))
    for header, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(header) + offset
        data[at : at + 4] = (10).to_bytes(4, "little")
    require_refused(place, bytes(data), "damaged|another length")


@pytest.mark.parametrize("content", [b"longer", b"sho"])
def test_a_member_of_another_length_than_stated_is_refused(place, monkeypatch, content):
    archive = write(place, "a.tar", tar_bytes([("a", b"four")]))
    monkeypatch.setattr(archives, "read_entries", lambda *_: [forged_entry(content)])
    with pytest.raises(InputFileError, match="another length than the 4 stated"):
        unpack(archive, place)
    assert everything_below(place) == ["a.tar"]


def forged_entry(content):
    return archives.Entry("a", "file", 4, lambda: iter([content]))


def test_broken_bytes_are_refused(place):
    packed = gzip.compress(tar_bytes([("a", os.urandom(100_000))]))
    require_refused(place, packed[:50_000], "damaged|another length", name="cut.tar.gz")
    flipped = bytearray(packed)
    flipped[60_000] ^= 0xFF
    require_refused(place, bytes(flipped), "damaged", name="flipped.tar.gz")
    plain = tar_bytes([("a", os.urandom(100_000))])
    require_refused(place, plain[:50_000], "damaged|another length", name="cut.tar")
    zipped = bytearray(plain_zip([("a", os.urandom(100_000))]))
    zipped[60_000] ^= 0xFF
    require_refused(place, bytes(zipped), "damaged", name="flipped.zip")
    require_refused(place, bytes(zipped[:50_000]), "damaged", name="cut.zip")


@pytest.mark.parametrize("data", [b"", b"<html>moved</html>", os.urandom(3000), bytes(10240)])
def test_what_is_no_archive_is_refused(place, data):
    require_refused(place, data, "no zip or tar|holds no file|damaged")


def test_a_missing_archive_is_named(place):
    with pytest.raises(InputFileError, match=r"no archive file at .*gone\.zip"):
        unpack(place / "gone.zip", place)


def test_unpacking_again_changes_nothing(place):
    archive = write(place, "set.tar", tar_bytes(FILES.items()))
    unpack(archive, place)
    stamp = (place / "set" / "one.txt").stat()
    assert unpack(archive, place) == [place / "notes.txt", place / "set"]
    assert (place / "set" / "one.txt").stat().st_ino == stamp.st_ino


def test_what_was_deleted_is_unpacked_again(place):
    archive = write(place, "one.tar", tar_bytes([("one.txt", b"1")]))
    unpack(archive, place)
    (place / "one.txt").unlink()
    unpack(archive, place)
    assert (place / "one.txt").read_bytes() == b"1"


def test_a_file_of_the_user_is_never_replaced(place):
    archive = write(place, "set.tar", tar_bytes(FILES.items()))
    (place / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match=r"notes\.txt is already in"):
        unpack(archive, place)
    assert (place / "notes.txt").read_text() == "mine"
    assert everything_below(place) == ["notes.txt", "set.tar"]


def test_a_member_cannot_pose_as_our_bookkeeping(place):
    journal = json.dumps({"archive": "x", "entries": ["../../../etc"]}).encode()
    data = tar_bytes([(".set.tar.unpacked", journal)])
    with pytest.raises(SettingsError, match="did not come from this archive"):
        unpack(write(place, "set.tar", data), place)
    assert not (place / ".set.tar.unpacked").exists()


def test_a_full_disk_leaves_nothing_behind(place, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    archive = write(place, "set.tar", tar_bytes(FILES.items()))
    monkeypatch.setattr(archives, "_write_member", full)
    with pytest.raises(SettingsError, match="the disk is full"):
        unpack(archive, place)
    assert everything_below(place) == ["set.tar"]
    assert not list(place.glob(".*.unpacking"))


def test_too_little_room_is_said_before_writing(place, monkeypatch):
    usage = archives.shutil.disk_usage(place)._replace(free=100)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SettingsError, match="3003 bytes needed, 100 free"):
        unpack(write(place, "set.tar", tar_bytes(FILES.items())), place)
    assert everything_below(place) == ["set.tar"]


def test_a_name_taken_while_moving_is_finished_after_a_stop(place, monkeypatch):
    archive = write(place, "set.tar", tar_bytes(FILES.items()))
    real = archives.Path.rename

    def stop_at_second(self, target):
        if self.name == "set":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(archives.Path, "rename", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, place)
    monkeypatch.undo()
    assert everything_below(place) == ["notes.txt", "set.tar"]
    assert unpack(archive, place) == [place / "notes.txt", place / "set"]
    assert (place / "set" / "deep" / "two.txt").read_bytes() == FILES["set/deep/two.txt"]


SLOWLY = """
import sys, time
from benchmarker.data import archives
write = archives._write_member
def slowly(entry, member, place):
    count = write(entry, member, place)
    print("written", flush=True)
    time.sleep(30)
    return count
archives._write_member = slowly
archives.unpack(sys.argv[1], sys.argv[2])
"""


def test_killed_while_writing_then_unpacked_whole(place):
    archive = write(place, "set.tar", tar_bytes(FILES.items()))
    command = [sys.executable, "-c", SLOWLY, str(archive), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "written\n"
        child.send_signal(signal.SIGKILL)
    assert everything_below(place) == ["set.tar"]
    started = time.monotonic()
    assert unpack(archive, place) == [place / "notes.txt", place / "set"]
    assert time.monotonic() - started < 5
    assert (place / "set" / "one.txt").read_bytes() == b"one"
    assert not list(Path(place).glob(".*.unpacking"))


def test_progress_reaches_the_end(place):
    told = []
    unpack(
        write(place, "set.zip", plain_zip(FILES.items())),
        place,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (3003, 3003)
