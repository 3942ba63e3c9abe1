"""The bounds of what waits for the rest of its datagram, each met and missed by one."""

from __future__ import annotations

import pytest

from trioecho.packet.fragments import Fragments

SECOND = 1_000_000_000


def key(number: int) -> bytes:
    return number.to_bytes(4, "big")


@pytest.mark.parametrize(("others", "kept"), [(255, True), (256, False)])
def test_the_eldest_of_too_many_is_given_up(others: int, kept: bool) -> None:
    fragments = Fragments()
    fragments.add(key(0), 0, 0, True, b"12345678")
    for number in range(1, others + 1):
        fragments.add(key(number), 0, 0, True, b"12345678")
    assert (fragments.add(key(0), 0, 8, False, b"9") == b"123456789") is kept


@pytest.mark.parametrize(("late", "kept"), [(0, True), (1, False)])
def test_pieces_wait_a_minute(late: int, kept: bool) -> None:
    fragments = Fragments()
    fragments.add(key(0), 5, 0, True, b"12345678")
    whole = fragments.add(key(0), 5 + 60 * SECOND + late, 8, False, b"9")
    assert (whole == b"123456789") is kept


@pytest.mark.parametrize(("size", "kept"), [(7, True), (8, False)])
def test_a_datagram_has_no_more_than_its_length_field_can_say(size: int, kept: bool) -> None:
    fragments = Fragments()
    fragments.add(key(0), 0, 0, True, bytes(65_528))
    assert (fragments.add(key(0), 0, 65_528, False, bytes(size)) is not None) is kept


@pytest.mark.parametrize(("pieces", "kept"), [(8_191, True), (8_192, False)])
def test_a_datagram_comes_in_so_many_pieces(pieces: int, kept: bool) -> None:
    fragments = Fragments()
    for at in range(pieces):
        fragments.add(key(0), 0, at, True, b"x")
    assert (fragments.add(key(0), 0, pieces, False, b"x") is not None) is kept


@pytest.mark.parametrize(("first", "kept"), [(17, True), (18, False)])
def test_overlaps_beyond_twice_a_datagram_are_an_attack(first: int, kept: bool) -> None:
    fragments = Fragments()
    for offset, size in ((8, 65_526), (9, 65_526)):
        fragments.add(key(0), 0, offset, True, bytes(size))
    fragments.add(key(0), 0, 65_534, False, b"x")
    assert (fragments.add(key(0), 0, 0, True, bytes(first)) is not None) is kept
