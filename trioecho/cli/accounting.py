"""Accounts for several outputs, which show the same rungs."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from trioecho.account import Account, Accounts
from trioecho.model import Call, Rung, Summary
from trioecho.render import Event
from trioecho.render.renderer import Accounted


class Accounting:
    """The accounts of what some outputs show, each in a thread; a rung is looked at once."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._taken = 0
        self._found: list[Account] | None = None
        self._lock = Lock()

    def see(self, before: int, told: Sequence[Rung | Call]) -> None:
        """Take the next rungs and calls of an output.

        Args:
            before: how many it was shown before.
            told: they; those that another output was shown first are passed over.
        """
        with self._lock:
            new = told[max(0, self._taken - before) :]
            for event in new:  # in order: a call is of a connection whose first rung has come
                if isinstance(event, Call):
                    self._accounts.called([event])
                else:
                    self._accounts.see([event])
            self._taken += len(new)

    def end(self) -> list[Account]:
        """Every connection's account; nothing more comes."""
        with self._lock:
            if self._found is None:
                self._found = list(self._accounts.end())
            return self._found


class WithAccounts:
    """A renderer that is told where the time of its connections went."""

    def __init__(self, renderer: Accounted, accounting: Accounting) -> None:
        self._inner, self._accounting = renderer, accounting
        self._shown = 0
        self.begin = renderer.begin

    def show(self, events: Sequence[Event]) -> bytes:
        """Shows events."""
        told = [event for event in events if isinstance(event, Rung | Call)]
        self._accounting.see(self._shown, told)
        self._shown += len(told)
        return self._inner.show(events)

    def end(self, summary: Summary) -> bytes:
        """What the time went to, and what stands at the end."""
        return self._inner.tell(self._accounting.end()) + self._inner.end(summary)
