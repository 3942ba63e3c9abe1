"""Finds requests in the rungs of many connections, and the questions for names before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from trioecho.model import Datagram, Rung
from trioecho.requests.conversation import Conversation
from trioecho.requests.dns import PORT, Names
from trioecho.requests.protocol import Change, Missing
from trioecho.requests.request import Opening, Request

#: What reads a protocol; an install of trioecho has all of them as its extra "requests".
PACKAGES = {"HTTP/1": "h11", "HTTP/2": "hpack hyperframe", "DNS": "dnslib"}
MISSING = "there is {}, and what reads it is not installed: pip install {}"


class Finder:
    """Finds requests.

    Args:
        changed: told of each change of a request on a connection.
        named: given each question by UDP once it is answered, or will not be.

    Attributes:
        missing: protocols that connections speak, and whose packages are not installed.
        over: the connections that have ended.
    """

    def __init__(
        self, changed: Callable[[Change, Request], None], named: Callable[[Request], None]
    ) -> None:
        self.missing: set[str] = set()
        self._deaf = False  # to questions for names, which no package reads
        self.over: set[int] = set()
        self._changed, self._named = changed, named
        self._numbers = count(1)
        self._conversations: dict[int, Conversation] = {}
        self._names: Names | None = None

    def see(self, rung: Rung) -> None:
        """Take the next rung."""
        number = rung.connection
        one = self._conversations.get(number)
        if one is None:
            if number in self.over:
                return
            one = self._conversations[number] = self._meet(rung)
        one.see(rung)
        if one.over:
            self.over.add(number)
            del self._conversations[number]

    def hear(self, datagram: Datagram) -> None:
        """Take a UDP datagram; those of one batch of frames come before its rungs."""
        if self._deaf or PORT not in (datagram.source.port, datagram.destination.port):
            return
        if self._names is None:
            try:
                self._names = Names(self._numbers.__next__)
            except Missing:
                self._deaf = True
                return
        for request in self._names.take(datagram):
            self._named(request)

    def stop(self) -> None:
        """Nothing more comes: what is open ends as it is."""
        for number in sorted(self._conversations):
            self._conversations[number].stop()
            self.over.add(number)
        self._conversations.clear()
        for request in self._names.rest() if self._names is not None else ():
            self._named(request)

    def advice(self, *, names: bool = True) -> Iterator[str]:
        """A sentence for each protocol that was seen and cannot be read.

        Args:
            names: whether questions for names by UDP count, which belong to no connection.
        """
        for protocol in sorted(self.missing | ({"DNS"} if names and self._deaf else set())):
            yield MISSING.format(protocol, PACKAGES[protocol])

    def _meet(self, rung: Rung) -> Conversation:
        ends = rung.segment.source.ip, rung.segment.destination.ip
        client, server = ends if rung.sender == "client" else reversed(ends)
        opening = Opening()
        if self._names is not None:
            opening = self._names.opening(client, server, rung.time)
        number = self._numbers.__next__
        return Conversation(rung, opening, number, self._changed, self.missing.add)
