"""Recipes: the shipped ones, the classic rotation step, every fault of a file at once."""

import pytest

from benchmarker.core.errors import InputFileError, MissingDataError, SettingsError
from benchmarker.core.folders import shipped
from benchmarker.data.recipes import Recipe, Variant, load_recipe, rotations


@pytest.mark.parametrize(
    ("name", "variants", "is_random", "draws_one"),
    [
        ("none", 1, False, False),
        ("rotations24", 24, False, False),
        ("rotations24-random", 24, False, True),
        ("d4", 8, False, False),
        ("d4-random", 1, True, False),
        ("random-rotation", 1, True, False),
        ("affine", 1, True, False),
        ("affine-flips", 1, True, False),
        ("radio", 1, True, False),
        ("radio-beam", 1, True, False),
        ("radio-noise", 1, True, False),
        ("radio-ripples", 1, True, False),
        ("radio-shift", 1, True, False),
    ],
)
def test_shipped_recipes(name, variants, is_random, draws_one):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert (recipe.variants, recipe.is_random, recipe.draws_one) == (variants, is_random, draws_one)


def test_every_shipped_recipe_is_read_and_differs():
    paths = sorted(shipped("augment").glob("*.yaml"))
    assert len(paths) >= 6
    assert len({load_recipe(path).digest for path in paths}) == len(paths)


def test_rotations24_is_the_classic_step_of_15():
    recipe = load_recipe("rotations24.yaml")
    assert recipe.expansion == tuple(Variant(float(angle), False) for angle in range(0, 360, 15))
    assert recipe == rotations(15)
    assert recipe.digest == rotations(15).digest


def test_d4_holds_the_eight_symmetries():
    assert load_recipe("d4").expansion == (
        (0, False), (90, False), (180, False), (270, False),
        (0, True), (90, True), (180, True), (270, True),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "angles"), [(90, [0, 90, 180, 270]), (360, [0]), (100, [0, 100, 200, 300])]
)
def test_rotation_step(step, angles):
    assert [variant.angle_deg for variant in rotations(step).expansion] == angles


def test_steps_with_equal_counts_have_different_names():
    assert rotations(100).name != rotations(90).name == "rotations4"


@pytest.mark.parametrize("step", [0, -15, 361, 7.5])
def test_rotation_step_out_of_range(step):
    with pytest.raises(SettingsError, match=f"from 1 to 360, got {step}"):
        rotations(step)


def test_digest_covers_what_a_recipe_does_and_not_its_name():
    base = Recipe("a", (Variant(0.0, False), Variant(90.0, False)))
    assert Recipe("b", base.expansion).digest == base.digest
    others = [
        Recipe("a", base.expansion[::-1]),
        Recipe("a", base.expansion, draw="one"),
        Recipe("a", base.expansion, transforms=({"__class_fullname__": "D4"},)),
        Recipe("a", base.expansion, transforms=({"__class_fullname__": "D4", "p": 0.5},)),
        Recipe("a"),
    ]
    assert len({recipe.digest for recipe in [base, *others]}) == 6


def test_all_faults_of_a_file_at_once(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "rotation: 24\nrotations: 0\nflips: 1\ndraw: some\n"
        "transforms:\n  - Rotate\n  - __class_fullname__: rotat\n"
        "  - __class_fullname__: Lambda\n  - {__class_fullname__: D4, p: .nan}\n"
    )
    with pytest.raises(InputFileError) as caught:
        load_recipe(path)
    text = str(caught.value)
    assert f"{path} has 8 faults:" in text
    assert "unknown key 'rotation' (did you mean rotations?)" in text
    assert "rotations must be a whole number from 1 to 360, got 0" in text
    assert "flips must be true or false, got 1" in text
    assert "draw must be all or one, got 'some'" in text
    assert "transform 1 must be a mapping with the key __class_fullname__" in text
    assert "transform 2: 'rotat' is not allowed (did you mean Rotate" in text
    assert "transform 3: 'Lambda' is not allowed" in text
    assert "transform 4: a value is not plain" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1,", "as YAML"),
        ("- rotations\n", "expected keys and values, got list"),
        ("rotations: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("transforms: Rotate\n", "transforms must be a list, got str"),
        ("rotations: true\n", "rotations must be a whole number from 1 to 360, got True"),
    ],
)
def test_file_that_is_no_recipe(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputFileError, match=message):
        load_recipe(path)


def test_empty_file_is_the_plain_recipe(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert load_recipe(path).digest == load_recipe("none").digest


def test_own_recipe_in_the_working_directory_comes_first(tmp_path, monkeypatch):
    (tmp_path / "augment").mkdir()
    (tmp_path / "augment" / "d4.yaml").write_text("rotations: 2\n")
    monkeypatch.chdir(tmp_path)
    assert load_recipe("d4").variants == 2
    assert load_recipe("rotations24").variants == 24


def test_unknown_recipe_names_near_ones():
    with pytest.raises(MissingDataError, match=r"did you mean rotations24"):
        load_recipe("rotation24")
