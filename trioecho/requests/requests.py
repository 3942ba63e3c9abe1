"""The requests of all connections, each with the causes of the account that fell into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from trioecho.account.spans import Span
from trioecho.model import Datagram, Rung
from trioecho.requests.finder import Finder
from trioecho.requests.protocol import Change
from trioecho.requests.request import Request
from trioecho.requests.shares import Shares


class Requests:
    """Finds requests in the rungs of many connections.

    Args:
        on_request: given each request once, when all of it is known.
    """

    def __init__(self, on_request: Callable[[Request], None]) -> None:
        self._on_request = on_request
        self._finder = Finder(self._changed, on_request)
        self._shares: dict[int, Shares] = {}

    def see(self, rungs: Sequence[Rung]) -> None:
        """Take the next rungs."""
        for rung in rungs:
            self._finder.see(rung)

    def hear(self, datagram: Datagram) -> None:
        """Take a UDP datagram; those of one batch of frames come before its rungs."""
        self._finder.hear(datagram)

    def take(self, connection: int, span: Span) -> None:
        """Take an interval of a connection's account."""
        shares, over = self._shares.get(connection), connection in self._finder.over
        if shares is None:
            if over:
                return
            shares = self._shares[connection] = Shares()
        for request in shares.take(span):
            self._on_request(request)
        if over and not shares.waiting:
            del self._shares[connection]

    def stop(self) -> None:
        """No more rungs come: what is open ends as it is. The accounts may be closed then."""
        self._finder.stop()

    def end(self) -> None:
        """Nothing more comes, and the accounts are closed."""
        for connection in sorted(self._shares):
            for request in self._shares.pop(connection).rest():
                self._on_request(request)

    def advice(self, *, names: bool = True) -> Iterator[str]:
        """A sentence for each protocol that was seen and cannot be read; see ``Finder``."""
        return self._finder.advice(names=names)

    def _changed(self, change: Change, request: Request) -> None:
        assert request.connection is not None
        if change == "begin":
            shares = self._shares.setdefault(request.connection, Shares())
            shares.begin(request)
        elif change == "done":
            for one in self._shares[request.connection].end(request):
                self._on_request(one)
