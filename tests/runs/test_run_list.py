import pytest

from benchmarker.core.errors import InputFileError, MissingDataError
from benchmarker.core.folders import list_texts
from benchmarker.data.preparation import named_preparation
from benchmarker.networks.describe import fits
from benchmarker.runs.run_list import Entry, find_run_list, read_run_list


def read(tmp_path, text):
    path = tmp_path / "list.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_run_list(path)


def test_name_rate_epochs(tmp_path):
    assert read(tmp_path, "convXpress,1e-4,16") == [Entry("convXpress", 1e-4, 16, (), 1)]


def test_comments_blanks_and_spaces(tmp_path):
    entries = read(tmp_path, "# head\n\n   \n  conv4 , 1e-6 , 16 # tuned by hand\n## off\n")
    assert [(e.network, e.learning_rate, e.epochs, e.line) for e in entries] == [
        ("conv4", 1e-6, 16, 4)
    ]


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    assert len(read(tmp_path, b"\xef\xbb\xbfconv4,1e-6,16\r\nsimple,1e-4,16\r\n")) == 2


def test_options_are_typed(tmp_path):
    (entry,) = read(tmp_path, "simple,1e-3,5,batch=64,size=64x48,recipe=d4,class_weights=sqrt")
    assert dict(entry.options) == {
        "batch": 64,
        "size": (64, 48),
        "recipe": "d4",
        "class_weights": "sqrt",
    }
    assert entry.settings["network"] == "simple"


def test_one_name_with_two_rates_is_two_runs(tmp_path):
    entries = read(tmp_path, "simple,1e-3,16\nsimple,1e-4,16")
    assert [entry.learning_rate for entry in entries] == [1e-3, 1e-4]


def test_all_faults_at_once_with_lines(tmp_path):
    lines = [
        "convExpress,1e-4,16",
        "conv4,zero,16",
        "conv4,1e-4,0",
        "conv4,1e-4",
        "conv4,-1,3",
        "conv4,1e-4,16,",
        "conv4,1e-4,16,batsh=3",
        "conv4,1e-4,16,batch",
        "conv4,1e-4,16,batch=2,batch=3",
        ",1e-4,16",
        "conv4,nan,1.5",
        "simple,1e-4,16",
        "simple,1e-4,16",
    ]
    with pytest.raises(InputFileError) as caught:
        read(tmp_path, "\n".join(lines))
    message = str(caught.value)
    for part in (
        "list.txt has 13 faults",
        "line 1: unknown network 'convExpress' (did you mean convXpress",
        "line 2: learning rate: 'zero' is not a number above 0",
        "line 3: epochs: '0' is not a whole number of at least 1",
        "line 4: 'conv4,1e-4' has 2 columns, expected name,learning_rate,epochs",
        "line 5: learning rate: '-1'",
        "line 6: a comma with nothing behind it",
        "line 7: unknown key 'batsh' (did you mean batch?)",
        "line 8: 'batch' is not of the form key=value",
        "line 9: key 'batch' is given twice",
        "line 10: the network name is empty",
        "line 11: learning rate: 'nan'",
        "line 11: epochs: '1.5'",
        "line 13: the same run as line 12",
    ):
        assert part in message


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_a_list_that_runs_nothing_is_refused(tmp_path, text):
    with pytest.raises(InputFileError, match="no active line"):
        read(tmp_path, text)


def test_not_a_text_file(tmp_path):
    with pytest.raises(InputFileError, match="not a text file"):
        read(tmp_path, b"\x89PNG\r\n\xff\xfe")


def test_unknown_list_names_near_ones():
    with pytest.raises(MissingDataError, match="did you mean convxpress"):
        find_run_list("convexpress.txt")


def test_a_network_for_a_list_says_what_to_write():
    with pytest.raises(MissingDataError, match=r"mcrgnet is a network.*'mcrgnet,1e-4,16'"):
        find_run_list("mcrgnet")


def test_own_folder_comes_first(tmp_path, monkeypatch):
    (tmp_path / "architectures").mkdir()
    own = tmp_path / "architectures" / "convxpress.txt"
    own.write_text("simple,1e-4,1\n")
    monkeypatch.chdir(tmp_path)
    assert find_run_list("convxpress.txt").resolve() == own
    assert find_run_list("architectures").name == "architectures.txt"


def test_every_shipped_list_is_valid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists = list_texts("architectures", ".txt")
    assert {"convxpress.txt", "architectures.txt", "architectures-2020.txt"} <= {
        path.name for path in lists
    }
    for path in lists:
        assert read_run_list(path)


# Spec of rg-benchmarker 1.2: active entries of the main list, 2021 and 2020
CORE = {
    "convXpress": (1e-4, 1e-4),
    "conv4": (1e-6, 1e-5),
    "vgg16_d_real": (1e-6, 1e-5),
    "alexnet_real_do_seed": (1e-5, 1e-5),
    "alexnet_adapted": (1e-5, 1e-5),
    "simple": (1e-4, 1e-3),
    "mcrgnet": (1e-4, 1e-3),
    "hosenie": (1e-4, 1e-4),
    "atlas": (1e-4, 1e-4),
    "fr_deep_real": (1e-4, 1e-4),
    "first_class": (1e-4, 1e-4),
    "radio_galaxy_zoo": (1e-5, 1e-4),
    "toothless_real": (1e-6, 1e-5),
    "conv8": (1e-4, 1e-4),
}


@pytest.mark.parametrize(("name", "column"), [("architectures", 0), ("architectures-2020", 1)])
def test_core_lists_hold_the_published_rates(name, column):
    entries = read_run_list(find_run_list(name))
    assert {e.network: e.learning_rate for e in entries} == {
        network: rates[column] for network, rates in CORE.items()
    }
    assert {e.network: e.epochs for e in entries if e.epochs != 16} == (
        {"convXpress": 30} if column == 0 else {}
    )


def test_an_unknown_network_is_listed_beside_the_other_faults_of_its_line(tmp_path):
    with pytest.raises(InputFileError) as caught:
        read(tmp_path, "mcgnet,x,0\n")
    for text in ("unknown network 'mcgnet'", "learning rate: 'x'", "epochs: '0'"):
        assert text in str(caught.value)


@pytest.mark.parametrize("path", list_texts("architectures", ".txt"), ids=lambda path: path.stem)
def test_every_shipped_entry_fits_the_images_it_is_for(path):
    for entry in read_run_list(path):
        own = entry.settings
        side = {"mnist": 28}.get(own.get("data"), 300)
        prepared = named_preparation(own.get("preparation", "minmax"), size=own.get("size"))
        classes = 10 if own.get("data") == "mnist" else 4
        assert fits(entry.network, prepared.shape_of(side, side), classes) is None
