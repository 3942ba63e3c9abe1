"""Notes of a transfer become the columns that they would have been at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioecho.account import notes, transfer
from trioecho.account.notes import Notes
from trioecho.account.transfer import Transfer

FULL = 10
#: So few are remembered here, so that some are forgotten.
KEPT = 4


class AtOnce(Notes):
    """Writes all that is sent when it is sent."""

    __slots__ = ()

    def sent(self, time: int, first: int, end: int, full: int) -> None:
        self.again(time, first, end, full, lost=None)


# A segment of a length, now and then behind a gap; an ACK of a part, with what SACK tells; a part
# that is sent again; and one that is said to have arrived twice.
SENT = st.tuples(st.just("sent"), st.sampled_from([0, 0, 0, 7]), st.integers(1, 3 * FULL))
ACKED = st.tuples(st.just("acked"), st.sampled_from([0.0, 0.5, 0.9, 1.0]), st.none())
SACK = st.tuples(st.just("acked"), st.floats(0, 1), st.floats(0, 1))
AGAIN = st.tuples(st.just("again"), st.floats(0, 1), st.integers(1, 2 * FULL))
TWICE = st.tuples(st.just("needless"), st.floats(0, 1), st.integers(1, 2 * FULL))
GOES_WELL = st.lists(st.one_of(SENT, SENT, ACKED), max_size=40)
STEPS = st.builds(
    lambda *parts: [step for part in parts for step in part],
    GOES_WELL,
    st.lists(st.one_of(SENT, ACKED, SACK, AGAIN, TWICE), max_size=20),
    GOES_WELL,
)


def play(made: Notes, steps: list[tuple[str, float, float | None]]) -> Notes:
    for time, (what, one, other) in enumerate(steps, 1):
        place = int(one * made.end)
        if what == "sent":
            first = made.end + int(one)
            made.sent(time, first, first + int(other or 1), FULL)
        elif what == "acked":
            made.heard(time, place, None if other is None else int(other * made.end))
        elif what == "again" and place < made.end:
            made.again(time, place, place + int(other or 1), FULL, lost=None)
        elif what == "needless":
            made.needless(place, place + int(other or 1))
    return made


def columns(made: Transfer) -> dict[str, list[int]]:
    return {name: list(getattr(made, name)) for name in ("times", "sizes", "lost", "trips")}


@given(STEPS)
def test_as_if_written_at_once(steps: list[tuple[str, float, float | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "KEPT", KEPT)
        patch.setattr(notes, "KEPT", KEPT)
        late, soon = play(Notes(), steps), play(AtOnce(), steps)
        state = [(one.count, one.end, one.acked, one.moved) for one in (late, soon)]
        assert state[0] == state[1]
        assert columns(late.write()) == columns(soon.write())


def test_a_file_whose_times_lie_centuries_apart() -> None:
    made = Notes()
    made.sent(-(1 << 63), 0, FULL, FULL)
    made.heard((1 << 63) - 1, FULL, None)
    assert list(made.write().trips) == [0]
    for time in (-(1 << 64), 1 << 64):
        made.heard(time, 0, FULL)
    made.write()


def test_nothing_is_written_while_nothing_is_lost() -> None:
    made = Notes()
    for time in range(3 * transfer.KEPT):
        made.sent(time, time * FULL, (time + 1) * FULL, FULL)
        made.heard(time, (time + 1) * FULL, None)
    assert made.transfer is None
    assert made.count < 2 * transfer.KEPT


def test_sack_blocks_without_an_end_are_written_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST", 10)
    made = Notes()
    made.sent(1, 0, FULL, FULL)
    for time in range(100):
        made.heard(time, 0, FULL)
    assert len(made._notes) <= 10 * 4


def test_acks_of_what_is_not_captured_are_written_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST", 10)
    made = Notes()
    for time in range(100):
        made.heard(time, time * FULL, None)
    assert len(made._notes) <= 10 * 4
