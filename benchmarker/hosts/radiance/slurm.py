"""A SLURM job script that classifies a list of images."""

from __future__ import annotations

import re
import shlex
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarker.core.errors import Problems, SettingsError
from benchmarker.core.folders import PACKAGE

_WORD = re.compile(r"[A-Za-z0-9_.,:@+-]+")  # of a line that the shell does not read


@dataclass(frozen=True)
class Job:
    """What a job does and needs.

    Arguments
    ---------
    images, network, results : of ``artifacts classify``; paths relative to the working folder
    words : its other options
    name, account, partition, time, memory : as SLURM takes them; None leaves a line to fill in
    cpus, gpus : of each job
    array : number of jobs that share the list

    Raises `SettingsError` for a word that SLURM would misread.
    """

    images: tuple[str, ...]
    network: str
    results: Path
    words: tuple[str, ...] = ()
    name: str = "artifacts"
    account: str | None = None
    partition: str | None = None
    time: str = "01:00:00"
    memory: str = "8G"
    cpus: int = 4
    gpus: int = 0
    array: int = 1

    def __post_init__(self) -> None:
        problems = Problems("the job", SettingsError)
        for what in ("name", "account", "partition", "time", "memory"):
            value = getattr(self, what)
            if value is not None and not _WORD.fullmatch(value):
                problems.add(f"{what} {value!r}: expected letters, digits and _.,:@+- alone")
        problems.raise_if_any()


def check_inputs(images: Sequence[str], network: str) -> None:
    """Raise `SettingsError` for lists and weights that are not there, before a job waits."""
    problems = Problems("the job", SettingsError)
    for path in (*images, network):
        if not Path(path).exists():
            problems.add(f"{path} is not there")
    problems.raise_if_any()


def script(job: Job) -> str:
    """The text of the script; all paths in it are absolute."""
    return "\n".join([*_head(job), "", *_body(job), ""])


def _head(job: Job) -> list[str]:
    wanted = {
        "job-name": job.name,
        "account": job.account,
        "partition": job.partition,
        "nodes": 1,
        "ntasks": 1,
        "cpus-per-task": job.cpus,
        "mem": job.memory,
        "time": job.time,
        "export": "NONE",
    }
    if job.gpus:
        wanted["gpus-per-node"] = job.gpus
    if job.array > 1:
        wanted["array"] = f"1-{job.array}"
    # two marks: not read by SLURM until one of them is taken away
    return ["#!/bin/bash"] + [
        f"##SBATCH --{name}=NAME" if value is None else f"#SBATCH --{name}={value}"
        for name, value in wanted.items()
    ]


def _body(job: Job) -> list[str]:
    results = shlex.quote(str(job.results.absolute()))
    command = [
        *(sys.executable, "-m", "benchmarker", "artifacts", "classify"),
        *(str(Path(path).absolute()) for path in job.images),
        *("-m", str(Path(job.network).absolute()), *job.words),
    ]
    lines = [
        "set -euo pipefail",
        "",
        "# exit codes: 0 fine, 1 wrong command or list, 2 an image could not be read or its header",
        "# not be written, 3 an image has what --fail-on asks for",
        'export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"',
        'export TF_NUM_INTRAOP_THREADS="$OMP_NUM_THREADS"',
        *_import_path(),
        f"results={results}",
    ]
    if job.array > 1:
        part = "${SLURM_ARRAY_TASK_ID:?this script is one of an array: start it with sbatch}"
        lines += [f'part="{part}"', 'results="$results/part-$part"']
        command += ["--part", f"\0/{job.array}"]
    words = shlex.join(command).replace(f"'\0/{job.array}'", f'"$part/{job.array}"')
    return [*lines, f'exec {words} -o "$results"']


def _import_path() -> list[str]:
    """Where the package lies, if it is not installed."""
    place = PACKAGE.parent
    if place in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
        return []
    return [f'export PYTHONPATH={shlex.quote(str(place))}"${{PYTHONPATH:+:$PYTHONPATH}}"']
