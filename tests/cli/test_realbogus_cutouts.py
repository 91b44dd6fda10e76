"""``benchmarker realbogus cutouts`` as typed: ATLAS stamps, Pan-STARRS lists, wrong input."""

import json
from datetime import date

import pytest

from benchmarker.cli.main import main
from benchmarker.core import extras
from benchmarker.core.errors import EXIT_FINE, EXIT_INPUT
from benchmarker.hosts.realbogus.credentials import SQLITE, Credentials
from benchmarker.hosts.realbogus.database import open_database
from tests.hosts.realbogus.survey import NIGHT, Rows, small_survey

pytest.importorskip("sqlalchemy", reason="pip install 'benchmarker[database]'")
CONFIG = """
databases:
  local:
    url: sqlite:///survey.db
benchmarker:
  exposures:
    folder: diff
"""


@pytest.fixture
def survey(tmp_path):
    """A folder with a database of one night, its exposures and a configuration."""
    small_survey(Credentials(SQLITE, str(tmp_path / "survey.db")), tmp_path, exposures=2)
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def cutouts(capsys, *arguments):
    code = main(["realbogus", "cutouts", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def usual(survey, *more):
    config = ["--config", survey / "config.yaml", "--nights", NIGHT, "--processes", 1]
    return [*config, "-o", survey / "out", *more]


def test_a_night_from_its_configuration(survey, capsys):
    code, out, err = cutouts(capsys, *usual(survey))
    assert code == EXIT_FINE
    assert "2 exposures: 4 lists of detections done now, 0 were whole already" in out
    assert f"{survey / 'out'}/good.txt: 8 stamps" in out
    assert "% of the work was writing stamps" in out
    assert "4 of 4 lists of detections, 16 stamps" in err
    code, out, _ = cutouts(capsys, *usual(survey))
    assert code == EXIT_FINE
    assert "0 lists of detections done now, 4 were whole already" in out


def test_json_alone_is_on_stdout(survey, capsys):
    code, out, err = cutouts(capsys, *usual(survey, "--json", "--store", "stamps.h5"))
    assert code == EXIT_FINE
    value = json.loads(out)
    assert value["stamps"] == {"good": 8, "bad": 8}
    assert value["stored"] == 16
    assert value["seconds"]["write"] > 0
    assert (survey / "out/stamps.h5").is_file()
    assert "per second" in err


def test_lists_become_a_data_set(survey, capsys):
    cutouts(capsys, *usual(survey))
    lists = [survey / "out" / name for name in ("good.txt", "bad.txt")]
    command = ["realbogus", "dataset", "--good", lists[0], "--bad", lists[1], "-o", survey / "s.h5"]
    assert main(list(map(str, [*command, "--json"]))) == EXIT_FINE
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert sum(counts["real"] for counts in rows.values()) == 8


def test_an_address_in_place_of_a_configuration(survey, capsys):
    code, out, _ = cutouts(
        capsys,
        *("--database", f"sqlite:///{survey / 'survey.db'}", "--exposures", survey / "diff"),
        *("--nights", f"{NIGHT},{NIGHT}", "--stamps", "bogus", "--stamp-size", 20),
        *("--offset", -1.0, "--processes", 1, "-o", survey / "out", "--json"),
    )
    assert code == EXIT_FINE
    assert json.loads(out)["stamps"] == {"good": 0, "bad": 8}
    assert not (survey / "out/good.txt").exists()


def test_what_is_missing_is_told_on_stderr(survey, capsys):
    path = next((survey / "diff").rglob("*o0001c.diff.fz"))
    path.unlink()
    code, _, err = cutouts(capsys, *usual(survey), "--nights", f"{NIGHT},{NIGHT + 5}")
    assert code == EXIT_FINE
    assert f"night {NIGHT + 5}: no exposure of this camera" in err
    assert "1 exposures are not there: 02a58362o0001c" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--nights", ""], "are no nights"),
        (["--nights", "58362.5"], "are no nights"),
        (["--nights", "58362; DROP TABLE x"], "are no nights"),
        (["--camera", "02a'--"], "camera is"),
        (["--nights", "1"], "no exposure of camera 02a in the database for 1"),
        (["--stamp-size", "0"], "stamp-size"),
        (["--offset", "nan"], "offset is nan"),
        (["--survey", "ps1"], "no camera given"),
        (["--survey", "ps1", "--camera", "02a"], "expected gpc1 or gpc2"),
        (["--survey", "ps1", "--camera", "gpc1", "--good-list", "9"], "expected 0 to 8"),
        (["--flag-date", "2018-01-01"], "is no day"),
        (["--config", "absent.yaml"], "absent.yaml"),
        (["--database", "sqlite:///absent.db"], "no database file"),
        (["--database", "mysql://u:hidden@127.0.0.1:1/d"], "no answer from the server"),
        (["--database", "postgres://u:hidden@h/d"], "expected sqlite, mysql or mariadb"),
    ],
)
def test_wrong_input_is_one_sentence(survey, capsys, arguments, told):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(survey)
        try:
            code, out, err = cutouts(capsys, *usual(survey), *arguments)
        except SystemExit as stopped:
            code, out, err = stopped.code, "", capsys.readouterr().err
    assert code == EXIT_INPUT
    assert told in err
    assert "Traceback" not in err
    assert "hidden" not in out + err


