import pytest

from benchmarker.core.errors import InputFileError
from benchmarker.core.folders import shipped
from benchmarker.report.published import (
    COLUMNS,
    all_beside,
    beside,
    published_names,
    read_published,
)

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


@pytest.fixture(scope="module")
def shipped_table():
    return read_published(shipped("results") / "published.csv")


@pytest.mark.parametrize(
    ("network", "data", "values"),
    [
        ("agcnn", "mirabest-nohybrid", (0.844, 0.8415, 0.920)),
        ("agcnn", "mirabest-confident", (0.917, 0.9165, 0.964)),
        ("agcnn", "frdeep-first", (0.885, 0.8835, 0.894)),
        ("agcnn_sigmoid_concat", "mirabest-nohybrid", (0.838, 0.8375, 0.840)),
        ("agcnn_std_mean_norm_deep_sup", "mirabest-nohybrid", (0.631, 0.628, 0.634)),
        ("agcnn_gates0", "mirabest-nohybrid", (0.866, 0.8645, 0.932)),
        ("agcnn_gates1", "mirabest-nohybrid", (0.845, 0.8445, 0.899)),
    ],
)
def test_numbers_of_the_attention_paper(shipped_table, network, data, values):
    accuracy, macro_f1, auc = values
    found = all_beside(shipped_table, network, data)
    assert found["accuracy"].value == accuracy
    assert found["macro_f1"].value == pytest.approx(macro_f1)
    assert found["auc"].value == auc
    assert not any(number.same_protocol for number in found.values())
    assert "360 augmented passes" in found["accuracy"].note
    per_class = [found[f"{name}_f1"].value for name in ("FRI", "FRII")]
    assert found["macro_f1"].value == pytest.approx(sum(per_class) / 2)


def test_every_published_variant_and_every_pair_of_sets_is_there(shipped_table):
    names = {number.network for number in shipped_table if number.data == "mirabest-nohybrid"}
    normalisations = ("range_norm", "std_mean_norm", "sigmoid", "softmax")
    aggregations = ("mean", "concat", "deep_sup", "ft")
    assert {f"agcnn_{n}_{a}" for n in normalisations for a in aggregations} < names
    across = {n.data for n in shipped_table if n.network == "agcnn" and "tested on" in n.data}
    assert len(across) == 6
    keys = [(number.network, number.data, number.metric) for number in shipped_table]
    # two rows of one key would hide one of them
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("network", "settings", "names"),
    [
        ("convXpress", {"gates": 1}, ("convXpress",)),
        ("agcnn", {}, ("agcnn",)),
        ("agcnn", {"pooling": "mean"}, ("agcnn", "agcnn_range_norm_ft")),
        ("agcnn", {"normalisation": "softmax"}, ("agcnn_softmax_ft",)),
        ("agcnn", {"gates": 1}, ("agcnn_gates1",)),
        ("agcnn", {"gates": 0, "aggregation": "mean"}, ("agcnn_gates0",)),
        ("agcnn", {"gates": 2, "aggregation": "mean"}, ()),
        ("agcnn_sigmoid_mean", {"aggregation": "mean", "normalisation": "sigmoid"},
         ("agcnn_sigmoid_mean",)),
        ("agcnn_range_norm_ft", {"gates": 3}, ("agcnn_range_norm_ft", "agcnn")),
    ],
)  # fmt: skip
def test_settings_find_the_numbers_of_their_variant(network, settings, names):
    assert published_names(network, settings) == names
