from benchmarker.report.names import labels

SAME = {
    "network": "a", "data": "first", "protocol": "standard", "learning_rate": 1e-4, "epochs": 3,
    "batch": 32, "size": "150", "recipe": "none", "preparation": "none", "precision": "float32",
    "split_rule": "published", "model": "best", "other_settings": "", "settings_digest": "d" * 64,
    "data_digest": "e" * 64, "split_family": "f" * 8,
}  # fmt: skip


def told(*changes):
    return labels([SAME | change for change in changes])


def test_a_name_alone_is_enough_where_it_is_unique():
    assert told({}, {"network": "b"}, {"network": "c", "epochs": 9}) == ["a", "b", "c"]


def test_what_differs_is_added_to_namesakes_only():
    assert told({}, {"epochs": 9}, {"network": "b", "epochs": 9}) == [
        "a epochs=3",
        "a epochs=9",
        "b",
    ]
    assert told({}, {"data": "mirabest"}) == ["a on first", "a on mirabest"]
    both = told({}, {"epochs": 9}, {"epochs": 9, "batch": 8})
    assert both == ["a epochs=3", "a epochs=9 batch=32", "a epochs=9 batch=8"]


def test_digests_tell_apart_what_nothing_else_does():
    found = told({}, {"settings_digest": "0" * 64})
    assert found == ["a [dddddddd]", "a [00000000]"]
    assert told({}, {}, {}) == ["a", "a (2)", "a (3)"]


def test_names_stay_in_one_line():
    assert told({"network": "two\nlines\t wide"}) == ["two lines wide"]


def test_a_longer_rule_of_the_split_tells_namesakes_apart():
    few = "published, 18 of each class to train"
    changes = [{}, {"split_rule": few}, {"split_rule": few, "network": "other"}]
    first, second, other = labels([SAME | {"network": "net"} | change for change in changes])
    assert (first, second, other) == ("net", "net (18 of each class to train)", "other")
