"""Ranges beside a plain set of numbers, which says the same slowly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trioecho.model.ranges import MOST_ISLANDS, Ranges

PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=30)


@given(PIECES, st.tuples(st.integers(0, 60), st.integers(0, 12)))
def test_ranges_are_a_set(pieces: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    ranges, plain = Ranges(), {-1}
    ranges.advance(0)
    for seq, length in pieces:
        new = set(range(seq, seq + length)) - plain
        assert ranges.add(seq, seq + length) == len(new)
        plain |= new
        assert ranges.up_to == min(set(range(100)) - plain)
        there = {at for first, end in ranges.islands for at in range(first, end)}
        assert there == {at for at in plain if at > ranges.up_to}
    ends = [edge for island in ranges.islands for edge in island]
    assert sorted(set(ends)) == ends  # in order, and none touches another
    seq, length = asked
    assert ranges.missing(seq, seq + length) == len(set(range(seq, seq + length)) - plain)


@given(PIECES, st.integers(0, 80))
def test_what_is_acknowledged_is_there(pieces: list[tuple[int, int]], ack: int) -> None:
    ranges, plain = Ranges(), set(range(ack))
    ranges.advance(0)
    for seq, length in pieces:
        ranges.add(seq, seq + length)
        plain |= set(range(seq, seq + length))
    ranges.advance(ack)
    assert ranges.up_to == min(set(range(100)) - plain)


def test_the_first_range_begins_the_stream() -> None:
    ranges = Ranges()
    assert ranges.add(500, 600) == 100
    assert ranges == Ranges(600)


def test_a_hostile_stream_of_islands_does_not_grow_memory() -> None:
    ranges = Ranges(0)
    for at in range(2, 10 * MOST_ISLANDS, 2):
        ranges.add(at, at + 1)
    assert len(ranges.islands) == MOST_ISLANDS
