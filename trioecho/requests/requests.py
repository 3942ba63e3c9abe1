"""The requests of all connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

from trioecho.account.spans import Span
from trioecho.model import Datagram, Rung
from trioecho.requests.conversation import Conversation
from trioecho.requests.dns import PORT, Names
from trioecho.requests.protocol import Missing
from trioecho.requests.request import Opening, Request
from trioecho.requests.shares import Shares

MISSING = (
    "there is {}, and the package that reads it is not installed: pip install 'trioecho[requests]'"
)


class Requests:
    """Finds requests in the rungs of many connections.

    Args:
        on_request: given each request once, when all of it is known.

    Attributes:
        missing: protocols that were seen, and whose packages are not installed.
    """

    def __init__(self, on_request: Callable[[Request], None]) -> None:
        self.missing: set[str] = set()
        self._on_request = on_request
        self._numbers = count(1)
        self._conversations: dict[int, Conversation] = {}
        self._shares: dict[int, Shares] = {}
        self._over: set[int] = set()
        self._names: Names | None = None

    def see(self, rungs: Sequence[Rung]) -> None:
        """Take the next rungs."""
        for rung in rungs:
            number = rung.connection
            one = self._conversations.get(number)
            if one is None:
                if number in self._over:
                    continue
                one = self._conversations[number] = self._meet(rung)
            one.see(rung)
            if one.over:
                self._over.add(number)
                del self._conversations[number]

    def hear(self, datagram: Datagram) -> None:
        """Take a UDP datagram; those of one batch of frames come before its rungs."""
        if PORT not in (datagram.source.port, datagram.destination.port):
            return
        if self._names is None:
            try:
                self._names = Names(self._numbers.__next__)
            except Missing as missing:
                self.missing.add(str(missing))
                return
        for request in self._names.take(datagram):
            self._on_request(request)

    def take(self, connection: int, span: Span) -> None:
        """Take an interval of a connection's account."""
        shares = self._shares.get(connection)
        if shares is None:
            if connection in self._over:
                return
            shares = self._shares[connection] = Shares()
        for request in shares.take(span):
            self._on_request(request)
        if not shares.waiting and connection in self._over:
            del self._shares[connection]

    def advice(self) -> Iterator[str]:
        """A sentence for each protocol that was seen and cannot be read."""
        for protocol in sorted(self.missing):
            yield MISSING.format(protocol)

    def end(self) -> None:
        """Nothing more comes, and the accounts are closed."""
        self.stop()
        for connection in sorted(self._shares):
            for request in self._shares.pop(connection).rest():
                self._on_request(request)
        for request in self._names.rest() if self._names is not None else ():
            self._on_request(request)

    def stop(self) -> None:
        """No more rungs come: what is open ends as it is."""
        for connection in sorted(self._conversations):
            self._conversations[connection].stop()

    def _meet(self, rung: Rung) -> Conversation:
        ends = rung.segment.source.ip, rung.segment.destination.ip
        client, server = ends if rung.sender == "client" else reversed(ends)
        opening = Opening()
        if self._names is not None:
            opening = self._names.opening(client, server, rung.time)
        return Conversation(rung, opening, self._numbers.__next__, self._changed, self.missing.add)

    def _changed(self, what: str, request: Request) -> None:
        assert request.connection is not None
        if what == "begin":
            shares = self._shares.setdefault(request.connection, Shares())
            shares.begin(request)
        elif what == "done":
            for one in self._shares[request.connection].end(request):
                self._on_request(one)
