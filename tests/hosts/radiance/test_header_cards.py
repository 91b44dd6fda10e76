"""Cards as bytes: what astropy reads in them, and that all others stay."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarker.core.errors import SettingsError
from benchmarker.hosts.radiance.header_cards import (
    BLANK,
    Card,
    in_blocks,
    split_cards,
    with_cards,
)


def read(card):
    found = fits.Card.fromstring(card.encoded())
    found.verify("exception")
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25000000"),
        (1.19999998826614e-9, "0.00000000"),
        (np.float32(0.98765432), "0.98765433"),
        (-12345678.5, "-12345678.50000000"),
        (7, "7"),
        (np.int64(-3), "-3"),
        (True, "T"),
    ],
)
def test_numbers_end_in_column_30_without_exponent(value, text):
    encoded = Card("RFI", value, "probability").encoded()
    assert len(encoded) == 80
    assert encoded[:10] == b"RFI     = "
    assert encoded[10:30].decode() == f"{text:>20}"
    assert encoded[30:].rstrip() == b" / probability"
    assert read(Card("RFI", value)).value == pytest.approx(value, abs=1e-8)


def test_texts_come_back_and_long_comments_are_cut():
    for text in ("good", "", "it's", "x" * 68):
        assert read(Card("CNNNAME", text, "c")).value == text
    encoded = Card("A", "x" * 60, "a comment that has no room").encoded()
    assert len(encoded) == 80
    assert read(Card("A", 1.0, "version", decimals=1)).comment == "version"
    assert Card("A", 1.0, decimals=1).encoded()[10:30] == b"1.0".rjust(20)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("rfi", 1), "1 to 8 of A-Z"),
        (("TOOLONGKEY", 1), "1 to 8 of A-Z"),
        (("", 1), "1 to 8 of A-Z"),
        (("A B", 1), "1 to 8 of A-Z"),
        (("BITPIX", 8), "how the file is built"),
        (("NAXIS1", 8), "how the file is built"),
        (("BZERO", 8.0), "how the file is built"),
        (("END", 8.0), "how the file is built"),
        (("CHECKSUM", "x"), "how the file is built"),
        (("ZCMPTYPE", "x"), "how the file is built"),
        (("RFI", float("nan")), "expected a finite number"),
        (("RFI", float("inf")), "expected a finite number"),
        (("RFI", 1e20), "more digits than fixed format holds"),
        (("RFI", 10**20), "more digits than fixed format holds"),
        (("RFI", None), "is a NoneType"),
        (("RFI", 1j), "is a complex"),
        (("A", "x" * 69), "69 characters, expected at most 68"),
        (("A", "'" * 35), "35 characters"),
        (("A", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"), "not printable ASCII"),
        (("A", "two\nlines"), "not printable ASCII"),
        (("A", 1, "tab\t"), "not printable ASCII"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, text):
    with pytest.raises(SettingsError, match=text):
        Card(*arguments)


def test_all_faults_of_a_card_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        Card("rfi", float("nan"), "\n")
    assert "3 faults" in str(caught.value)


def block(*texts):
    return [text.ljust(80).encode("ascii") for text in texts]


def test_a_card_is_set_in_its_place_and_a_new_one_goes_to_the_end():
    cards = block("A       =                    1 / a", "COMMENT B       = 3", "C       = 4")
    found = with_cards(cards, [Card("A", 2), Card("B", 5)])
    assert found == [Card("A", 2).encoded(), *cards[1:], Card("B", 5).encoded()]


def test_similar_keywords_and_other_kinds_of_cards_are_left_alone():
    cards = block(
        "RFISIS  = 0.5", "HIERARCH RFI = 0.5", "HISTORY RFI     = 0.5", "RFI      no value"
    )
    assert with_cards(cards, [Card("RFI", 1)]) == [*cards, Card("RFI", 1).encoded()]


def test_a_keyword_that_stands_there_twice_is_set_twice():
    cards = block("RFI     = 0.1", "X       = 1", "RFI     = 0.2")
    new = Card("RFI", 0.5).encoded()
    assert with_cards(cards, [Card("RFI", 0.5)]) == [new, cards[1], new]


def test_a_long_text_goes_with_its_continuations_and_others_keep_theirs():
    header = fits.Header()
    header["OTHER"] = "o" * 150
    header["CNNNAME"] = "n" * 150
    header["LAST"] = "l" * 150
    cards = split_cards(in_blocks_of(header))
    found = fits.Header.fromstring(b"".join(in_blocks(with_cards(cards, [Card("CNNNAME", "x")]))))
    assert found["OTHER"] == "o" * 150
    assert found["CNNNAME"] == "x"
    assert found["LAST"] == "l" * 150
    assert len(found.cards) == 3


def in_blocks_of(header):
    return header.tostring().encode("ascii")


def test_blank_cards_at_the_end_are_used_and_blank_cards_inside_stay():
    cards = [*block("A       = 1"), BLANK, *block("B       = 2"), BLANK, BLANK]
    found = with_cards(cards, [Card("C", 3)])
    assert found == [*cards[:3], Card("C", 3).encoded(), BLANK]
    assert len(with_cards(found, [Card("D", 4), Card("E", 5)])) == 6


@pytest.mark.parametrize(("count", "blocks"), [(0, 1), (35, 1), (36, 2), (71, 2), (72, 3)])
def test_headers_end_in_whole_blocks(count, blocks):
    cards = in_blocks([Card("A", n).encoded() for n in range(count)])
    assert len(cards) == 36 * blocks
    assert cards[count].strip() == b"END"
    assert len(split_cards(b"".join(cards))) == count
