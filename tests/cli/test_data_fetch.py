"""``benchmarker data fetch`` from a loopback server, by a card of the user's own."""

import hashlib
import io
import json
import tarfile

import pytest

from benchmarker.cli.main import main
from tests.data.loopback import serving

CARD = """
title = "Two sources"
task = "classification"
reader = "fits-folder"
classes = ["FRI", "FRII"]
image = [4, 4]
preparation = "none"
licence = "CC BY 4.0"
citation = ["A. Nonymous 2026"]
{more}
"""


def archive():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name in ("FITS/FRI/one.fits", "FITS/FRII/two.fits"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            packed.addfile(info, io.BytesIO(name.encode()))
    return stream.getvalue()


DATA = archive()


@pytest.fixture
def server():
    with serving(DATA) as running:
        yield running


@pytest.fixture
def card(tmp_path, monkeypatch):
    """Writes ``data/pair.toml`` of a user who works in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def write(more):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "pair.toml").write_text(CARD.format(more=more))

    return write


def file_table(server, manner="good", sha256=None):
    sha256 = sha256 or hashlib.sha256(DATA).hexdigest()
    url = f"{server.url}/{manner}/pair.tar.gz"
    return f'[[files]]\nname = "pair.tar.gz"\nurl = "{url}"\nsha256 = "{sha256}"\nunpack = true'


def test_files_are_fetched_unpacked_and_credited(server, card, tmp_path, capsys):
    card(file_table(server))
    assert main(["data", "fetch", "pair"]) == 0
    folder = tmp_path / "data" / "pair"
    assert (folder / "FITS" / "FRI" / "one.fits").read_text() == "FITS/FRI/one.fits"
    out, err = capsys.readouterr()
    assert "sha256 is the published one" in out
    assert "licence: CC BY 4.0" in out
    assert "please cite: A. Nonymous 2026" in out
    assert "fetching pair.tar.gz: 100 %" in err


def test_json_stands_alone_and_again_asks_nothing(server, card, tmp_path, capsys):
    card(file_table(server))
    results = []
    for _ in range(2):
        assert main(["data", "fetch", "pair", "--to", "elsewhere", "--json"]) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert results[0] == results[1]
    assert len(server.asked) == 1
    assert results[0]["folder"] == "elsewhere/pair"
    assert results[0]["files"][0]["unpacked"] == ["elsewhere/pair/FITS"]
    assert results[0]["files"][0]["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert (tmp_path / "elsewhere/pair/FITS/FRII/two.fits").is_file()


def test_without_a_published_checksum_that_is_said(server, card, capsys):
    card(f'[[files]]\nname = "pair.tar.gz"\nurl = "{server.url}/good/pair.tar.gz"')
    assert main(["data", "fetch", "pair"]) == 0
    assert "no checksum is published" in capsys.readouterr().out


def test_a_failure_is_a_text_and_an_exit_code(server, card, tmp_path, capsys):
    card(file_table(server, "gone"))
    assert main(["data", "fetch", "pair"]) == 1
    assert "HTTP 404" in capsys.readouterr().err
    card(file_table(server, sha256="0" * 64))
    assert main(["data", "fetch", "pair"]) == 1
    assert "does not match the known hash" in capsys.readouterr().err
    assert not (tmp_path / "data" / "pair" / "pair.tar.gz").exists()


def test_a_card_without_address_says_how_to_get_the_data(card, capsys):
    card('homepage = "https://example.org/pair"\nobtain = "ask the observatory"')
    assert main(["data", "fetch", "pair"]) == 1
    err = capsys.readouterr().err
    assert "pair has no public download: ask the observatory" in err
    assert "see https://example.org/pair" in err


def test_the_simulated_set_needs_no_download(card, capsys):
    card("")
    assert main(["data", "fetch", "simulated"]) == 1
    assert "drawn here" in capsys.readouterr().err


def test_an_unknown_card_is_named(card, capsys):
    card("")
    assert main(["data", "fetch", "mirabset"]) == 1
    assert "did you mean mirabest" in capsys.readouterr().err
