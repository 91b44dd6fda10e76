"""The wheel, installed elsewhere and run from an empty folder, has all it needs with it."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TEXTS = {"architectures": "**/*.txt", "augment": "*.yaml", "data": "*.toml"}


def run(*command, where, expected=0):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=where,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        # as a user types it: what an outer make says of itself would change an inner one
        env={name: value for name, value in os.environ.items() if "MAKE" not in name},
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def pip(*arguments, where):
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, where=where)


def sources(folder):
    """A copy of what a wheel is built from, so that the build leaves nothing in the checkout."""
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    no_caches = shutil.ignore_patterns("__pycache__")
    for name in ("benchmarker", "architectures", "augment"):
        shutil.copytree(ROOT / name, folder / name, ignore=no_caches)
    for pattern in ("data/*.toml", "results/published.csv"):
        for path in ROOT.glob(pattern):
            (folder / path.parent.name).mkdir(exist_ok=True)
            shutil.copy(path, folder / path.parent.name)
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built without network by the build tool that is installed."""
    work = tmp_path_factory.mktemp("build")
    # an image in the data folder of a checkout must not get into the wheel
    copied = sources(work)
    (copied / "data" / "first").mkdir()
    (copied / "data" / "first" / "card.toml").write_text("a user's file")
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    pip("wheel", *options, "--wheel-dir", work / "dist", copied, where=work)
    return next((work / "dist").glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel; what it depends on is lent by this one."""
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    command = ("--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    pip(*command, where=place)
    site = Path(
        run(
            python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", where=place
        ).strip()
    )
    # paths of a .pth file come last, and .pth files below them are not read: the checkout
    # that this environment may have installed stays invisible
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "lent.pth").write_text("\n".join(sorted(lent)) + "\n")
    return place / "bin"


@pytest.fixture
def empty(tmp_path):
    """An empty folder outside of the checkout, its name with a space and a foreign letter."""
    folder = tmp_path / "leerer Ordner ä"
    folder.mkdir()
    return folder


def test_the_wheel_carries_every_text_and_no_other_file(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    expected = {
        f"benchmarker/text/{path.relative_to(ROOT)}"
        for folder, pattern in TEXTS.items()
        for path in (ROOT / folder).glob(pattern)
    }
    if (ROOT / "results" / "published.csv").exists():
        expected.add("benchmarker/text/results/published.csv")
    assert {name for name in names if name.startswith("benchmarker/text/")} == expected
    assert len(expected) > 10
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "benchmarker").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == modules | expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_installed_package_is_not_the_checkout(installed, empty):
    code = "import benchmarker; print(benchmarker.__file__)"
    place = Path(run(installed / "python", "-c", code, where=empty).strip())
    assert installed.parent in place.parents


def test_the_command_works_in_an_empty_folder(installed, empty):
    command = installed / "benchmarker"
    assert "list" in run(command, "--help", where=empty)
    networks = json.loads(run(command, "list", "networks", "--json", where=empty))
    assert "convXpress" in json.dumps(networks)
    assert len(networks) > 20
    shown = json.loads(run(command, "show", "convXpress", "--json", where=empty))
    assert shown["parameters"] > 0
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "suffix", "name"),
    [
        ("architectures", ".txt", "convxpress"),
        ("augment", ".yaml", "none"),
        ("data", ".toml", "first"),
    ],
)
def test_every_text_folder_is_found(installed, empty, folder, suffix, name):
    call = f"find_text({folder!r}, {name!r}, {suffix!r})"
    code = f"from benchmarker.core.folders import find_text; print({call})"
    found = Path(run(installed / "python", "-c", code, where=empty).strip())
    assert found.is_file()
    assert "text" in found.parts


def lines_of(name):
    """Requirements of a file, by lower-case name with dashes."""
    texts = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(text) for text in texts if text]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-test.txt", "requirements-gpu.txt"]
)
def test_every_requirement_is_pinned(name):
    assert lines_of(name)
    for requirement in lines_of(name):
        assert re.fullmatch(r"==[0-9.]+(\.post\d+)?", str(requirement.specifier)), requirement


def test_pins_fulfil_what_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {plain(pin.name): pin for pin in lines_of("requirements.txt")}
    tests = {plain(pin.name): pin for pin in lines_of("requirements-test.txt")}
    assert pins["tensorflow"].specifier == pins["tensorflow-cpu"].specifier
    asked = [(text, pins) for text in project["dependencies"]]
    asked += [(text, tests) for text in project["optional-dependencies"]["test"]]
    for text, known in asked:
        requirement = Requirement(text)
        version = str(known[plain(requirement.name)].specifier).removeprefix("==")
        assert requirement.specifier.contains(version), text


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_exactly_one_tensorflow_per_system(system):
    machine = "x86_64" if system == "linux" else "arm64"
    place = {"sys_platform": system, "platform_machine": machine}
    chosen = [
        pin.name
        for pin in lines_of("requirements.txt")
        if pin.name.startswith("tensorflow") and pin.marker.evaluate(place)
    ]
    assert chosen == ["tensorflow-cpu" if system == "linux" else "tensorflow"]


@pytest.fixture
def bare(tmp_path):
    """A folder with the Makefile and what it reads, but without an environment."""
    for pattern in ("Makefile", "requirements*.txt", "pyproject.toml", "setup.py"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("quickstart", "quickstart.py -a convxpress.txt -s 8901 -i 32"),
        ("test", "-m pytest -i 32"),
    ],
)
def test_one_command_makes_the_environment_first(bare, target, last):
    lines = run("make", "--dry-run", target, "ARGS=-i 32", where=bare).strip().splitlines()
    assert lines[-1].endswith(last)
    assert any("-r requirements.txt -r requirements-test.txt" in line for line in lines)


def test_a_gpu_gets_another_tensorflow(bare):
    text = run("make", "--dry-run", "install", "GPU=1", where=bare)
    assert "-r requirements-gpu.txt" in text
    assert "-r requirements.txt" not in text


@pytest.mark.parametrize(
    ("passes", "text"),
    [("none", "needs Python 3.11, 3.12 or 3.13; found Python 3.9.2"), ("sys", "lacks its venv")],
)
def test_make_says_what_is_missing(bare, passes, text):
    python = bare / "python"
    python.write_text(
        f"""#!/bin/sh
case "$*" in
  --version) echo Python 3.9.2;;
  *"import {passes}"*) exit 0;;
  *) exit 1;;
esac
"""
    )
    python.chmod(0o755)
    command = ["make", "install", f"PYTHON={python}"]
    done = subprocess.run(
        command, cwd=bare, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert text in done.stderr
    assert not (bare / ".venv").exists()
