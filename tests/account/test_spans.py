"""Two directions' intervals become the connection's: one cause at any time."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trioecho.account.causes import CAUSES, RANK, Certainty
from trioecho.account.spans import Span, merged


def span(start: int, end: int, cause: str) -> Span:
    return Span(start, end, cause, "path", Certainty.INFERRED, 1, 1)


@st.composite
def directions(draw: st.DrawFn) -> deque[Span]:
    """Spans of one direction, in order, with holes."""
    times = sorted(draw(st.sets(st.integers(0, 30), max_size=12)))
    pairs = zip(times[::2], times[1::2], strict=False)
    return deque(span(*pair, draw(st.sampled_from(list(CAUSES)))) for pair in pairs)


def cause_at(time: int, spans: list[Span]) -> str | None:
    found = [one.cause for one in spans if one.start <= time < one.end]
    return min(found, key=RANK.__getitem__, default=None)


@given(directions(), directions(), st.integers(0, 30))
def test_the_first_of_the_table_decides_at_each_moment(
    one: deque[Span], other: deque[Span], until: int
) -> None:
    both = [*one, *other]
    early = merged(one, other, 0, until)
    found = early + merged(one, other, until, 31)
    for time in range(31):
        assert cause_at(time, found) == cause_at(time, both)
    assert all(first.end <= second.start for first, second in pairwise(found))
