import math

from benchmarker.data.reading_names import is_distinct, natural_key, positions, split_word, stem


def test_stem_keeps_dots_that_belong_to_numbers():
    assert stem("./MiraBest_data/100_162.947+055.386_0.0739_0250.34.png") == (
        "100_162.947+055.386_0.0739_0250.34"
    )
    assert stem("FRI/116.785_17.291_0_MiraBest.png") == "116.785_17.291_0_MiraBest"
    assert stem("J000330.73+002756.1.fits.gz") == "J000330.73+002756.1"
    assert stem("J000330.73+002756.1") == "J000330.73+002756.1"


def test_natural_order():
    names = ["data_10", "data_9", "data_100"]
    assert sorted(names, key=natural_key) == ["data_9", "data_10", "data_100"]


def test_positions_of_the_three_name_forms():
    names = [
        "J000330.73-002756.1",
        "116.785_-17.291_0_MiraBest",
        "200_020.485-000.490_0.4364_0052.49",
        "row-000001",
        "999.0_10.0_0_Nowhere",
    ]
    ra, dec = positions(names)
    assert math.isclose(ra[0], 15 * (3 / 60 + 30.73 / 3600))
    assert math.isclose(dec[0], -(27 / 60 + 56.1 / 3600))
    assert (ra[1], dec[1]) == (116.785, -17.291)
    assert (ra[2], dec[2]) == (20.485, -0.49)
    assert math.isnan(ra[3])
    assert math.isnan(ra[4])
    assert positions(["a", "b"]) == (None, None)


def test_split_words_and_distinct_names():
    assert [split_word(word) for word in ("Valid", "training", "dev", "x")] == [
        "validation",
        "train",
        "validation",
        "x",
    ]
    assert is_distinct(["a", "b"])
    assert not is_distinct(["a", "a"])
    assert not is_distinct(["a", ""])
