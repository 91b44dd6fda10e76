"""CHECKSUM by ourselves and by astropy."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from benchmarker.data.fits_headers import ones_complement_sum
from benchmarker.hosts.radiance.checksums import encode, renewed
from benchmarker.hosts.radiance.header_cards import Card, in_blocks, split_cards, with_cards


@given(st.integers(0, 2**32 - 1))
def test_sums_are_encoded_as_by_astropy(total):
    reference = fits.PrimaryHDU()
    assert encode(total) == reference._char_encode(~np.uint32(total))
    assert encode(total).isalnum()


@given(st.binary(min_size=0, max_size=400), st.integers(1, 100))
def test_with_its_code_a_text_adds_up_to_nothing(data, before):
    head = b"x" * (80 * before) + b"CHECKSUM= '"
    total = ones_complement_sum(head + b"0" * 16 + b"'    " + data)
    assert ones_complement_sum(head + encode(total).encode() + b"'    " + data) == 2**32 - 1


def header(**values):
    cards = [Card("A", 1).encoded(), Card("B", "text").encoded()]
    cards += [f"{key:<8}= '{value}'".ljust(80).encode() for key, value in values.items()]
    return b"".join(in_blocks(cards))


def edited(old):
    return b"".join(renewed(old, in_blocks(with_cards(split_cards(old), [Card("RFI", 0.5)]))))


@pytest.mark.parametrize("values", [{}, {"CHECKSUM": " " * 16}, {"CHECKSUM": "0" * 16}])
def test_a_header_without_a_checksum_gets_none(values):
    old = header(**values)
    expected = b"".join(in_blocks(with_cards(split_cards(old), [Card("RFI", 0.5)])))
    assert edited(old) == expected


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"some data of this file  "])
def test_the_sum_of_the_data_is_taken_from_datasum(data):
    new = edited(header(DATASUM=str(ones_complement_sum(data)), CHECKSUM="made elsewhere  "))
    assert ones_complement_sum(new + data) in (0, 2**32 - 1)
    assert ones_complement_sum(new + data[:-1] + b"?") not in (0, 2**32 - 1)


@pytest.mark.parametrize("datasum", [None, "", "no number", "99999999999"])
def test_without_it_a_right_checksum_stays_right_and_a_wrong_one_wrong(datasum):
    data = b"some data of this file  "
    values = {} if datasum is None else {"DATASUM": datasum}
    old = header(**values, CHECKSUM="0" * 16)
    place = old.index(b"CHECKSUM= '") + 11
    good = old[:place] + encode(ones_complement_sum(old + data)).encode() + old[place + 16 :]
    assert ones_complement_sum(good + data) == 2**32 - 1
    assert ones_complement_sum(edited(good) + data) in (0, 2**32 - 1)
    damaged = data.replace(b"data", b"dada")
    assert ones_complement_sum(edited(good) + damaged) not in (0, 2**32 - 1)


def test_a_checksum_in_another_column_is_written_in_the_right_one():
    card = b"CHECKSUM=   'abcdefghijklmnop'".ljust(80)
    new = edited(header(DATASUM="0").replace(Card("B", "text").encoded(), card))
    assert ones_complement_sum(new) in (0, 2**32 - 1)
    assert new[new.index(b"CHECKSUM") :][:11] == b"CHECKSUM= '"
