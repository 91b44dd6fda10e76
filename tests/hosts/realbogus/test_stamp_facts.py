import numpy as np
import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.hosts.realbogus.stamp_facts import FactColumns, facts_of_header, read_fact_table


def test_facts_of_a_header():
    header = {
        "OBS": "02a58362o0123c",
        "MAG": "18.25",
        "DMAG": "1.0857362D-1",
        "X": "nan",
        "KIND": " ",
    }
    found = facts_of_header(header)
    assert found.pop("signal_to_noise") == pytest.approx(10)
    assert found == {
        "exposure": "02a58362o0123c",
        "camera": "02a",
        "magnitude": 18.25,
        "magnitude_error": pytest.approx(0.10857362),
    }
    assert facts_of_header({"SNR": "7", "DMAG": "0.1"})["signal_to_noise"] == 7
    assert facts_of_header({"DMAG": "0"}) == {"magnitude_error": 0.0}


def test_a_table_adds_facts_by_file_name(tmp_path):
    path = tmp_path / "facts.csv"
    path.write_text("file,kind,seeing\ngood/1_a.fits,dipole,1.5\n2_b.fits,,\n")
    assert read_fact_table(path) == {"1_a.fits": {"kind": "dipole", "seeing": 1.5}, "2_b.fits": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [("kind\ndipole\n", "expected one of file"), ("file,k\na,1\nb/a,2\n", "line 3: a stands")],
)
def test_bad_tables_are_refused(tmp_path, text, words):
    path = tmp_path / "facts.csv"
    path.write_text(text)
    with pytest.raises(InputFileError, match=words):
        read_fact_table(path)


def test_columns_begin_where_a_fact_is_first_known():
    columns = FactColumns()
    columns.add([{"kind": "a"}, {}])
    columns.add([{"kind": "longer", "magnitude": 18.0}, {"magnitude": 19.0}])
    found = columns.arrays()
    assert list(found) == ["kind", "magnitude"]
    assert found["kind"].tolist() == [b"a", b"", b"longer", b""]
    np.testing.assert_array_equal(found["magnitude"], [np.nan, np.nan, 18, 19])
