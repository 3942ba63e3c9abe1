"""Sequence numbers wrap; relative ones do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trioecho.model.sequence import SPACE, distance, relative

raw = st.integers(0, SPACE - 1)
near = st.integers(-(1 << 40), 1 << 40)
step = st.integers(-(1 << 31), (1 << 31) - 1)


@given(raw, step)
def test_distance_finds_the_step(start: int, by: int) -> None:
    assert distance((start + by) % SPACE, start) == by


@given(raw, near, step)
def test_relative_counts_the_wraps(isn: int, last: int, by: int) -> None:
    assert relative((isn + last + by) % SPACE, isn, last) == last + by


@given(raw, raw, near)
def test_relative_is_congruent_and_nearest(number: int, isn: int, last: int) -> None:
    found = relative(number, isn, last)
    assert (found + isn) % SPACE == number
    assert abs(found - last) <= SPACE // 2


def test_a_stream_of_more_than_4_gib_counts_on() -> None:
    isn, at = 0xFFFFFF00, 0
    for _ in range(5):
        at = relative((isn + at + (1 << 30)) % SPACE, isn, at)
    assert at == 5 << 30
