"""A request: who asked what, its answer, and its phases."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from trioecho.account.causes import RANK, Blamed
from trioecho.model import OTHER, End, Endpoint
from trioecho.text import bytes_of


class Moment(Struct, frozen=True, gc=False):
    """A byte's way over the wire, in nanoseconds since the epoch.

    Seen at a tap, both times are those of the tap.

    Args:
        left: when it was sent for the first time.
        came: when it had arrived, with all bytes before it.
        rung: the rung that brought it.
        until: the number of the byte behind those that came with it.
    """

    left: int
    came: int
    rung: int
    until: int = 0

    def later(self, seq: int, time: int) -> Moment:
        """The same, where what begins at a byte came only at a time."""
        return self if self.until <= seq or self.came >= time else replace(self, came=time)

    def sooner(self, seq: int, end: int, time: int) -> Moment:
        """The same, where the bytes between two came, again, at an earlier time."""
        return replace(self, came=time) if seq < self.until <= end and time < self.came else self


class Opening(Struct):
    """What came before a connection's first request, in nanoseconds since the epoch.

    Args:
        asked: when the name was asked for; None where that was not seen.
        named: when its address came.
        began: when the first SYN was sent.
        connected: when the SYN-ACK came.
        secured: when the TLS handshake was over for the client.
        secured_by: whose last message that was: sent by the client, or come from the server.
    """

    asked: int | None = None
    named: int | None = None
    began: int | None = None
    connected: int | None = None
    secured: int | None = None
    secured_by: End = "client"


class Request(Struct):
    """One request and its answer. All durations are in nanoseconds, None where they are not known.

    Args:
        number: its place among all requests, from 1, in the order in which they began.
        connection: the number of its connection; None for a question by UDP.
        client, server: the two endpoints.
        protocol: ``HTTP/1.1``, ``HTTP/2``, ``TLS``, ``DNS``, or ``""`` for a turn of another talk.
        asker: the end that spoke first.
        what: what was asked: ``GET /a``; of a turn how much was said.
        host: the server's name as the client gave it.
        status: what was answered: ``200``.
        sent, received: bytes that its asker sent, and that came back.
        stream: HTTP/2's number of the stream.
        tls: the version of TLS, ``1.3``; ``""`` in the clear.
        alpn: the protocols that the client offered in it.
        first, last: when the first and the last byte of the question went over.
        answered, ended: the same of the answer.
        before: when the last byte of the answer before it left, which it had to wait for.
        opening: what came before it, if it is its connection's first.
        whole: whether the answer came to its end.
        cut: when a reset came before that; None for none.
        away: to each end and back, as far as the tap knew it, halved.
        costs: how long each cause of the account held while it lasted.
    """

    number: int
    connection: int | None
    client: Endpoint
    server: Endpoint
    protocol: str
    first: Moment
    last: Moment
    asker: End = "client"
    what: str = ""
    host: str = ""
    status: str = ""
    sent: int = 0
    received: int = 0
    stream: int | None = None
    tls: str = ""
    alpn: tuple[str, ...] = ()
    answered: Moment | None = None
    ended: Moment | None = None
    before: int | None = None
    opening: Opening | None = None
    whole: bool = False
    cut: int | None = None
    away: tuple[int, int] = (0, 0)
    costs: dict[tuple[str, Blamed], int] = {}

    @property
    def said(self) -> str:
        """What was asked, in words."""
        return self.what or f"{self.asker}: {bytes_of(self.sent)}"

    def delay(self, end: End, seq: int, time: int) -> None:
        """Take that what an end sent from a byte on was lost behind the tap, and sent again."""
        if end == self.asker:
            self.last = self.last.later(seq, time)
            return
        self.answered = self.answered and self.answered.later(seq, time)
        self.ended = self.ended and self.ended.later(seq, time)

    def hasten(self, end: End, seq: int, until: int, time: int) -> None:
        """Take that bytes of an end came when it had sent them again, and the first later."""
        if end == self.asker:
            self.last = self.last.sooner(seq, until, time)
            return
        self.answered = self.answered and self.answered.sooner(seq, until, time)
        self.ended = self.ended and self.ended.sooner(seq, until, time)

    @property
    def seen(self) -> tuple[int, int]:
        """From when to when it was seen at the tap, as the account's intervals are."""
        began = None if self.opening is None else self.opening.began
        secured = None if self.opening is None else self.opening.secured
        last = self.last.came if self.ended is None else self.ended.came
        start = self.first.left if began is None else began
        return start, max(start, last, secured or 0, self.cut or 0)

    @property
    def owed(self) -> tuple[int, int]:
        """From when to when the answer was due, as seen at the tap."""
        start, end = self.seen
        return max(start, self.last.came), end if self.answered is None else self.answered.left

    # ---- times at the ends -----------------------------------------------------------------------

    @property
    def _near(self) -> int:
        """From the tap to the asker."""
        return self.away[self.asker == "server"]

    @property
    def _far(self) -> int:
        """From the tap to the end that answers."""
        return self.away[OTHER[self.asker] == "server"]

    @property
    def start(self) -> int:
        """When the first byte of the question left."""
        return self.first.left - self._near

    @property
    def begin(self) -> int:
        """When all of it began: with the question for the name, the SYN, or its first byte."""
        opening = self.opening
        if opening is None or opening.began is None:
            return self.start
        return opening.asked if opening.asked is not None else opening.began - self._near

    @property
    def end(self) -> int:
        """When the last byte that was seen of it came, or a reset."""
        end = self._reached if self.ended is None else self.ended.came + self._near
        end = max(end, self.cut or 0)
        return end if self._secured is None else max(end, self._secured)

    @property
    def _secured(self) -> int | None:
        """When the TLS handshake was over, at the client."""
        opening = self.opening
        if opening is None or opening.secured is None:
            return None
        return opening.secured + (-1 if opening.secured_by == "client" else 1) * self.away[0]

    @property
    def _reached(self) -> int:
        return self.last.came + self._far

    # ---- phases ----------------------------------------------------------------------------------

    @property
    def lookup(self) -> int | None:
        """From the question for the server's name to its answer."""
        opening = self.opening
        if opening is None or opening.asked is None or opening.named is None:
            return None
        return opening.named - opening.asked

    @property
    def connect(self) -> int | None:
        """From the first SYN to the SYN-ACK, at the client."""
        opening = self.opening
        if opening is None or opening.began is None or opening.connected is None:
            return None
        return opening.connected - opening.began + 2 * self.away[0]

    @property
    def handshake(self) -> int | None:
        """From there to the end of the TLS handshake, at the client."""
        if self.opening is None or self._secured is None:
            return None
        connected = self.opening.connected
        since = self.start if connected is None else connected + self.away[0]
        return max(0, self._secured - since)

    @property
    def queue(self) -> int | None:
        """How long it had to wait, once it had arrived, for the answer before it."""
        if self.before is None:
            return 0
        return max(0, self.before - self._far - self._reached)

    @property
    def thought(self) -> int | None:
        """From there to the first byte of the answer, at the end that answers."""
        if self.answered is None:
            return None
        ready = self._reached
        if self.before is not None:
            ready = max(ready, self.before - self._far)
        return max(0, self.answered.left - self._far - ready)

    @property
    def after(self) -> int | None:
        """From its last byte to the first byte of the answer, at the asker."""
        if self.answered is None:
            return None
        return max(0, self.answered.came - self.last.left + 2 * self._near)

    @property
    def path(self) -> int | None:
        """How much of that was neither the queue nor the end that answers."""
        if self.after is None:
            return None
        return max(0, self.after - (self.queue or 0) - (self.thought or 0))

    @property
    def transfer(self) -> int | None:
        """From the first byte of the answer to its last, at the asker."""
        if self.answered is None or self.ended is None:
            return None
        return max(0, self.ended.came - self.answered.came)

    @property
    def total(self) -> int | None:
        """From its beginning to the last byte of the answer; None while that has not come."""
        return max(0, self.end - self.begin) if self.whole else None

    @property
    def phases(self) -> dict[str, int | None]:
        """When each phase was over, since its beginning, by the names that ``curl -w`` has."""
        begin, opening = self.begin, self.opening
        name = connect = secure = 0
        if opening is not None and opening.began is not None:
            name = self.lookup or 0
            if opening.connected is not None:
                connect = max(0, opening.connected + self.away[0] - begin)
            if self._secured is not None:
                secure = max(0, self._secured - begin)
        first = None if self.answered is None else self.answered.came + self._near - begin
        return {
            "time_namelookup": name,
            "time_connect": connect,
            "time_appconnect": secure,
            "time_pretransfer": max(0, self.start - begin),
            "time_starttransfer": first,
            "time_total": self.total,
        }

    @property
    def causes(self) -> list[tuple[str, Blamed, int]]:
        """What fell into it: each cause with its end and its time, those that took most first."""
        found = ((cause, end, time) for (cause, end), time in self.costs.items())
        return sorted(found, key=lambda one: (-one[2], RANK[one[0]], one[1]))

    @property
    def rungs(self) -> tuple[int, int]:
        """Between which rungs it lies."""
        return self.first.rung, max(self.last.rung, self.ended.rung if self.ended else 0)
