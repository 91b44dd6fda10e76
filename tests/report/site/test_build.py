"""Writing the site: what is in it, where it may go, and what happens when things go wrong."""

import json
import multiprocessing
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarker.core.errors import MissingDataError, SettingsError
from benchmarker.report.site import build as building
from benchmarker.report.site.build import MARK
from tests.report.factory import make_run
from tests.report.site.conftest import HOSTILE, HOSTILE_CLASSES, build_site, network_page
from tests.report.site.reading import page

OUTSIDE = re.compile(r"^(?:[a-z]+:|//)", re.IGNORECASE)


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def content(folder):
    return {name: (folder / name).read_bytes() for name in files(folder)}


def test_every_network_and_every_run_has_a_page(results, site):
    found = files(site)
    assert {"index.html", "runs.html", "style.css", "script.js", MARK} <= found
    assert len([name for name in found if name.startswith("networks/")]) == 6
    # twelve runs of four networks, two on other data, the odd one, the failed, the edited one
    assert len([name for name in found if name.startswith("runs/")]) == 17
    assert found == {MARK, *json.loads((site / MARK).read_text())["files"]}


def test_pages_are_closed_in_order_and_their_ids_are_their_own(site):
    for path in site.rglob("*.html"):
        found = page(path)
        ids = [
            one.attributes["id"]
            for tag in ALL_TAGS
            for one in found.all(tag)
            if "id" in one.attributes
        ]
        assert len(ids) == len(set(ids)), path
        (top,) = found.all("h1")
        assert top.text


ALL_TAGS = ("h2", "h3", "table", "tr", "form", "main", "p", "title", "desc", "path", "section")


def test_links_lead_to_pages_that_are_there(site):
    followed = 0
    for path in site.rglob("*.html"):
        for link in page(path).all("a"):
            address = link.attributes["href"]
            if OUTSIDE.match(address):
                assert address.startswith("https://aladin.cds.unistra.fr/")
                assert "noreferrer" in link.attributes["rel"]
                continue
            name, _, place = address.partition("#")
            target = (path.parent / unquote(name)) if name else path
            assert target.is_file(), address
            if place:
                assert f'id="{place}"' in target.read_text(encoding="utf-8")
            followed += 1
    assert followed > 100


