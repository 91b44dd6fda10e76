"""RADIAnCE's text files, without their faults."""

from pathlib import Path

import numpy as np
import pytest

from benchmarker.hosts.radiance.results import Classified
from benchmarker.hosts.radiance.statistics import accuracy_percent, write_statistics

SCORES = [[2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


@pytest.fixture
def results():
    found = [
        Classified(Path(f"/data/f{n}.fits"), np.array(row), seconds=0.25)
        for n, row in enumerate(SCORES)
    ]
    return [*found[:1], Classified(Path("/data/broken.fits"), error="broken"), *found[1:]]


def lines(folder, name):
    return (folder / f"test_{name}.txt").read_text().splitlines()


def test_one_value_per_line_and_losses_once(tmp_path, results):
    written = write_statistics(tmp_path, [0, 1, 1, 2], results)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    assert lines(tmp_path, "true") == ["0", "1", "2"]
    assert lines(tmp_path, "pred") == ["0", "1", "3"]
    assert lines(tmp_path, "loc") == ["/data/f0.fits", "/data/f1.fits", "/data/f2.fits"]
    assert lines(tmp_path, "time") == ["0.250000"] * 3
    assert [float(text) for text in lines(tmp_path, "acc")] == pytest.approx([200 / 3])
    shares = [np.exp(row) / np.exp(row).sum() for row in SCORES]
    wanted = [-np.log(share[code]) for share, code in zip(shares, (0, 1, 2), strict=True)]
    np.testing.assert_allclose(np.loadtxt(tmp_path / "test_losses.txt"), wanted, atol=1e-8)
    wanted = [share.max() for share in shares]
    np.testing.assert_allclose(np.loadtxt(tmp_path / "test_cert.txt"), wanted, atol=1e-8)


def test_without_labels_only_what_is_known_is_written(tmp_path, results):
    write_statistics(tmp_path, [0, 1, 1, 2], results)
    write_statistics(tmp_path, [None] * 4, results)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"test_{name}.txt" for name in ("pred", "cert", "loc", "time")}
    assert accuracy_percent([None] * 4, results) is None


def test_where_some_labels_are_missing_lines_still_belong_together(tmp_path, results):
    write_statistics(tmp_path, [None, 0, 1, 3], results)
    assert lines(tmp_path, "true") == ["9999", "1", "3"]
    losses = np.loadtxt(tmp_path / "test_losses.txt")
    assert np.isnan(losses).tolist() == [True, False, False]
    assert float(lines(tmp_path, "acc")[0]) == 100


def test_certain_scores_have_finite_losses(tmp_path):
    results = [Classified(Path("a.fits"), np.array([900.0, 0.0, 0.0, 0.0]), seconds=1.0)]
    write_statistics(tmp_path, [1], results)
    assert lines(tmp_path, "losses") == ["900.00000000"]
    assert lines(tmp_path, "cert") == ["1.00000000"]
    assert lines(tmp_path, "acc") == ["0.000000"]
