"""What the account passes over changes nothing, in any order of segments."""

# covers: account/window

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from frames import play
from hypothesis import given
from hypothesis import strategies as st
from ladders import AT_CLIENT, READ_LATE, STATES, VERDICTS
from transfers import chance, ladder, queue

from trioecho.account import Account, Accounts
from trioecho.account.direction import Direction
from trioecho.account.ledger import MOST_PLACES, _length, _shorten
from trioecho.account.notes import Notes
from trioecho.account.spans import Span
from trioecho.model import Rung

# An end that waits for nothing hears that its peer's window is smaller.
SMALLER = (
    AT_CLIENT
    + """
    +0    > .  1:101(100) ack 1
    +.02  < .  1:1(0) ack 101
    +.1   < P. 1:11(10) ack 101 win 150
    +.01  > .  101:201(100) ack 11
    +.02  < .  11:11(0) ack 201 win 150
    """
)
LADDERS = [
    SMALLER,
    *STATES.values(),
    *VERDICTS.values(),
    READ_LATE,
    ladder(chance(0.1, 1), 3),
    ladder(queue(50_000, 5), 3),
]


@contextmanager
def _every_step() -> Iterator[None]:
    """Without what passes over a segment that brings nothing, or writes later what it sends."""

    def at_once(self: Notes, time: int, first: int, end: int, full: int) -> None:
        self.again(time, first, end, full, lost=None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Direction, "knows", lambda self, rung: False)
        patch.setattr(Notes, "sent", at_once)
        yield


def told(rungs: list[Rung]) -> tuple[list[tuple[int, Span]], list[Account]]:
    spans: list[tuple[int, Span]] = []
    accounts = Accounts(on_span=lambda *one: spans.append(one))
    accounts.see(rungs)
    return spans, list(accounts.end())


@given(
    st.sampled_from(LADDERS),
    st.lists(st.tuples(st.sampled_from(["lose", "twice", "later"]), st.floats(0, 1)), max_size=5),
)
def test_the_same_is_told_step_by_step(text: str, changes: list[tuple[str, float]]) -> None:
    lines = text.strip().splitlines()
    for what, where in changes:
        at = int(where * (len(lines) - 1))
        if what == "lose" and len(lines) > 1:
            del lines[at]
        elif what == "twice":
            lines.insert(at, lines[at])
        else:
            lines.append(lines.pop(at))
    rungs = play("\n".join(lines))
    soon = told(rungs)
    with _every_step():
        assert told(rungs) == soon


@given(st.lists(st.integers(0, 5), max_size=5 * MOST_PLACES))
def test_the_longest_places_are_kept(lengths: list[int]) -> None:
    """However often they are shortened: as if the shortest went whenever there is one too many."""
    often: list[tuple[int, int]] = []
    seldom: list[tuple[int, int]] = []
    for start, length in enumerate(lengths):
        place = (10 * start, 10 * start + length)
        often.append(place)
        seldom.append(place)
        if len(often) > MOST_PLACES:
            often.remove(min(often[:-1], key=_length))
        if len(seldom) > 3 * MOST_PLACES:
            _shorten(seldom)
    _shorten(seldom)
    assert seldom == often
