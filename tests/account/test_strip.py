"""Which cause had which time: any number of intervals in a bounded number of cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trioecho.account.causes import Certainty
from trioecho.account.spans import Span
from trioecho.account.strip import MOST, Strip, Strips

MS = 1_000_000
START = 1_700_000_000 * 10**9


def strip_of(*spans: tuple[str, int]) -> Strip:
    """A strip of intervals, one after the other: each a cause and its nanoseconds."""
    strip, time = Strip(), START
    for cause, took in spans:
        strip.take(Span(time, time + took, cause, "path", Certainty.INFERRED, 1, 1))
        time += took
    return strip


def letters(strip: Strip, count: int, duration: int) -> str:
    return "".join(held[0] if held else "." for held in strip.columns(count, duration))


def test_a_column_has_the_cause_that_had_most_of_it() -> None:
    strip = strip_of(("a", 20 * MS), ("b", 50 * MS), ("c", 30 * MS))
    assert letters(strip, 10, 100 * MS) == "aabbbbbccc"
    assert letters(strip, 4, 100 * MS) == "abbc"
    assert letters(strip, 1, 100 * MS) == "b"


def test_what_is_shorter_than_a_cell_is_in_it() -> None:
    assert letters(strip_of(("a", 300), ("b", 500), ("c", 200)), 1, 1_000) == "b"
    assert letters(strip_of(("a", 1)), 5, 1) == "aaaaa"


def test_what_nothing_is_known_of_is_empty() -> None:
    strip = strip_of(("a", 20 * MS))
    strip.take(Span(START + 80 * MS, START + 100 * MS, "b", "path", Certainty.INFERRED, 1, 1))
    assert letters(strip, 5, 100 * MS) == "a...b"
    assert letters(Strip(), 3, 0) == "..."


def test_a_last_moment_too_short_for_a_number() -> None:
    decades = 1000 * 2**50
    assert letters(strip_of(("a", decades), ("b", 1)), 4, 2 * decades) == "aa.."


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 10**12)), min_size=1, max_size=300),
    st.integers(1, 200),
)
def test_no_time_is_lost_and_the_cells_are_bounded(
    spans: list[tuple[str, int]], count: int
) -> None:
    strip = strip_of(*spans)
    assert len(strip._cells) <= MOST
    for cause in "abc":
        spent = sum(cell.get((cause, "path"), 0) for cell in strip._cells)
        assert spent == sum(took for one, took in spans if one == cause)
    duration = sum(took for _, took in spans)
    columns = strip.columns(count, duration)
    assert len(columns) == count
    assert {held[0] for held in columns if held} <= {one for one, _ in spans}
    longest, took = max(spans, key=lambda one: one[1])
    if took * count > 3 * duration > 12_000 * count:  # it has a column of its own
        assert longest in letters(strip, count, duration)


def test_a_few_have_strips_and_more_have_none() -> None:
    strips = Strips(2)
    span = Span(START, START + MS, "a", "path", Certainty.INFERRED, 1, 1)
    for number in (1, 2, 1):
        strips.take(number, span)
    assert sorted(strips.of) == [1, 2]
    for number in (3, 1, 2):
        strips.take(number, span)
    assert not strips.of