def test_nothing_is_fetched_from_anywhere(site):
    for path in site.rglob("*.html"):
        found = page(path)
        for tag in ("link", "script", "img", "use", "image", "source", "iframe", "object"):
            for one in found.all(tag):
                address = one.attributes.get("src") or one.attributes.get("href")
                if address.startswith(("data:", "#")):
                    continue
                assert not OUTSIDE.match(address), address
                assert (path.parent / address).is_file()
        assert not found.all("style")
    style = (site / "style.css").read_text()
    assert "@import" not in style
    assert "url(" not in style
    script = (site / "script.js").read_text()
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|innerHTML|eval\(", script)


def test_names_with_markup_stay_text(site):
    found = page(network_page(site, "b-net"))
    assert found.all("h1")[0].text == HOSTILE
    assert not found.all("b")
    assert not [one for one in found.all("script") if "src" not in one.attributes]
    other = page(network_page(site, "convXpress-other"))
    assert not other.all("i")
    headings = [cell.text for cell in other.all("th", scope="col")]
    assert set(HOSTILE_CLASSES) <= set(headings)
    (odd,) = [path for path in (site / "runs").iterdir() if path.name.startswith("odd")]
    (log,) = page(odd).all("pre", **{"class": "log"})
    assert log.text == "<script>document.title='taken'</script> & done"
    index = page(site / "index.html")
    assert "<data>" in index.all("table")[0].text


def test_what_is_left_out_is_named(site):
    (warning,) = page(site / "index.html").all("section", **{"class": "warning"})
    for name in ("foreign", "half", "broken-first-s5", "edited-first-s5"):
        assert name in warning.text
    assert "no run.json" in warning.text
    assert "was changed after the run" in warning.text
    unfinished = page(site / "index.html").text
    assert "loss is <NaN> in epoch 2" in unfinished


def test_a_folder_of_damaged_runs_only_still_gives_a_page(few):
    for path in few.glob("runs/*/run.json"):
        path.write_text("{")
    built = build_site(few, few.parent / "site")
    assert (built.networks, built.runs, len(built.left_out)) == (0, 0, 2)
    assert "No complete run yet" in built.index.read_text()


def test_files_of_a_run_that_are_damaged_are_named_on_its_pages(few):
    (first, second) = sorted(few.glob("runs/*"))
    (first / "history.csv").write_text("epoch,accuracy\n1,x\n")
    (second / "mistakes.npz").write_bytes(b"PK no archive")
    (second / "rotation.csv").write_text("model\n")
    (second / "network.json").write_text("[]")
    (second / "corruptions.csv").write_text("what\n1\n")
    built = build_site(few, few.parent / "site")
    assert built.networks == 1
    (warning,) = page(network_page(built.index.parent, "mcrgnet")).all(
        "section", **{"class": "warning"}
    )
    assert "history.csv" in warning.text
    assert "mistakes.npz" in warning.text
    assert "corruptions.csv" in warning.text


def test_no_run_is_the_users_fault(tmp_path):
    with pytest.raises(MissingDataError, match="run one first"):
        build_site(tmp_path / "nothing", tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_report_is_replaced(few):
    site = few.parent / "site"
    build_site(few, site)
    before = files(site)
    make_run(few, "mcrgnet", 4915)
    build_site(few, site)
    assert len(files(site) - before) == 1
    (few.parent / "empty").mkdir()
    build_site(few, few.parent / "empty")
    assert content(few.parent / "empty") == content(site)


@pytest.mark.parametrize("name", ["notes.txt", "networks/mine.html", "site.json"])
def test_a_folder_with_other_files_is_refused(few, name):
    site = few.parent / "site"
    build_site(few, site)
    if name == "site.json":
        (site / name).write_text('{"made_by": "somebody", "files": []}')
    else:
        (site / name).write_text("mine")
    before = content(site)
    with pytest.raises(SettingsError, match="no report wrote"):
        build_site(few, site)
    assert content(site) == before


def test_a_file_is_refused(few):
    path = few.parent / "site"
    path.write_text("mine")
    with pytest.raises(SettingsError, match="is a file"):
        build_site(few, path)
    assert path.read_text() == "mine"


def test_the_results_folder_is_refused(few):
    with pytest.raises(SettingsError, match="no report wrote"):
        build_site(few, few)
    assert len(list(few.glob("runs/*/run.json"))) == 2


def test_a_link_to_a_folder_is_followed(few):
    (few.parent / "real").mkdir()
    (few.parent / "link").symlink_to("real")
    built = build_site(few, few.parent / "link")
    assert (few.parent / "link").is_symlink()
    assert (few.parent / "real" / "index.html").is_file()
    assert built.index.is_file()


def test_a_report_that_fails_leaves_the_earlier_one(few, monkeypatch):
    site = few.parent / "site"
    build_site(few, site)
    before = content(site)
    make_run(few, "mcrgnet", 4915)

    def fail(*_):
        message = "the power went"
        raise RuntimeError(message)

    monkeypatch.setattr(building, "run_page", fail)
    with pytest.raises(RuntimeError):
        build_site(few, site)
    assert content(site) == before
    assert not list(few.parent.glob(".report-*"))


def test_what_a_killed_report_left_is_removed_when_it_is_old(few):
    old, new = few.parent / ".report-old", few.parent / ".report-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "index.html").write_text("half")
    os.utime(old, (0, 0))
    build_site(few, few.parent / "site")
    assert not old.exists()
    assert new.exists()


def _build(results, site):
    build_site(results, site)


def test_two_reports_at_once_do_no_harm(few):
    site = few.parent / "site"
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_build, args=(few, site)) for _ in range(3)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0, 0]
    whole = content(site)
    build_site(few, few.parent / "alone")
    assert whole == content(few.parent / "alone")
    assert not list(few.parent.glob(".report-*"))


def test_everybody_of_a_group_may_read_the_site(few):
    mask = os.umask(0o022)
    try:
        built = build_site(few, few.parent / "deep" / "site")
    finally:
        os.umask(mask)
    assert built.index.parent.stat().st_mode & 0o777 == 0o755
    assert Path(built.index).stat().st_mode & 0o777 == 0o644
