import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.folders import shipped
from benchmarker.report.published import COLUMNS, beside, read_published

HEADER = ",".join(COLUMNS)


def test_shipped_numbers_are_sound():
    numbers = read_published(shipped("results") / "published.csv")
    assert len(numbers) > 100
    assert all(0 <= number.value <= 1 for number in numbers)
    found = beside(numbers, "agcnn", "mirabest-confident")
    assert (found.metric, found.value, found.same_protocol) == ("accuracy", 0.917, False)
    assert beside(numbers, "mcrgnet", "lrg").metric == "mpca"
    assert beside(numbers, "mcrgnet", "first") is None


def test_every_bad_line_is_listed(tmp_path):
    path = tmp_path / "published.csv"
    lines = [
        HEADER,
        "a,b,mpca,eighty,,paper,yes,",
        "a,b,mpca,0.8,,paper,perhaps,",
        "a,b,mpca,0.8,0.1,,no,",
    ]
    path.write_text("\n".join(lines))
    with pytest.raises(InputFileError, match="3 faults") as caught:
        read_published(path)
    for text in ("line 2: value 'eighty'", "line 3: same_protocol 'perhaps'", "line 4: source"):
        assert text in str(caught.value)


def test_other_columns_are_refused(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text("network,value\nx,1\n")
    with pytest.raises(
        InputFileError, match="line 1: columns network,value, expected network,data"
    ):
        read_published(path)
