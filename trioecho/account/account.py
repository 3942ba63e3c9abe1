"""The account of each connection: its time by cause, put together from its two directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Literal

from msgspec import Struct

from trioecho.account.away import Away
from trioecho.account.causes import CAUSES, RANK, Blamed, Certainty
from trioecho.account.direction import Direction, closes
from trioecho.account.spans import Span, merged
from trioecho.model import OTHER, RST, End, Endpoint, Fact, Rung
from trioecho.text import seconds

Tap = Literal["client", "server", "middle", "wire"]
OnSpan = Callable[[int, Span], None]

#: Places of a cause that are named; of more, the longest.
MOST_PLACES = 20
#: A tap is at an end that answers within this part of the whole round trip.
_AT_AN_END = 0.1
#: Causes that every connection has, and that nobody need mend.
ORDINARY = frozenset(("closing", "idle", "setup", "round-trip"))
_PROBES = frozenset(("zero-window-probe", "keep-alive"))


class Cost(Struct):
    """The time that one cause took.

    Args:
        cause: its name in the table of causes.
        end: ``client``, ``server`` or ``path``: where it lies.
        time: nanoseconds.
        certainty: how it is known; where it is not always known in the same way, the weaker one.
        rungs: between which rungs it lies, the longest first.
    """

    cause: str
    end: Blamed
    time: int
    certainty: Certainty
    rungs: list[tuple[int, int]]

    @property
    def text(self) -> str:
        """What happened, in words."""
        return CAUSES[self.cause].text.format(end=self.end)


class Account(Struct):
    """Where the time of a connection went.

    Args:
        connection: its number, from 1.
        client, server: its endpoints.
        start, end: when its first and its last segment were seen, nanoseconds since the epoch.
        tap: where it was captured, as far as that can be told.
        costs: its causes, the one that took most time first; their times add up to the duration.
    """

    connection: int
    client: Endpoint
    server: Endpoint
    start: int
    end: int
    tap: Tap
    costs: list[Cost]

    @property
    def top(self) -> Cost | None:
        """What took most of its time, closing and silence aside unless there was nothing else."""
        return next((cost for cost in self.costs if cost.cause not in ORDINARY), None) or next(
            iter(self.costs), None
        )

    @property
    def headline(self) -> str:
        """Where most of the time went, in a sentence without a full stop."""
        top = self.top
        if top is None:
            return "there is only one moment to see"
        places = " and ".join(f"{first} to {last}" for first, last in sorted(top.rungs[:2]))
        more = ", and more" if len(top.rungs) > 2 else ""
        return f"{seconds(top.time)} of {seconds(self.duration)}: {top.text} (rungs {places}{more})"

    @property
    def lost(self) -> int:
        """Nanoseconds that went to something that could be mended."""
        return sum(cost.time for cost in self.costs if cost.cause not in ORDINARY)

    @property
    def duration(self) -> int:
        """Nanoseconds from its first segment to its last."""
        return self.end - self.start


class _Connection:
    """One connection whose account is not closed."""

    def __init__(self, rung: Rung, on_span: OnSpan | None = None) -> None:
        self._on_span = on_span
        segment = rung.segment
        ends = segment.source, segment.destination
        self.number = rung.connection
        self.client, self.server = ends if rung.sender == "client" else reversed(ends)
        self.start = self.end = self._from = rung.time
        self.directions: dict[End, Direction] = {
            "client": Direction("client"),
            "server": Direction("server"),
        }
        self._events: list[tuple[int, int, bool, Rung]] = []
        self._count = 0
        self._costs: dict[tuple[str, Blamed], Cost] = {}
        self._last: Rung = rung
        self._speaker: End | None = None
        # When the last data came to each end, which it has not answered.
        self._came: dict[End, int | None] = {"client": None, "server": None}
        self._closing = self._kept_alive = self._over = self._wired = False
        self._away = Away()

    # ---- the order of things ---------------------------------------------------------------------

    def see(self, rung: Rung) -> None:
        """Take the next rung."""
        self.end = max(self.end, rung.time)
        if rung.kind == "original":
            self._put(rung.time, True, rung)
        if rung.on_wire and not self._wired:
            self._wired = True
            for direction in self.directions.values():
                direction.measured = True
        heard = self._heard(rung)
        if heard is not None and (rung.ack is not None or rung.segment.flags & RST):
            self._put(heard, False, rung)
        while self._events and self._events[0][0] <= rung.time:
            self._next()

    def _put(self, time: int, sent: bool, rung: Rung) -> None:
        self._count += 1
        heappush(self._events, (time, self._count, sent, rung))

    def _heard(self, rung: Rung) -> int | None:
        """When a segment reached the other end; seen at a tap, as far as its round trips tell."""
        if rung.on_wire:
            return rung.arrived
        whole = self._away.see(rung, again=_again(rung) is not None)
        if whole is not None:
            self._place(rung.time, whole)
        if rung.ack is not None and rung.ack <= 1 and not rung.segment.space:
            return rung.time  # the handshake is over for the end that speaks next
        return rung.time + self._away.of(OTHER[rung.sender])

    def _place(self, time: int, whole: int) -> None:
        """The tap's place is known for the first time, and with it the whole round trip."""
        for direction in self.directions.values():
            direction.measured = True
            direction.rtt.add(time, whole)

    def _next(self) -> None:
        time, _, sent, rung = heappop(self._events)
        if self._over:
            return
        if sent:
            self._sent(time, rung)
        else:
            self._arrived(time, rung)
        self._last = rung
        self._merge()

    def _sent(self, time: int, rung: Rung) -> None:
        segment, sender = rung.segment, rung.sender
        mine, theirs = self.directions[sender], self.directions[OTHER[sender]]
        again = _again(rung)
        if again is not None and again.kind in _PROBES:
            if again.kind == "keep-alive":
                self._kept_alive = True
            else:
                mine.probed = True
            return
        if not segment.space or segment.flags & RST:
            return
        mine.decide(time, goes_on=True)
        came = self._came[sender]
        if came is not None and not mine.busy and segment.length and not self._closing:
            mine.gap(
                max(self._from, mine.ended, came), rung, self._last.number, "think-time", sender
            )
        elif not mine.busy and not theirs.busy:
            theirs.decide(time, goes_on=False)
            start = max(self._from, mine.ended, theirs.ended)
            cause, blamed = self._silence(time - start, rung)
            mine.gap(start, rung, self._last.number, cause, blamed)
            self._kept_alive = False
        mine.sent(time, rung, again)
        self._closing = self._closing or closes(rung)
        if segment.length and again is None:
            self._speaker = sender
            self._came[sender] = None
            if not rung.on_wire:
                self._came[OTHER[sender]] = time + self._away.of(OTHER[sender])

    def _arrived(self, time: int, rung: Rung) -> None:
        theirs = self.directions[OTHER[rung.sender]]
        if rung.on_wire and rung.segment.length and _again(rung) is None:
            self._came[theirs.end] = time
        if not rung.segment.flags & RST:
            theirs.acked(time, rung)
            return
        opening = self._speaker is None and theirs.flying == 1 and rung.sender == "server"
        for direction in self.directions.values():
            direction.finish(time, rung, "refused" if opening and direction is theirs else "")
        self._over = True
        self.end = max(time, self.end) if self._wired else self.end

    def _silence(self, took: int, rung: Rung) -> tuple[str, Blamed]:
        """What the silence of both ends was, by the segment that ends it."""
        sender = rung.sender
        if self._closing:
            return "closing", sender
        if self._kept_alive or closes(rung):  # nothing was said any more
            return "idle", sender
        if took > (self.directions[sender].rtt.least(rung.time) or 0):
            return "application", sender
        return "round-trip", "path"

    # ---- what it comes to ------------------------------------------------------------------------

    def _merge(self, until: int | None = None) -> None:
        client, server = self.directions.values()
        if until is None:
            known = [one for one in (client.settled, server.settled) if one is not None]
            known += [
                came
                for one in (client, server)
                if not one.busy and (came := self._came[one.end]) is not None
            ]
            until = min(known, default=max(client.ended, server.ended))
        until = min(until, self.end)  # an ACK's way to its sender may go beyond the last segment
        for span in merged(client.spans, server.spans, self._from, until):
            self._hole(span.start)
            self._charge(span)
            self._from = span.end
        self._hole(until)

    def _hole(self, until: int) -> None:
        """Charge what neither direction has a span for, up to a time."""
        start = self._from
        if until > start:
            self._from = until
            last = self._last.number
            cause = "closing" if self._closing else "idle"
            self._charge(Span(start, until, cause, "path", Certainty.INFERRED, last, last))

    def _charge(self, span: Span) -> None:
        if self._on_span is not None:
            self._on_span(self.number, span)
        key = span.cause, span.blamed
        cost = self._costs.get(key)
        if cost is None:
            cost = self._costs[key] = Cost(span.cause, span.blamed, 0, span.certainty, [])
        cost.time += span.end - span.start
        if span.certainty is not cost.certainty:
            cost.certainty = Certainty.INFERRED
        places = cost.rungs
        if places and span.first <= places[-1][1] <= span.last:
            places[-1] = (places[-1][0], span.last)
        else:
            places.append((span.first, span.last))
            if len(places) > MOST_PLACES:
                places.remove(min(places[:-1], key=_length))

    def account(self) -> Account:
        """Close the account: nothing more comes."""
        while self._events:
            self._next()
        for direction in self.directions.values():
            direction.finish(self.end, self._last)
        self._merge(self.end)
        for cost in self._costs.values():
            cost.rungs.sort(key=_length, reverse=True)
        costs = sorted(self._costs.values(), key=lambda cost: (-cost.time, RANK[cost.cause]))
        return Account(
            self.number,
            self.client,
            self.server,
            self.start,
            self.end,
            self._tap(),
            costs,
        )

    def _tap(self) -> Tap:
        if self._wired:
            return "wire"
        client, server = self._away.least.values()
        if client is None or server is None:
            return "middle"
        whole = client + server
        if client <= _AT_AN_END * whole:
            return "client"
        return "server" if server <= _AT_AN_END * whole else "middle"


def _length(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _again(rung: Rung) -> Fact | None:
    for fact in rung.notes:
        if fact.again or fact.kind in _PROBES:
            return fact
    return None


class Accounts:
    """Accounts of all connections, of their rungs in order.

    Args:
        on_span: told of each interval: its connection's number, and the interval. Those of one
            connection come in order and don't overlap.
    """

    def __init__(self, on_span: OnSpan | None = None) -> None:
        self._on_span = on_span
        self._connections: dict[int, _Connection] = {}

    def see(self, rungs: Sequence[Rung]) -> None:
        """Take the next rungs."""
        connections = self._connections
        for rung in rungs:
            one = connections.get(rung.connection)
            if one is None:
                one = connections[rung.connection] = _Connection(rung, self._on_span)
            one.see(rung)

    def end(self) -> Iterator[Account]:
        """Every connection's account, in their order; nothing more comes."""
        for number in sorted(self._connections):
            yield self._connections.pop(number).account()
