import matplotlib.figure
import numpy as np
import pytest

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.realbogus import plots, plots_facts
from benchmarker.hosts.realbogus.plots import Look
from benchmarker.hosts.realbogus.scores_csv import StampScores
from benchmarker.metrics.operating_points import false_at_missed, score_rates


def scores(name="set", count=400, labels=None):
    draw = np.random.default_rng(2)
    labels = np.arange(count) % 4 // 3 if labels is None else labels
    chance = 1 / (1 + np.exp(-draw.normal(4.0 * labels - 2)))
    kinds = np.where(labels == 1, "asteroid", np.where(np.arange(count) % 2, "dipole", "ghost"))
    facts = {
        "kind": tuple(kinds),
        "signal_to_noise": tuple(str(5 * 10**x) for x in draw.exponential(0.5, count)),
        "camera": ("",) * count,
    }
    return StampScores(name, tuple(f"{n}.fits" for n in range(count)), labels, chance, facts)


@pytest.fixture
def drawn(monkeypatch):
    """Figures that were saved, to look at what is in them."""
    figures = []
    save = matplotlib.figure.Figure.savefig

    def keep(figure, *arguments, **options):
        figures.append(figure)
        return save(figure, *arguments, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return figures


def test_the_trade_off_marks_the_working_point(tmp_path, drawn):
    look = Look(0.5, 0.4, 0.1, telescope="HKO", title="Stamps", panel_label="(a)")
    found = scores()
    path = plots.trade_off([found, scores("other")], tmp_path / "det.png", look)
    assert path.read_bytes().startswith(b"\x89PNG")
    axes = drawn[0].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "Missed detection rate",
        "False positive rate",
    )
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 0.5), (0, 0.4))
    point = false_at_missed(score_rates(found.labels == 1, found.scores), 0.1)
    curve, up, across = axes.lines[:3]
    assert up.get_xydata().tolist() == [[0.1, 0], [0.1, point.rate]]
    assert across.get_xydata().tolist() == [[0, point.rate], [0.1, point.rate]]
    # as a step from one threshold to the next, the curve goes through the point
    missed, false = curve.get_data()
    assert curve.get_drawstyle() == "steps-post"
    assert false[np.searchsorted(missed, 0.1 + 1e-12) - 1] == point.rate
    assert drawn[0].get_suptitle() == "Stamps (HKO)"
    assert [text.get_text() for text in axes.texts] == ["(a)"]
    assert f"set: {100 * point.rate:.2f} % at 10 % missed" in axes.get_legend_handles_labels()[1]


def test_completeness_falls_as_purity_rises(tmp_path, drawn):
    plots.completeness_purity([scores()], tmp_path / "cp.pdf", Look())
    errors, shares = drawn[0].axes
    completeness, purity = shares.lines[0].get_data()
    assert completeness[0] == 1
    assert purity[0] == pytest.approx(0.25)
    assert (np.diff(completeness) <= 0).all()
    assert errors.get_box_aspect() == shares.get_box_aspect() == 1


def test_the_roc_names_its_area(tmp_path, drawn):
    plots.roc([scores()], tmp_path / "roc.svg", Look())
    labels = drawn[0].axes[0].get_legend_handles_labels()[1]
    assert labels[0].startswith("set (area = 0.9")


def test_the_histogram_has_forty_bins_and_every_stamp(tmp_path, drawn):
    plots.histogram(scores(), tmp_path / "h.png", Look(threshold=0.4, log=True))
    axes = drawn[0].axes[0]
    assert len(axes.patches) == 80
    assert sum(patch.get_height() for patch in axes.patches) == 400
    assert axes.get_yscale() == "log"
    assert axes.lines[0].get_xdata() == [0.4, 0.4]


def test_a_class_that_is_absent_is_told(tmp_path):
    only = scores("night", labels=np.zeros(400, int))
    for draw in (plots.trade_off, plots.roc, plots.completeness_purity):
        with pytest.raises(SettingsError, match="night: no real stamp among 400"):
            draw([only], tmp_path / "a.png", Look())
    assert plots.histogram(only, tmp_path / "h.png", Look()).is_file()


def test_impossible_limits_are_refused():
    for wrong in ({"xlim": 0}, {"ylim": 1.5}, {"mdr": float("nan")}):
        with pytest.raises(SettingsError, match="expected a rate"):
            Look(**wrong)


def test_shares_are_those_of_each_class_alone():
    found = scores()
    shares = plots_facts.taken_shares(found, "kind", 0.5)
    assert [row.name for row in shares["real"]] == ["asteroid"]
    assert [row.name for row in shares["bogus"]] == ["dipole", "ghost"]
    taken = found.scores >= 0.5
    assert shares["real"][0].accuracy == pytest.approx(taken[found.labels == 1].mean())
    ghosts = np.array(found.facts["kind"]) == "ghost"
    assert shares["bogus"][1].accuracy == pytest.approx(taken[ghosts].mean())
    assert shares["bogus"][1].n == ghosts.sum()


@pytest.mark.parametrize(("fact", "scale"), [("kind", "linear"), ("signal_to_noise", "log")])
def test_pictures_by_fact(tmp_path, drawn, fact, scale):
    path = plots_facts.taken_by_fact(scores(), fact, 0.5, tmp_path / "a.png", Look())
    assert path.is_file()
    assert len(drawn[0].axes) == 2
    assert drawn[0].axes[0].get_xscale() == scale


def test_facts_that_nobody_knows_are_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"'kid' \(did you mean kind\?\)"):
        plots_facts.taken_by_fact(scores(), "kid", 0.5, tmp_path / "a.png", Look())
    with pytest.raises(SettingsError, match="no value"):
        plots_facts.taken_by_fact(scores(), "camera", 0.5, tmp_path / "a.png", Look())
