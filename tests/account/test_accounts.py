"""Accounts of any talk: whatever comes, the time is all there, and the headline is part of it."""

from __future__ import annotations

from frames import play
from hypothesis import given, settings
from hypothesis import strategies as st
from ladders import OPEN, READ_LATE

from trioecho.account import Account, Accounts
from trioecho.text import seconds

#: A segment: by whom, after how many microseconds, where in what its sender says, how much of it,
#: up to where it acknowledges, and its window.
SEGMENTS = st.tuples(
    st.sampled_from("><"),
    st.integers(0, 3_000_000),
    st.integers(1, 500),
    st.sampled_from((0, 0, 1, 100, 1000)),
    st.integers(1, 800),
    st.sampled_from((0, 50, 1000)),
    st.sampled_from((".", ".", ".", "P.", "F.", "R.")),
)


def ladder_of(segments: list[tuple[str, int, int, int, int, int, str]]) -> str:
    lines = [
        f"+{after / 1e6:.6f} {sender} {flags} {seq}:{seq + length}({length}) ack {ack} win {window}"
        for sender, after, seq, length, ack, window, flags in segments
    ]
    return "\n".join((OPEN, *lines))


def accounts_of(ladder: str, *, looking: bool = False) -> list[Account]:
    accounts = Accounts()
    for rung in play(ladder):
        accounts.see([rung])
        if looking:
            accounts.so_far(1)
    return list(accounts.end())


@given(st.lists(SEGMENTS, max_size=40))
@settings(deadline=None)
def test_all_time_has_a_cause_and_the_headline_is_part_of_it(
    segments: list[tuple[str, int, int, int, int, int, str]],
) -> None:
    ladder = ladder_of(segments)
    rungs = len(play(ladder))
    for account in accounts_of(ladder):
        assert sum(cost.time for cost in account.costs) == account.duration
        if not account.costs:
            assert account.duration == 0
            continue
        for cost in account.costs:
            assert 0 < cost.time <= account.duration
            assert all(1 <= first <= last <= rungs for first, last in cost.rungs)
        top = account.top or account.costs[0]
        took = f"{seconds(top.time)} of {seconds(account.duration)}: "
        assert account.headline.removeprefix("nothing stands out; ").startswith(took)


@given(st.lists(SEGMENTS, max_size=20))
@settings(deadline=None)
def test_to_look_at_what_is_settled_changes_nothing(
    segments: list[tuple[str, int, int, int, int, int, str]],
) -> None:
    ladder = ladder_of(segments)
    assert accounts_of(ladder, looking=True) == accounts_of(ladder)


def test_what_is_settled_grows_up_to_the_whole() -> None:
    accounts, before = Accounts(), -1
    for rung in play(READ_LATE):
        accounts.see([rung])
        account = accounts.so_far(1)
        assert account is not None
        assert sum(cost.time for cost in account.costs) == account.duration >= before
        before = account.duration
    assert accounts.so_far(2) is None
    (whole,) = accounts.end()
    assert before <= whole.duration


def test_one_that_is_forgotten_has_none() -> None:
    accounts = Accounts()
    accounts.see(play(READ_LATE))
    accounts.forget([1, 7])
    assert list(accounts.end()) == []