def test_no_database_and_no_night(tmp_path, capsys):
    code, _, err = cutouts(capsys, "-o", tmp_path)
    assert (code, "no database given" in err) == (EXIT_INPUT, True)
    code, _, err = cutouts(capsys, "-o", tmp_path, "--database", "sqlite:///x.db")
    assert (code, "no night given" in err) == (EXIT_INPUT, True)


def test_without_sqlalchemy(survey, capsys, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    code, _, err = cutouts(capsys, *usual(survey))
    assert code == EXIT_INPUT
    assert "pip install 'benchmarker[database]'" in err


def test_a_database_without_the_tables(tmp_path, capsys):
    with open_database(Credentials(SQLITE, str(tmp_path / "e.db")), create=True):
        (tmp_path / "e.db").touch()
    url = f"sqlite:///{tmp_path / 'e.db'}"
    code, _, err = cutouts(capsys, "--database", url, "--nights", 1, "-o", tmp_path / "out")
    assert code == EXIT_INPUT
    assert "no table 'atlas_metadataddc'" in err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def ps1(tmp_path):
    rows = Rows()
    for identifier, detection_list in [(11, 2), (12, 0)]:
        rows.add(
            "tcs_transient_objects",
            id=identifier,
            detection_list_id=detection_list,
            confidence_factor=0.1,
            followup_flag_date=date(2019, 1, 1),
            sherlockClassification="SN",
        )
        for mjd in ("58000.5", "58001.25"):
            rows.add(
                "tcs_postage_stamp_images",
                image_filename=f"{identifier}_{mjd}_7_8_diff",
                image_type="diff",
                filter="r.00000",
                pss_error_code=0,
            )
    with open_database(Credentials(SQLITE, str(tmp_path / "ps1.db")), create=True) as database:
        rows.write(database)
    return tmp_path


def test_lists_of_pan_starrs(ps1, capsys):
    url = f"sqlite:///{ps1 / 'ps1.db'}"
    code, out, err = cutouts(
        capsys,
        *("--survey", "ps1", "--camera", "gpc1", "--database", url),
        *("--image-root", "/db0/images", "-o", ps1 / "lists"),
    )
    assert code == EXIT_FINE
    assert "good: 2 stamps of 1 objects" in out
    assert "2 good stamps are not in /db0/images" in err
    assert (ps1 / "lists/good.txt").read_text() == (
        "/db0/images/ps1/58001/11_58001.25_7_8_diff.fits\n"
        "/db0/images/ps1/58000/11_58000.5_7_8_diff.fits\n"
    )
    assert (ps1 / "lists/bad.txt").read_text().splitlines()[0].endswith("12_58001.25_7_8_diff.fits")


def test_an_empty_list_is_not_written(ps1, capsys):
    url = f"sqlite:///{ps1 / 'ps1.db'}"
    code, out, _ = cutouts(
        capsys,
        *("--survey", "ps1", "--camera", "gpc2", "--database", url, "--image-type", "bad"),
        *("--flag-date", "20180101", "-o", ps1 / "lists", "--json"),
    )
    assert code == EXIT_FINE
    assert json.loads(out)["bad"] == {"objects": 1, "stamps": 0, "missing": 0}
    assert list((ps1 / "lists").iterdir()) == []
