"""The turns inside TLS, of which only the lengths and the times of records are to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trioecho.model import End
from trioecho.requests.protocol import Log
from trioecho.requests.request import Moment, Request
from trioecho.requests.turns import Turns

#: In TLS 1.3 an alert looks like data: two bytes, its type, and a tag of 16 (RFC 8446 §5.2).
_ENCRYPTED_ALERT = 2 + 1 + 16
#: Session tickets leave a server so soon behind the handshake, in nanoseconds, and so do those
#: after the first; there are no more of them, and they are of one size, but for a few bytes.
AT_ONCE, MOST_TICKETS, ALIKE = 2_000_000, 4, 4


class Record(NamedTuple):
    """A record that is whole (RFC 8446 §5.1).

    Args:
        kind: its content type.
        size: bytes of what is in it.
        data: the same, where it may be read.
        first, last: when its first and its last byte went over.
    """

    kind: int
    size: int
    data: bytes
    first: Moment
    last: Moment


class Hidden:
    """Puts the records behind a handshake together to turns.

    Up to TLS 1.2 all of them are data. In 1.3 alerts and session tickets look alike. A record as
    long as an alert is one, unless another follows. What a server sends before the client's first
    question is a ticket (RFC 8446 §4.6.1). So is what it sends at once, if there is more to come
    after a pause, and then what is as long.

    Args:
        log: told of each turn.
        shake: the handshake.
        secured: its end.
    """

    def __init__(self, log: Log, shake: Request, secured: Moment) -> None:
        self._log, self._shake, self._secured = log, shake, secured
        self._newest = shake.tls == "1.3"
        self._alert: tuple[End, Record] | None = None
        # What may be tickets, and what is taken for them; only until the client asks again.
        self._doubted: list[Record] = []
        self._tickets: list[Record] = []
        self._asked = False
        self._settled = not self._newest
        self._turns = Turns(log, "TLS")

    def say(self, end: End, record: Record) -> None:
        """An end sends a record of data."""
        if self._alert is not None:
            alert, self._alert = self._alert, None
            self._take(*alert)
        if self._newest and record.size == _ENCRYPTED_ALERT:
            self._alert = end, record
        else:
            self._take(end, record)

    def stop(self) -> None:
        """The last turn is over."""
        self._settle()
        self._turns.stop()

    def _take(self, end: End, record: Record) -> None:
        if end == "client":
            if self._asked:
                self._settle()
            self._asked = True
            self._count(end, record)
        elif self._settled:
            self._count(end, record)
        elif self._asked:
            self._doubt(record)

    def _doubt(self, record: Record) -> None:
        """A server's record that may be a ticket."""
        at_once = self._at_once(record)
        if self._doubted and not at_once:
            self._tickets, self._doubted = [*self._tickets, *self._doubted], []
        self._doubted.append(record)
        known = [*self._tickets, *self._doubted]
        if not _alike(known) or not (at_once or self._tickets):
            self._settle()

    def _at_once(self, record: Record) -> bool:
        """Whether a server's record left as soon as tickets do."""
        if self._tickets:
            return False
        if self._doubted:
            return record.first.left - self._doubted[-1].last.left <= AT_ONCE
        return self._log.waited("server", self._secured, record.first) <= AT_ONCE

    def _settle(self) -> None:
        """What is in doubt is the answer, and nothing else will be a ticket."""
        self._settled = True
        doubted, self._doubted = self._doubted, []
        for record in doubted:
            self._count("server", record)

    def _count(self, end: End, record: Record) -> None:
        # Nothing of a record can be read before all of it has come.
        first = replace(record.last, left=record.first.left)
        turn, shake = self._turns.say(end, record.size, first, record.last), self._shake
        turn.host, turn.tls, turn.alpn = shake.host, shake.tls, shake.alpn


def _alike(records: Sequence[Record]) -> bool:
    sizes = [record.size for record in records]
    return len(sizes) <= MOST_TICKETS and max(sizes) - min(sizes) <= ALIKE
