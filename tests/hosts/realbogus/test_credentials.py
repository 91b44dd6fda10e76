"""Credentials: the form of psat-ml, addresses, the environment; the password stays hidden."""

import pytest

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.hosts.realbogus.credentials import (
    PASSWORD_VARIABLE,
    from_config,
    from_url,
    read_yaml,
)
from benchmarker.hosts.realbogus.survey_config import read_config

SECRET = "pa55word"  # noqa: S105
PSAT = f"""
databases:
  local:
    username: astro
    password: {SECRET}
    hostname: db1
    database: atlas4
  public:
    url: sqlite:///other.db
web_url: https://somewhere
"""


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    return write


def test_form_of_psat_with_keys_of_other_programs(config):
    found = read_config(config(PSAT)).credentials
    assert (found.kind, found.database, found.username) == ("mysql", "atlas4", "astro")
    assert (found.password, found.hostname, found.port) == (SECRET, "db1", 3306)
    assert found.place == "database atlas4 of user astro on db1:3306"


def test_password_is_never_shown(config):
    found = read_config(config(PSAT))
    assert SECRET not in repr(found)
    assert SECRET not in str(found.credentials)
    assert SECRET not in found.credentials.place


def test_password_of_the_environment(config, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "from outside")
    assert read_config(config(PSAT)).credentials.password == SECRET
    without = PSAT.replace(f"    password: {SECRET}\n", "")
    assert read_config(config(without)).credentials.password == "from outside"  # noqa: S105
    assert from_url("mysql://astro@db1/atlas4").password == "from outside"  # noqa: S105


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql"])
def test_address_of_a_server(scheme):
    found = from_url(f"{scheme}://astro:p%40ss@db1:3310/atlas4")
    assert (found.username, found.password, found.port) == ("astro", "p@ss", 3310)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///survey.db", "survey.db"),
        ("sqlite:////data/survey.db", "/data/survey.db"),
        ("sqlite:///with%20space/s.db", "with space/s.db"),
        ("sqlite://", ""),
        ("sqlite:///:memory:", ""),
    ],
)
def test_address_of_a_file(url, path):
    assert from_url(url).database == path


def test_a_file_of_the_configuration_lies_beside_it(config, tmp_path):
    path = config("databases: {local: {url: 'sqlite:///survey.db'}}")
    assert read_config(path).credentials.database == str(tmp_path / "survey.db")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgres://a:{SECRET}@h/d", "begins with 'postgres'"),
        (f"mysql://a:{SECRET}@/d", "no server"),
        (f"mysql://a:{SECRET}@host", "no name"),
        (f"mysql://a:{SECRET}@host:port/d", "cannot be read"),
        (f"a:{SECRET}@host/d", "begins with 'a'"),
        ("survey.db", "no kind"),
        ("sqlite://survey.db", "two slashes"),
    ],
)
def test_wrong_addresses_are_told_without_the_password(url, told):
    with pytest.raises(SettingsError, match=told) as caught:
        from_url(url)
    assert SECRET not in str(caught.value)


def test_all_faults_at_once(config):
    text = "databases: {local: {username: a, pasword: x, port: many}}"
    with pytest.raises(InputFileError) as caught:
        read_config(config(text))
    told = str(caught.value)
    assert "4 faults" in told
    assert "did you mean password?" in told
    for word in ("hostname", "database", "port is 'many'"):
        assert word in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("databases: {}", "no 'databases'"),
        ("databases: {one: {}, two: {}}", "databases there: one, two"),
        ("- a\n- b", "holds no keys"),
        (f"databases:\n  local:\n   password: '{SECRET}\n", "is no YAML in line"),
        (f"password: !!python/object/apply:os.system ['{SECRET}']", "is no YAML"),
        ("databases: {local: {url: 'sqlite:///a.db', port: 1}}", "beside other keys"),
        ("databases: {a: {url: 'sqlite:///a.db'}}\nbenchmarker: {exposure: {}}", "exposures?"),
        ("databases: {a: {url: 'sqlite:///a.db'}}\nbenchmarker: {names: [a]}", "names is"),
        ("databases: {a: {url: 'sqlite:///a.db'}}\nbenchmarker: 5", "'benchmarker' is 5"),
    ],
)
def test_files_that_are_wrong(config, text, told):
    with pytest.raises(InputFileError) as caught:
        read_config(config(text))
    assert told in str(caught.value)
    assert SECRET not in str(caught.value)


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(InputFileError, match="No such file"):
        read_yaml(tmp_path / "absent.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_yaml(tmp_path / "bytes.yaml")


def test_the_only_database_is_taken(tmp_path):
    only = {"databases": {"mine": {"url": "sqlite:///a.db"}}}
    assert from_config(only, tmp_path / "c.yaml").name == "a"
