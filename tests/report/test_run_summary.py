import io

from benchmarker.core.records import read_record
from benchmarker.report.run_summary import run_table
from benchmarker.report.text import show
from tests.report.factory import make_run


class Stream(io.StringIO):
    """A text stream of a given encoding that is, or is not, a terminal."""

    def __init__(self, encoding="utf-8", *, terminal=False):
        super().__init__()
        self._encoding, self._terminal = encoding, terminal

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal


def printed(record, stream, width=80):
    show(run_table(record), stream, width=width)
    return stream.getvalue()


def test_everything_asked_for_is_in_the_table(tmp_path):
    folder = make_run(tmp_path)
    record = read_record(folder)
    text = printed(record, Stream(), width=160)
    metrics = record.metrics
    for model in ("best", "final"):
        entry = metrics[model]["mpca"]
        low, high = 100 * entry["low"], 100 * entry["high"]
        assert f"{100 * entry['value']:.1f} ({low:.1f}-{high:.1f})" in text
    for word in ("MPCA", "accuracy", "macro F1", "AUC", "precision", "recall", "confusion"):
        assert word in text
    count = metrics["best"]["confusion_matrix"][0][0]
    assert f"{count} ({10 * count:.1f})" in text  # ten images in each class
    assert "3 epochs in 12 min 34 s, 96 images/s" in text
    assert "254 images/s" in text
    assert "4,567,944 parameters, 779,033,680 multiply-adds" in text
    assert str(folder) in text


def test_a_file_gets_no_colour_codes_and_a_terminal_does(tmp_path):
    record = read_record(make_run(tmp_path))
    assert "\x1b[" not in printed(record, Stream())
    assert "\x1b[" in printed(record, Stream(terminal=True))


def test_an_ascii_log_is_written_without_failing(tmp_path):
    record = read_record(make_run(tmp_path, classes=("Café", "FRII", "Bent")))
    text = printed(record, Stream("ascii"))
    assert text.isascii()
    assert "FRII" in text


def test_lines_of_the_tables_fit_eighty_columns(tmp_path):
    text = printed(read_record(make_run(tmp_path)), Stream())
    assert max(map(len, text.splitlines())) <= 80
    (line,) = [line for line in text.splitlines() if line.strip().startswith("MPCA")]
    assert line.count("(") == 2


def test_markup_in_names_is_text(tmp_path):
    record = read_record(make_run(tmp_path, classes=("[red]x[/red]", "two\nlines", "c")))
    text = printed(record, Stream())
    assert text.count("[red]x[/red]") == 3
    assert "two lines" in text


def test_passes_turns_and_groups_are_printed_where_the_run_made_them(tmp_path):
    record = read_record(make_run(tmp_path, varied=True, skill=1.0))
    text = printed(record, Stream())
    best = record.metrics["best"]
    for entry in (
        best["augmented"]["pooled"]["accuracy"],
        best["augmented"]["averaged"]["auc"],
        best["rotation"]["agreement"],
        best["groups"]["uncertain"]["accuracy"],
    ):
        assert f"{100 * entry['value']:.1f} ({100 * entry['low']:.1f}-" in text
    assert "over 12 augmented passes: % (95 % interval over sources)" in text
    assert "turned to 12 angles" in text
    found = record.augmented("best")
    names = [n for n, w in zip(found.sources, found.wrong, strict=True) if w == 12]
    assert names
    assert "Wrong in 95 % or more of the passes (best model):" in text
    assert all(name in text.replace("\n", "") for name in names)
    assert max(map(len, text.splitlines()[:-2])) <= 80


def test_calibration_is_printed_where_the_run_measured_it(tmp_path):
    record = read_record(make_run(tmp_path, validated=True, skill=1.5))
    text = printed(record, Stream())
    fitted = record.metrics["best"]["temperature"]
    assert "calibration, temperature from 40 validation images" in text
    assert f"{fitted['value']:.3f} ({fitted['low']:.3f}-{fitted['high']:.3f})" in text
    error = fitted["calibration_error"]
    assert f"{100 * error['value']:.1f} ({100 * error['low']:.1f}-" in text
    assert f"{record.metrics['final']['brier']['value']:.3f} (" in text
    assert "(purity is precision, completeness recall)" in text
    assert max(map(len, text.splitlines()[:-2])) <= 80


def test_an_undefined_temperature_says_why(tmp_path):
    text = printed(read_record(make_run(tmp_path, validated=True, skill=30)), Stream(), width=160)
    assert "The temperature of the best model is undefined: all 40 validation images" in text
    (line,) = [line for line in text.splitlines() if line.strip().startswith("temperature")]
    assert line.split() == ["temperature", "undefined", "undefined"]


def test_runs_without_passes_or_turns_say_nothing_of_them(tmp_path):
    text = printed(read_record(make_run(tmp_path)), Stream())
    for words in ("augmented passes", "turned to", "groups of sources", "tempering"):
        assert words not in text
