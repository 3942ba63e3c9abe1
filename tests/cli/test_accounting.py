"""Several outputs show the same rungs, each as fast as it can; the account is made once."""

from __future__ import annotations

from collections.abc import Sequence

from frames import play
from ladders import READ_LATE

from trioecho.account import Account
from trioecho.cli.accounting import Accounting, WithAccounts
from trioecho.model import CaptureSummary, Summary
from trioecho.render import Event

SUMMARY = Summary((), CaptureSummary("it", 9, 0))


class Told:
    """A renderer that keeps what it is told."""

    def __init__(self) -> None:
        self.accounts: list[Account] = []

    def begin(self) -> bytes:
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        return b""

    def tell(self, accounts: Sequence[Account]) -> bytes:
        self.accounts += accounts
        return b""

    def end(self, summary: Summary) -> bytes:
        return b""


def test_a_rung_counts_once_whichever_output_is_ahead() -> None:
    rungs: list[Event] = list(play(READ_LATE))
    alone = Told()
    first = WithAccounts(alone, Accounting())
    first.show(rungs)
    first.end(SUMMARY)
    shared, one, other = Accounting(), Told(), Told()
    ahead, behind = WithAccounts(one, shared), WithAccounts(other, shared)
    ahead.show(rungs[:3])
    behind.show(rungs[:5])
    ahead.show(rungs[3:])
    behind.show(rungs[5:])
    behind.end(SUMMARY)
    ahead.end(SUMMARY)
    assert one.accounts == other.accounts == alone.accounts
    assert len(alone.accounts) == 1
