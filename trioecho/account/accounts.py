"""Accounts of all connections, of their rungs in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trioecho.account.account import Account
from trioecho.account.ledger import Ledger, OnSpan
from trioecho.model import Call, Rung


class Accounts:
    """Takes the rungs of many connections, and gives an account of each.

    Args:
        on_span: told of each interval: its connection's number, and the interval. Those of one
            connection come in order and don't overlap.
    """

    def __init__(self, on_span: OnSpan | None = None) -> None:
        self._on_span = on_span
        self._ledgers: dict[int, Ledger] = {}

    def see(self, rungs: Sequence[Rung]) -> None:
        """Take the next rungs."""
        ledgers = self._ledgers
        for rung in rungs:
            one = ledgers.get(rung.connection)
            if one is None:
                one = ledgers[rung.connection] = Ledger(rung, self._on_span)
            one.see(rung)

    def called(self, calls: Sequence[Call]) -> None:
        """Take what programs called until the next rungs."""
        for call in calls:
            one = self._ledgers.get(call.connection or 0)
            if one is not None:
                one.called(call)

    def so_far(self, number: int) -> Account | None:
        """What is settled by now of a connection's account; what it waits for now is not.

        Args:
            number: the connection's.
        """
        ledger = self._ledgers.get(number)
        return None if ledger is None else ledger.so_far()

    def forget(self, numbers: Iterable[int]) -> None:
        """Let go of connections, whose accounts nobody will ask for.

        Args:
            numbers: theirs.
        """
        for number in numbers:
            self._ledgers.pop(number, None)

    def end(self) -> Iterator[Account]:
        """Every connection's account, in their order; nothing more comes."""
        for number in sorted(self._ledgers):
            yield self._ledgers.pop(number).account()
