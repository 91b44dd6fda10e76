"""The examples of docs/add-a-network.md do what the page says."""

import re
from pathlib import Path

from benchmarker.networks import registry
from benchmarker.networks.describe import describe, layer_rows
from benchmarker.networks.registry import entry_of

PAGE = Path(__file__).parents[2] / "docs" / "add-a-network.md"
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_lines_of_the_page_are_networks(tmp_path, monkeypatch):
    folder = tmp_path / "architectures" / "layers"
    folder.mkdir(parents=True)
    (folder / "own.txt").write_text(BLOCKS[0][1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert describe("threeblocks", 150).role == "own"
    assert describe("averaged", 28).parameters < describe("threeblocks", 28).parameters
    assert registry.build("averaged", (28, 28, 1), 4, seed=1).output_shape == (None, 4)


def test_the_python_file_of_the_page_is_a_network():
    space = {}
    source = next(text for word, text in BLOCKS if word == "python")
    exec(compile(source, str(PAGE), "exec"), space)  # noqa: S102 (our own page)
    network = space["NETWORKS"][0]
    rows = layer_rows(entry_of(network, PAGE), (300, 300, 1), 4, legacy=False)
    assert sum(row.parameters for row in rows) == network.parameters
    assert sum(row.multiply_adds for row in rows) == network.multiply_adds
