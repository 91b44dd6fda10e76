"""Fields through a network: the right probabilities, in order, into headers that stay sound."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import InputFileError, SettingsError
from benchmarker.core.hashing import digest_file
from benchmarker.data.field_views import block_mean, contrast
from benchmarker.hosts.radiance import classify as classify_module
from benchmarker.hosts.radiance.classify import (
    NOWHERE,
    SIDECAR,
    Choices,
    batch_size,
    class_order,
    classify,
)
from benchmarker.hosts.radiance.result_cards import Provenance, cards_of, sidecar_of
from benchmarker.hosts.radiance.results import Classified
from benchmarker.runs.scores import softmax
from benchmarker.runs.trained import open_trained
from tests.hosts.radiance.conftest import SIDE, field_pixels, write_fields, write_network
from tests.hosts.radiance.science_files import data_bytes, require_verified

CLASSES = ("good", "rfi", "sis", "rfisis")


def run(trained, paths, **words):
    return classify(trained, paths, Choices(**words), Provenance.of(trained))


def expected(trained, images):
    shown = np.stack([contrast(image)[..., np.newaxis] for image in images])
    return softmax(np.log(np.maximum(trained.model.predict_on_batch(shown), 1e-30)))


@pytest.mark.parametrize("batch", [1, 2, 5, None])
def test_probabilities_are_those_of_the_network_in_the_order_of_the_list(
    artefact_network, field_paths, batch
):
    results = run(artefact_network, field_paths, batch=batch, target=NOWHERE)
    assert [result.path for result in results] == field_paths
    found = [list(result.probabilities.values()) for result in results]
    images = [field_pixels(number) for number in range(5)]
    np.testing.assert_allclose(found, expected(artefact_network, images), atol=1e-5)
    assert len({tuple(row) for row in found}) == 5
    assert all(result.seconds > 0 and not result.error for result in results)
    assert "RFI" not in fits.getheader(field_paths[0])


def test_cards_are_in_the_headers_and_data_stay(artefact_network, field_paths):
    before = [data_bytes(path) for path in field_paths]
    results = run(artefact_network, field_paths)
    for path, data, result in zip(field_paths, before, results, strict=True):
        assert data_bytes(path) == data
        require_verified(path)
        header, said = fits.getheader(path), result.probabilities
        assert list(header)[-10:] == [
            *("CNNVER", "GOOD", "RFI", "SIS", "RFISIS", "RFISUM"),
            *("CNNCLASS", "CNNNAME", "CNNDATE", "CNNHASH"),
        ]
        for name in CLASSES:
            assert header[name.upper()] == pytest.approx(said[name], abs=5e-9)
        assert header["RFISUM"] == pytest.approx(said["rfi"] + said["rfisis"], abs=1e-8)
        assert header["CNNCLASS"] == max(said, key=said.get)
        assert header["CNNNAME"] == "cnn_gleam_small"
        assert header["CNNHASH"] == digest_file(artefact_network.where)[:8]
        assert header["CNNVER"] == 1.0
        assert result.written == "header"


def test_a_sidecar_holds_the_cards_and_the_image_is_not_touched(artefact_network, field_paths):
    before = field_paths[0].read_bytes()
    (result,) = run(artefact_network, field_paths[:1], target=SIDECAR)
    assert field_paths[0].read_bytes() == before
    header = fits.Header.fromtextfile(sidecar_of(field_paths[0]))
    assert header["RFI"] == pytest.approx(result.probabilities["rfi"], abs=5e-9)
    assert header["CNNCLASS"] == result.predicted
    assert result.written == "sidecar"


def test_broken_images_are_noted_and_the_others_done(artefact_network, field_paths, tmp_path):
    (tmp_path / "text.fits").write_text("no image")
    link = tmp_path / "link.fits"
    link.symlink_to(field_paths[2])
    paths = [
        *(tmp_path / "gone.fits", field_paths[0], tmp_path / "text.fits", field_paths[1], link),
    ]
    results = run(artefact_network, paths, batch=2)
    assert [bool(result.error) for result in results] == [True, False, True, False, True]
    assert "cannot be read" in results[0].error
    assert "expected 'SIMPLE  ='" in results[2].error
    assert "symbolic link" in results[4].error
    assert results[0].probabilities is None
    assert results[0].evidence("rfi") is None
    # classified, though its header is left alone
    assert results[4].probabilities is not None
    assert (results[4].written, results[3].written) == ("", "header")
    again = run(artefact_network, [link], header_options={"follow_links": True})
    assert (again[0].error, again[0].written) == ("", "header")


def test_images_that_are_too_large_are_refused_unless_asked(artefact_network, tmp_path):
    paths = write_fields(tmp_path / "large", count=1, side=3 * SIDE + 2)
    (result,) = run(artefact_network, paths, target=NOWHERE)
    assert f"{paths[0]} is 98 x 98 pixels, cnn_gleam_small takes 32 x 32: " in result.error
    assert "--downsample 3 takes means over their blocks, --crop takes the centre" in result.error
    (result,) = run(artefact_network, paths, target=NOWHERE, downsample=3)
    pixels = field_pixels(0, 3 * SIDE + 2)
    wanted = expected(artefact_network, [block_mean(pixels, 3)])
    np.testing.assert_allclose([list(result.probabilities.values())], wanted, atol=1e-5)
    (result,) = run(artefact_network, paths, target=NOWHERE, downsample=2)
    assert "(49 x 49 after means)" in result.error
    (result,) = run(artefact_network, paths, target=NOWHERE, crop=True)
    wanted = expected_crop = contrast(pixels)[33:65, 33:65]
    assert result.probabilities is not None
    shown = artefact_network.model.predict_on_batch(expected_crop[np.newaxis, ..., np.newaxis])
    np.testing.assert_allclose([list(result.probabilities.values())], shown, atol=1e-5)
    (result,) = run(artefact_network, paths, target=NOWHERE, downsample=4)
    assert "images are never enlarged" in result.error


def test_the_networks_own_means_come_on_top(artefact_network, tmp_path):
    own = replace(artefact_network.preparation, downsample=2)
    trained = replace(artefact_network, preparation=own)
    paths = write_fields(tmp_path / "large", count=1, side=4 * SIDE)
    (result,) = run(trained, paths, target=NOWHERE)
    assert "--downsample 2 takes means" in result.error
    (result,) = run(trained, paths, target=NOWHERE, downsample=2)
    wanted = expected(artefact_network, [block_mean(field_pixels(0, 4 * SIDE), 4)])
    np.testing.assert_allclose([list(result.probabilities.values())], wanted, atol=1e-5)


def test_classes_in_another_order_are_put_in_ours(tmp_path, field_paths):
    path = write_network(tmp_path / "w.safetensors", classes=("SIS", "rfisis", "Good", "rfi"))
    trained = open_trained(path)
    assert class_order(trained) == [2, 3, 0, 1]
    (result,) = run(trained, field_paths[:1], target=NOWHERE)
    raw = expected(trained, [field_pixels(0)])[0]
    assert list(result.probabilities.values()) == pytest.approx(raw[[2, 3, 0, 1]], abs=1e-5)


@pytest.mark.parametrize(
    "classes", [("good", "rfi"), ("TOP", "BOTTOM", "LEFT", "RIGHT"), (*CLASSES, "other")]
)
def test_a_network_of_other_classes_is_refused_by_name(tmp_path, classes, field_paths):
    trained = open_trained(write_network(tmp_path / "w.safetensors", classes=classes))
    with pytest.raises(
        SettingsError, match="expected a network for good, rfi, sis, rfisis"
    ) as told:
        run(trained, field_paths)
    assert ", ".join(classes) in str(told.value)


def test_batches_are_bounded_by_the_memory_they_need(artefact_network):
    assert batch_size(artefact_network) == 32
    assert batch_size(replace(artefact_network, shape=(512, 512, 1)), 3) == 3

    class Large:
        shape, model = (4000, 4000, 1), artefact_network.model

    assert batch_size(Large()) == 1
    Large.shape = (512, 512, 1)
    assert batch_size(Large()) == 8


def test_reading_goes_on_while_the_network_computes_but_not_far(
    artefact_network, tmp_path, monkeypatch
):
    paths = write_fields(tmp_path / "many", count=12)
    read, computing = [], threading.Event()
    original = classify_module._prepared
    ahead = []

    def prepared(result, *words):
        read.append(result.path)
        return original(result, *words)

    class Head:
        def predict_on_batch(self, images):
            computing.wait(0.3)
            ahead.append(len(read))
            return np.zeros((len(images), 4), np.float32)

    monkeypatch.setattr(classify_module, "_prepared", prepared)
    monkeypatch.setattr(classify_module, "scorer", lambda _: Head())
    run(artefact_network, paths, batch=2, target=NOWHERE)
    # before the first batch of two is done others are read, at most a batch and two threads more
    assert 2 < ahead[0] <= 2 + 2 + 2
    assert len(read) == 12


def test_a_stop_ends_the_threads(artefact_network, field_paths, monkeypatch):
    class Head:
        def predict_on_batch(self, _):
            raise KeyboardInterrupt

    monkeypatch.setattr(classify_module, "scorer", lambda _: Head())
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run(artefact_network, field_paths)
    assert threading.active_count() == before


def test_an_image_without_scores_has_no_cards(tmp_path, artefact_network):
    with pytest.raises(InputFileError, match="was not classified"):
        cards_of(Classified(tmp_path / "a.fits"), Provenance.of(artefact_network))


def test_certain_probabilities_stay_in_range(tmp_path):
    result = Classified(tmp_path / "a.fits", np.array([-50.0, 60.0, -80.0, 59.0]))
    provenance = Provenance("netz-\N{LATIN SMALL LETTER A WITH DIAERESIS}", "12345678", "2026")
    cards = {card.keyword: card for card in cards_of(result, provenance)}
    assert cards["RFISUM"].value == 1.0
    assert cards["CNNNAME"].value == "netz-?"
    assert cards["GOOD"].encoded()[10:30] == b"0.00000000".rjust(20)
    assert result.evidence("any") == pytest.approx(1.0)
    assert result.evidence("sis") == result.probabilities["sis"] + result.probabilities["rfisis"]
