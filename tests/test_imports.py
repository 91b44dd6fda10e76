"""The shape of the package: imports point down, files stay short, the command starts light."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarker

PACKAGE = Path(benchmarker.__file__).parent
MOST_LINES = 500
LONGEST_CHAIN = 12

# What each room may import, besides itself: the design's table, and where it is wider
# the reason. No room can come back to itself, which a test below checks.
MAY_IMPORT = {
    "core": set(),
    "data": {"core"},
    "simulate": {"core", "data"},  # it returns the image set that every reader returns
    "networks": {"core"},
    "metrics": {"core"},
    # a finished run draws its plots and writes its leaderboard row
    "runs": {"core", "data", "simulate", "networks", "metrics", "report"},
    "report": {"core", "metrics"},
    "hosts": {"core", "data", "simulate", "networks", "metrics", "runs", "report"},
    # finished runs for other programs and for people
    "exports": {"core", "data", "networks", "metrics", "runs", "report"},
    "cli": {
        *("core", "data", "simulate", "networks", "metrics", "runs", "report", "hosts"),
        "exports",
    },
}
# Single imports that go the other way, inside a function, with the reason.
EXCEPTIONS = {
    # the card `simulated` opens like any other
    ("benchmarker.data.opening", "benchmarker.simulate.radio_galaxies"),
    # and so does the card `mwa-snapshots`
    ("benchmarker.data.opening", "benchmarker.simulate.mwa.image_set"),
}
HEAVY = (
    *("tensorflow", "keras", "matplotlib", "albumentations", "sklearn", "astropy"),
    *("pandas", "scipy", "h5py", "pooch", "requests", "cv2", "jinja2"),
)


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def modules():
    """Module name -> path, of the whole package."""
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_names(tree, *, skip_late):
    """Dotted names that a module imports; `skip_late` leaves out those inside functions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if skip_late and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


@functools.cache
def graph(*, skip_late=False):
    """Module -> modules of the package that it imports."""
    found = {}
    for name, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = set(imported_names(tree, skip_late=skip_late))
        found[name] = sorted((names & modules().keys()) - {name})
    return found


def room(module):
    """``benchmarker.data.cards`` -> ``data``; the top of the package has none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else None


def cycles(edges):
    """Groups of modules that import each other in a circle (Tarjan's algorithm)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for below in edges[node]:
            if below not in index:
                visit(below)
            if below in stack:
                low[node] = min(low[node], low[below])
        if low[node] == index[node]:
            group = [stack.pop()]
            while group[-1] != node:
                group.append(stack.pop())
            found.append(group)

    for node in edges:
        if node not in index:
            visit(node)
    return [sorted(group) for group in found if len(group) > 1]


def test_the_check_itself_sees_a_circle():
    assert cycles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) == [["b", "c"]]
    assert cycles({"a": ["b", "c"], "b": ["c"], "c": []}) == []


def test_the_check_itself_sees_imports():
    text = "import a.b\nfrom c import d\nif x:\n  import e\ndef f():\n  import g\n"
    everything = set(imported_names(ast.parse(text), skip_late=False))
    assert everything == {"a.b", "c", "c.d", "e", "g"}
    assert set(imported_names(ast.parse(text), skip_late=True)) == everything - {"g"}


def test_every_room_of_the_package_is_in_the_table():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= MAY_IMPORT.keys()
    assert len(modules()) > 20


def test_no_module_imports_itself_in_a_circle():
    # the top of the package only hands names on, and does so inside functions
    assert cycles(graph(skip_late=True)) == []
    without_top = {name: [b for b in below if room(b)] for name, below in graph().items()}
    assert cycles(without_top) == []


def test_imports_point_down():
    wrong = [
        f"{module} imports {below}"
        for module, all_below in graph().items()
        for below in all_below
        if room(module) and room(below) and room(below) != room(module)
        if room(below) not in MAY_IMPORT[room(module)] and (module, below) not in EXCEPTIONS
    ]
    assert wrong == []


def test_exceptions_are_late_and_still_needed():
    early, everything = graph(skip_late=True), graph()
    assert all(below in everything[module] for module, below in EXCEPTIONS)
    assert not any(below in early[module] for module, below in EXCEPTIONS)


def test_the_table_of_rooms_has_no_circle():
    assert cycles({name: sorted(below) for name, below in MAY_IMPORT.items()}) == []


def test_no_relative_imports():
    relative = [
        f"{name}: {text}"
        for name, path in modules().items()
        for text in imported_names(ast.parse(path.read_text(encoding="utf-8")), skip_late=False)
        if text.startswith(".")
    ]
    assert relative == []


def test_no_chain_of_imports_is_too_long():
    @functools.cache
    def depth(module):
        return 1 + max((depth(b) for b in edges[module]), default=0)

    # the exceptions are late on purpose: what stands behind them is another chain
    edges = {
        name: [b for b in below if room(b) and (name, b) not in EXCEPTIONS]
        for name, below in graph().items()
    }
    longest = max(edges, key=depth)
    assert depth(longest) <= LONGEST_CHAIN, longest


@pytest.mark.parametrize("folder", ["benchmarker", "tests", "benchmarks"])
def test_no_file_is_too_long(folder):
    long = {
        str(path.relative_to(PACKAGE.parent)): lines
        for path in (PACKAGE.parent / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_only_two_modules_know_albumentations():
    knows = [
        name
        for name, path in modules().items()
        if any(
            text.split(".")[0] in ("albumentations", "albucore")
            for text in imported_names(ast.parse(path.read_text("utf-8")), skip_late=False)
        )
    ]
    assert knows == ["benchmarker.data.augment", "benchmarker.data.radio_transforms"]


def modules_after(code):
    """Top-level modules that an interpreter has loaded after `code`."""
    report = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import benchmarker, benchmarker.cli.main",
        "from benchmarker.cli.main import parser\nparser().format_help()",
        "from benchmarker.cli.main import main\nmain(['list', 'networks', '--json'])",
        "from benchmarker.cli.main import main\nmain(['show', 'convXpress', '--json'])",
    ],
    ids=["import", "help", "list", "show"],
)
def test_the_command_starts_without_heavy_modules(code):
    loaded = modules_after(code)
    assert "benchmarker" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []
