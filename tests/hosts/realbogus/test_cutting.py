"""Cutouts that are stopped, killed, or short of disk, server or processes: nothing half-written."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from astropy.io import fits

from benchmarker.core.errors import (
    RunFailedError,
    SettingsError,
)
from benchmarker.core.files import lock
from benchmarker.hosts.realbogus import cutout_run, cutting
from benchmarker.hosts.realbogus.cutout_run import CutoutPlan, cut_nights
from benchmarker.hosts.realbogus.database import open_database
from benchmarker.hosts.realbogus.exposures import ExposurePlaces
from tests.hosts.realbogus.survey import (
    NIGHT,
    Night,
    small_survey,
)

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
OBS = "02a58362o0001c"


def assert_whole(folder):
    """Every stamp in its place can be read in full."""
    for path in folder.glob("*/[!.]*.fits"):
        assert fits.getdata(path).shape == (40, 40)


def test_a_full_disk_leaves_nothing_half_written(night, monkeypatch):
    usual, room = os.write, [3 * 8640]

    def write(handle, data):
        if room[0] < len(data):
            raise OSError(28, "No space left on device")
        room[0] -= len(data)
        return usual(handle, data)

    monkeypatch.setattr("benchmarker.hosts.realbogus.stamp_writer.os.write", write)
    with pytest.raises(SettingsError, match="disk is full"):
        night.cut()
    monkeypatch.undo()
    assert_whole(night.out)
    assert not (night.out / "good.txt").exists()
    assert night.cut().stamps == {"good": 12, "bad": 12}
    assert not list(night.out.rglob(".part-*"))


def test_an_interrupted_run_goes_on(night):
    night.cut()
    whole = night.files()
    shutil.rmtree(night.out)

    def stop(outcome, done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        night.cut(stop)
    assert_whole(night.out)
    assert night.cut().skipped == 2
    assert night.files() == whole


KILLED = """
import sys, time
from pathlib import Path
from benchmarker.hosts.realbogus import stamp_writer
from benchmarker.cli.main import main
usual = stamp_writer.StampWriter._one
def slow(self, name, data):
    usual(self, name, data)
    print(name, flush=True)
    time.sleep(0.02)
stamp_writer.StampWriter._one = slow
main(sys.argv[1:])
"""


def test_a_killed_run_goes_on(night):
    night.cut()
    whole = night.files()
    shutil.rmtree(night.out)
    url = f"sqlite:///{night.credentials.database}"
    command = [
        *(sys.executable, "-c", KILLED, "realbogus", "cutouts", "--database", url),
        *("--exposures", night.folder / "diff", "--nights", "58362", "--processes", "1"),
        *("-o", night.out),
    ]
    for stamps in (1, 6, 11):
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        for _ in range(stamps):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        assert_whole(night.out)
        assert not (night.out / "bad.txt").exists()
    assert night.cut().skipped >= 2
    assert night.files() == whole


def alive(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2]


FOLLOWED = """
import multiprocessing, sys, time
from benchmarker.hosts.realbogus.cutout_run import _follow_parent
def work():
    _follow_parent()
    print("at work", flush=True)
    time.sleep(60)
if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    print(process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
def test_workers_end_with_their_parent(tmp_path):
    script = tmp_path / "followed.py"
    script.write_text(FOLLOWED)
    found = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=found) as parent:
        worker = int(parent.stdout.readline())
        assert parent.stdout.readline() == "at work\n"
        assert alive(worker)
        parent.kill()
    end = time.monotonic() + 20
    while alive(worker) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(worker)


def die(job):
    os._exit(1)


def test_a_worker_that_dies_is_a_clean_stop(night, monkeypatch):
    monkeypatch.setattr(cutout_run, "run_job", die)
    with pytest.raises(RunFailedError, match="ended from outside"):
        night.cut(processes=2)
    monkeypatch.undo()
    assert night.cut().stamps == {"good": 12, "bad": 12}


@pytest.mark.parametrize("returns", [True, False])
def test_a_server_that_is_killed_between_questions(mariadb, mariadb_credentials, tmp_path, returns):
    places = small_survey(mariadb_credentials, tmp_path)
    night = Night(tmp_path, mariadb_credentials, places)
    plan = CutoutPlan([NIGHT], night.out, places=ExposurePlaces(tmp_path / "diff"))
    timers = []

    def kill(outcome, done, total):
        if done == 1:
            mariadb.stop(kill=True)
            if returns:
                timers.append(threading.Timer(0.3, mariadb.start))
                timers[0].start()

    try:
        with open_database(mariadb_credentials) as database:
            waits = (0.2,) * 200 if returns else (0.01, 0.01)
            impatient = dataclasses.replace(database, waits=waits)
            if returns:
                assert cut_nights(impatient, plan, kill).stamps == {"good": 12, "bad": 12}
            else:
                with pytest.raises(RunFailedError, match="what was written until now is whole"):
                    cut_nights(impatient, plan, kill)
                assert_whole(night.out)
    finally:
        for timer in timers:
            timer.join()
        if mariadb.process is None:
            mariadb.start()
    assert night.cut().stamps == {"good": 12, "bad": 12}


def test_two_runs_at_once_wait_for_each_other(night):
    night.out.mkdir()
    told = []
    with lock(night.out / ".lock"), warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        thread = threading.Thread(target=lambda: told.append(night.cut()))
        thread.start()
        time.sleep(0.5)
        assert not told
        assert any("in use: waiting" in str(note.message) for note in noted)
    thread.join(timeout=30)
    assert told[0].stamps == {"good": 12, "bad": 12}


def test_marks_that_are_damaged_are_made_again(night):
    night.cut()
    before = night.files()
    for mark in (night.out / cutting.MARKS).iterdir():
        mark.write_text("{}[")
    assert night.cut().skipped == 0
    assert night.files() == before
