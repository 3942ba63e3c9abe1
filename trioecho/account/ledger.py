"""The ledger of one connection: from its rungs to its account."""

from __future__ import annotations

from collections.abc import Callable

from trioecho.account.account import Account, Cost, Tap
from trioecho.account.away import Away
from trioecho.account.causes import RANK, STRAYS, Blamed, Certainty
from trioecho.account.direction import Direction, closes
from trioecho.account.events import Events
from trioecho.account.repair import waited
from trioecho.account.skipped import Gap, Skipped
from trioecho.account.spans import Span, merged
from trioecho.model import OTHER, RST, End, Fact, Rung

OnSpan = Callable[[int, Span], None]

#: Places of a cause that are named; of more, the longest.
MOST_PLACES = 20
_PROBES = frozenset(("zero-window-probe", "keep-alive"))


class Ledger:
    """One connection whose account is not closed.

    Args:
        rung: its first rung.
        on_span: told of each interval, with the connection's number.
    """

    def __init__(self, rung: Rung, on_span: OnSpan | None = None) -> None:
        self._on_span = on_span
        segment = rung.segment
        ends = segment.source, segment.destination
        self._number = rung.connection
        self._client, self._server = ends if rung.sender == "client" else reversed(ends)
        self._start = self._end = self._from = self._told = rung.time
        client, server = Direction("client"), Direction("server")
        self._directions: dict[End, Direction] = {"client": client, "server": server}
        self._events = Events()
        self._costs: dict[tuple[str, Blamed], Cost] = {}
        self._last: Rung = rung
        self._speaker: End | None = None
        # When the last data came to each end, which it has not answered.
        self._came: dict[End, int | None] = {"client": None, "server": None}
        # From when on each end knows that it may speak.
        self._ready: dict[End, int] = {"client": 0, "server": 0}
        self._closing = self._kept_alive = self._over = self._wired = False
        self._away = Away()
        self._skipped = Skipped()

    # ---- the order of things ---------------------------------------------------------------------

    def see(self, rung: Rung) -> None:
        """Take the next rung."""
        time, again, missing = rung.time, _again(rung), None
        self._end = max(self._end, time)
        if rung.on_wire:
            self._on_wire()
            heard = rung.arrived
        else:
            missing = self._skipped.see(rung, self._directions[OTHER[rung.sender]].mss)
            heard = self._at_tap(rung, again=again is not None)
        self._happen(time)
        if rung.kind == "original" and not self._over:
            self._sent(rung, again, missing)
            self._last = rung
        if heard is not None and (rung.ack is not None or rung.segment.flags & RST):
            if heard > time:
                self._events.heard(heard, rung)
            elif not self._over:
                self._arrived(heard, rung)
                self._last = rung
        self._merge()

    def _happen(self, until: int | None = None) -> None:
        """What was heard until a time."""
        for time, rung in self._events.until(until):
            if self._over:
                return
            self._arrived(time, rung)
            self._last = rung

    def _on_wire(self) -> None:
        if not self._wired:
            self._wired = True
            for direction in self._directions.values():
                direction.measured = True

    def _at_tap(self, rung: Rung, *, again: bool) -> int:
        """When the other end hears of a segment seen at a tap, as far as its round trips tell."""
        other = OTHER[rung.sender]
        whole = self._away.see(rung, again=again)
        if whole is not None:
            for direction in self._directions.values():
                direction.measured = True
                direction.trip.at_least(rung.time, whole)
        self._events.proven(rung)
        self._has_come(rung)
        if rung.ack is not None and rung.ack <= 1 and not rung.segment.space:
            # The handshake is over for its sender; the other end hears of it later.
            self._ready[other] = rung.time + self._away.of(other)
            return rung.time
        return rung.time + self._away.now(other)

    def _has_come(self, rung: Rung) -> None:
        """An ACK alone, not much later than the least round trip, leaves when the data come."""
        came, ack = self._came[rung.sender], rung.ack
        if came is None or ack is None or rung.segment.space:
            return
        theirs = self._directions[OTHER[rung.sender]]
        if ack >= theirs.next and came < rung.time <= came + STRAYS:
            self._came[rung.sender] = rung.time

    # ---- what happens ----------------------------------------------------------------------------

    def _sent(self, rung: Rung, again: Fact | None, missing: Gap | None) -> None:
        segment, sender, time = rung.segment, rung.sender, rung.time
        mine = self._directions[sender]
        if again is not None and again.kind in _PROBES:
            self._kept_alive = self._kept_alive or again.kind == "keep-alive"
            mine.probed = mine.probed or again.kind != "keep-alive"
            return
        if not segment.space or segment.flags & RST:
            return
        if again is not None and again.kind == "spurious-retransmission" and not mine.busy:
            return  # nobody waits for it
        mine.line.decide(time, goes_on=True)
        self._silent(rung, missing if segment.length else None)
        mine.sent(time, rung, again)
        self._closing = self._closing or closes(rung)
        if segment.length and again is None:
            self._speaker = sender
            self._came[sender] = None
            if not rung.on_wire:
                self._came[OTHER[sender]] = time + self._away.of(OTHER[sender])

    def _silent(self, rung: Rung, missing: Gap | None) -> None:
        """Say what the silence before a segment was, if there was one."""
        time, sender, came = rung.time, rung.sender, self._came[rung.sender]
        mine, theirs = self._directions[sender], self._directions[OTHER[sender]]
        if mine.busy:
            return
        rungs = self._last.number, rung.number
        start, until = max(self._from, mine.line.ended), time
        if missing is not None:
            since = theirs.line.ended if came is None else came
            until = waited(mine.trip.rto, max(start, since), time, missing)
        if came is not None and rung.segment.length and not self._closing:
            mine.line.gap(max(start, came), until, "think-time", sender, rungs)
        elif not theirs.busy:
            theirs.line.decide(time, goes_on=False)
            start = max(start, theirs.line.ended)
            ready = min(max(start, self._ready[sender]), until)
            mine.line.gap(start, ready, "round-trip", "path", rungs)
            cause, blamed = self._silence(until - ready, rung)
            mine.line.gap(ready, until, cause, blamed, rungs)
            self._kept_alive = False
        mine.late(until, time, rung, self._last.number)

    def _silence(self, took: int, rung: Rung) -> tuple[str, Blamed]:
        """What the silence of both ends was, by the segment that ends it."""
        sender = rung.sender
        if self._closing:
            return "closing", sender
        if self._kept_alive:
            return "idle", sender
        if took <= (self._directions[sender].trip.least(rung.time) or 0):
            return "round-trip", "path"
        return ("idle" if closes(rung) else "application"), sender  # nothing was said any more

    def _arrived(self, time: int, rung: Rung) -> None:
        theirs = self._directions[OTHER[rung.sender]]
        if rung.on_wire and rung.segment.length and _again(rung) is None:
            self._came[theirs.end] = time
        if not rung.segment.flags & RST:
            theirs.acked(time, rung)
            return
        opening = theirs.opening and rung.sender == "server"
        for direction in self._directions.values():
            direction.finish(time, rung, "refused" if opening and direction is theirs else "")
        self._over = True
        self._end = max(time, self._end) if self._wired else self._end

    # ---- what it comes to ------------------------------------------------------------------------

    def _merge(self, until: int | None = None) -> None:
        client, server = self._directions.values()
        if until is None:
            if not client.line.spans and not server.line.spans:
                return
            known = [one for one in (client.settled, server.settled) if one is not None]
            known += [
                came
                for one in (client, server)
                if not one.busy and (came := self._came[one.end]) is not None
            ]
            until = min(known, default=max(client.line.ended, server.line.ended))
        until = min(until, self._end)  # an ACK's way to its sender may go beyond the last segment
        for span in merged(client.line.spans, server.line.spans, self._from, until):
            if self._told < span.start:  # nobody waited for anything that can be seen
                rungs = self._last.number, span.first
                self._charge(
                    Span(self._told, span.start, "unknown", "path", Certainty.UNKNOWN, *rungs)
                )
            self._charge(span)
        self._from = max(self._from, until)

    def _charge(self, span: Span) -> None:
        self._told = span.end
        if self._on_span is not None:
            self._on_span(self._number, span)
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
        self._happen()
        for direction in self._directions.values():
            direction.finish(self._end, self._last)
        self._merge(self._end)
        if self._told < self._end:
            last = self._last.number
            cause = "closing" if self._closing else "idle"
            self._charge(Span(self._told, self._end, cause, "path", Certainty.INFERRED, last, last))
        for cost in self._costs.values():
            cost.rungs.sort(key=_length, reverse=True)
        costs = sorted(self._costs.values(), key=lambda cost: (-cost.time, RANK[cost.cause]))
        tap: Tap = "wire" if self._wired else self._away.place
        ends = self._client, self._server
        account = Account(self._number, *ends, self._start, self._end, tap, costs)
        for direction in self._directions.values():
            count, losses = direction.losses.end()
            account.missing += count
            account.losses += losses
        return account


def _length(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _again(rung: Rung) -> Fact | None:
    for fact in rung.notes:
        if fact.again or (not fact.routine and fact.kind in _PROBES):
            return fact
    return None
