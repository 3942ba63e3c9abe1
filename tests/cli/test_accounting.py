"""Several outputs show the same rungs, each as fast as it can; the account is made once."""

from __future__ import annotations

from collections.abc import Sequence

from frames import play
from ladders import AT_CLIENT, READ_LATE

from trioecho.account import Account
from trioecho.account.causes import Certainty
from trioecho.cli.accounting import Accounting, WithAccounts
from trioecho.model import Call, CaptureSummary, Summary
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


def test_what_comes_at_once_is_taken_in_order() -> None:
    thinks = """
        +0    > P. 1:11(10) ack 1
        +.12  < P. 1:11(10) ack 11
        +0    > .  11:11(0) ack 11
    """
    *before, answer, last = play(AT_CLIENT + thinks)
    send = Call(answer.time - 10**7, "server", "connection", 3, "send", result=10, connection=1)
    accounting = Accounting()
    accounting.see(0, [*before, send, answer, last])
    (account,) = accounting.end()
    assert account.top is not None
    assert (account.top.cause, account.top.certainty) == ("think-time", Certainty.PROVEN)
