"""The ledger of one connection: from its rungs to its account."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop

from msgspec.structs import replace

from trioecho.account.account import Account, Cost, Tap
from trioecho.account.away import Away
from trioecho.account.causes import PROVEN, RANK, STRAYS, Blamed, Certainty
from trioecho.account.direction import Direction, closes
from trioecho.account.events import Events
from trioecho.account.repair import waited
from trioecho.account.skipped import Gap
from trioecho.account.spans import Span, merged
from trioecho.account.witness import Witness
from trioecho.model import FIN, RST, SYN, Call, Fact, Rung

OnSpan = Callable[[int, Span], None]

#: Places of a cause that are named; of more, the longest.
MOST_PLACES = 20
#: Later than any time.
_FOREVER = 1 << 63
_OPENS_OR_CLOSES = SYN | FIN
#: A silence in which something passed that the tap has not seen.
_UNSEEN: tuple[str, Blamed] = ("unknown", "path")
_PROBES = frozenset(("zero-window-probe", "keep-alive"))


class Ledger:
    """One connection whose account is not closed.

    Args:
        rung: its first rung.
        on_span: told of each interval, with the connection's number.

    Attributes:
        witness: what calls and kernels tell of it; None while nothing does.
    """

    __slots__ = (
        *("_away", "_client", "_closing", "_costs", "_due", "_end", "_ends", "_events", "_from"),
        *("_kept_alive", "_last", "_number", "_on_span", "_over", "_server", "_start", "_told"),
        *("_wired", "witness"),
    )

    def __init__(self, rung: Rung, on_span: OnSpan | None = None) -> None:
        self._on_span = on_span
        segment = rung.segment
        ends = segment.source, segment.destination
        self._number = rung.connection
        self._ends = ends if rung.sender == "client" else ends[::-1]
        self._start = self._end = self._from = self._told = rung.time
        self._away = Away()
        self._client = Direction("client", self._away.client)
        self._server = Direction("server", self._away.server)
        self._events = Events()
        self._due = self._events.due
        self._costs: dict[tuple[str, Blamed], Cost] = {}
        self._last: Rung = rung
        self.witness: Witness | None = None
        self._closing = self._kept_alive = self._over = self._wired = False

    # ---- the order of things ---------------------------------------------------------------------

    def see(self, rung: Rung) -> None:
        """Take the next rung.

        Each segment comes this way, so what most of them don't need stands behind a look here.
        """
        segment, again, missing = rung.segment, None, None
        time, length, flags, ack = segment.frame.time, segment.length, segment.flags, rung.ack
        mine, theirs = self._client, self._server
        if rung.sender == "server":
            mine, theirs = theirs, mine
        mine.seen = True
        for fact in rung.notes:
            if not fact.routine:
                again = _again(rung)
                break
        space = segment.space if flags & _OPENS_OR_CLOSES else length
        end = rung.seq + space if space else None
        if time > self._end:
            self._end = time
        heard: int | None = time
        on_wire = rung.on_wire
        if on_wire:
            self._wired = self._client.measured = self._server.measured = True
            heard = rung.arrived
            if rung.client_kernel is not None or rung.server_kernel is not None:
                self._asked(rung)
        else:
            if segment.identification or mine.counter.next:
                missing = mine.counter.see(segment, theirs.window.mss)
            whole = self._away.see(rung, again=again is not None)
            if whole is not None:
                self._measured(time, whole)
            side = theirs.side
            if ack is not None and ack > mine.ear.acked:
                self._events.proven(mine.ear, time, ack)
            if not space and mine.came is not None:
                self._has_come(mine, theirs, time, ack)
            if ack is not None and ack <= 1 and not space:
                # The handshake is over for its sender; the other end hears of it later.
                theirs.ready = time + (side.least or 0)
            elif not side.here:  # the least time, or with what waits in queues; at an end it is now
                least = side.least
                heard = time + (side.now if least is None or side.now > least else least)
        due = self._due
        if due and due[0][0] <= time:
            self._happen(time)
        if rung.kind == "original" and not self._over:
            if again is not None or (end is not None and not flags & RST):
                self._sent(mine, theirs, rung, end, again, missing, on_wire=on_wire)
            self._last = rung
        if heard is not None and (ack is not None or flags & RST):
            if heard > time:
                self._events.heard(theirs.ear, heard, rung, end)
            elif not self._over:
                self._arrived(heard, rung)
        self._merge()

    def _happen(self, until: int) -> None:
        """What was heard until a time."""
        due = self._due
        while due and due[0][0] <= until:
            time, _, event = heappop(due)
            if event.done:
                continue
            event.done = True
            if self._over:
                return
            rung = event.rung
            theirs = self._server if rung.sender == "client" else self._client
            if self._wired or not theirs.knows(rung):
                self._arrived(time, rung)
            else:
                self._last = rung

    def _measured(self, time: int, whole: int) -> None:
        """The whole round trip becomes known."""
        for direction in (self._client, self._server):
            direction.measured = True
            direction.trip.at_least(time, whole)

    def _has_come(self, mine: Direction, theirs: Direction, time: int, ack: int | None) -> None:
        """An ACK alone, not much later than the least round trip, leaves when the data come."""
        came = mine.came
        if came is None or ack is None or ack < theirs.next:
            return
        if came < time <= came + STRAYS:
            mine.came = time

    # ---- what happens ----------------------------------------------------------------------------

    def _sent(
        self,
        mine: Direction,
        theirs: Direction,
        rung: Rung,
        end: int | None,
        again: Fact | None,
        missing: Gap | None,
        *,
        on_wire: bool,
    ) -> None:
        segment = rung.segment
        time, length = segment.frame.time, segment.length
        if again is not None:
            if again.kind in _PROBES:
                self._kept_alive = self._kept_alive or again.kind == "keep-alive"
                mine.probed = mine.probed or again.kind != "keep-alive"
                return
            if again.kind == "spurious-retransmission" and not mine.busy:
                return  # nobody waits for it
        if end is None or segment.flags & RST:
            return
        if mine.line.doubt is not None:
            mine.line.decide(time, goes_on=True)
        if not mine.busy:
            self._silent(mine, theirs, rung, missing if length else None)
        mine.sent(time, rung, end, again)
        if not length:
            self._closing = self._closing or closes(rung)
        elif again is None:
            mine.came = None
            if not on_wire:
                theirs.came = time + (theirs.side.least or 0)

    def _silent(self, mine: Direction, theirs: Direction, rung: Rung, missing: Gap | None) -> None:
        """Say what the silence before a segment was."""
        time, sender, came = rung.time, rung.sender, mine.came
        rungs = self._last.number, rung.number
        start, until = max(self._from, mine.line.ended), time
        if missing is not None:
            since = theirs.line.ended if came is None else came
            until = waited(mine.trip.rto, max(start, since), time, missing)
        unseen = max(mine.missed, theirs.missed)
        if came is not None and rung.segment.length and not self._closing:
            start = max(start, came)
            cause, blamed = _UNSEEN if unseen > start else ("think-time", sender)
            mine.line.gap(start, until, cause, blamed, rungs)
        elif not theirs.busy:
            theirs.line.decide(time, goes_on=False)
            start = max(start, theirs.line.ended)
            ready = min(max(start, mine.ready), until)
            mine.line.gap(start, ready, "round-trip", "path", rungs)
            cause, blamed = self._silence(mine, until - ready, rung)
            if unseen > start:
                cause, blamed = _UNSEEN
            mine.line.gap(ready, until, cause, blamed, rungs)
            self._kept_alive = False
        if until < time:
            mine.late(until, time, rung, self._last.number)

    def _silence(self, mine: Direction, took: int, rung: Rung) -> tuple[str, Blamed]:
        """What the silence of both ends was, by the segment that ends it."""
        if self._closing:
            return "closing", mine.end
        if self._kept_alive:
            return "idle", mine.end
        if took <= (mine.trip.least(rung.time) or 0):
            return "round-trip", "path"
        return ("idle" if closes(rung) else "application"), mine.end  # nothing was said any more

    def _arrived(self, time: int, rung: Rung) -> None:
        theirs = self._server if rung.sender == "client" else self._client
        self._last = rung
        segment = rung.segment
        if self._wired and rung.on_wire and segment.length and _again(rung) is None:
            theirs.came = time
        if not segment.flags & RST:
            theirs.acked(time, rung)
            return
        opening = theirs.opening and rung.sender == "server"
        owed = not (self._closing or self._client.busy or self._server.busy)
        for direction in (self._client, self._server):
            direction.finish(time, rung, "refused" if opening and direction is theirs else "")
        if owed:
            self._unanswered(time, rung)
        self._over = True
        self._end = max(time, self._end) if self._wired else self._end

    def _unanswered(self, time: int, rung: Rung) -> None:
        """A reset comes at a time, while the server may still owe an answer."""
        server = self._server
        if server.came is None:
            return
        start = max(self._from, server.line.ended, server.came)
        unseen = max(server.missed, self._client.missed) > start
        cause, blamed = _UNSEEN if unseen else ("think-time", server.end)
        rungs = self._client.line.rung, rung.number
        server.line.gap(start, rung.time, cause, blamed, rungs)
        server.line.gap(max(start, rung.time), time, "round-trip", "path", rungs)

    # ---- what it comes to ------------------------------------------------------------------------

    def _merge(self) -> None:
        """Charge what is known by now of both directions."""
        client, server, since = self._client, self._server, self._from
        if not (client.line.spans or server.line.spans):
            return
        # Most segments come while an end waits since then for an ACK.
        if (client.busy and client.line.mark <= since) or (
            server.busy and server.line.mark <= since
        ):
            return
        until = server.settled(client.settled(_FOREVER))
        for one in (client, server):
            if not one.busy and one.came is not None and one.came < until:
                until = one.came
        if until == _FOREVER:
            until = max(client.line.ended, server.line.ended)
        self._charge_until(until)

    def _charge_until(self, until: int) -> None:
        since = self._from
        until = min(until, self._end)  # an ACK's way to its sender may go beyond the last segment
        if until <= since:
            return
        self._from = until
        for span in merged(self._client.line.spans, self._server.line.spans, since, until):
            if self._told < span.start:  # nobody waited for anything that can be seen
                rungs = self._last.number, span.first
                self._charge(
                    Span(self._told, span.start, "unknown", "path", Certainty.UNKNOWN, *rungs)
                )
            self._charge(span)

    def called(self, call: Call) -> None:
        """Take a call of one of its programs."""
        if self.witness is None:
            self.witness = Witness()
        self.witness.called(call)

    def _asked(self, rung: Rung) -> None:
        if self.witness is None:
            self.witness = Witness()
        self.witness.asked(rung)

    def _charge(self, span: Span) -> None:
        if self.witness is not None:
            self.witness.judge(span)
        start, end, first, last = span.start, span.end, span.first, span.last
        if first > last:  # it began with what was sent while its end was under way
            first, last = last, first
        self._told = end
        if self._on_span is not None:
            self._on_span(self._number, span)
        key = span.cause, span.blamed
        cost = self._costs.get(key)
        if cost is None:
            cost = self._costs[key] = Cost(*key, 0, span.certainty, [])
        cost.time += end - start
        if span.certainty is Certainty.PROVEN:
            cost.proven += end - start
        places = cost.rungs
        if places and first <= (place := places[-1])[1] <= last:
            places[-1] = (place[0], last)
        else:
            places.append((first, last))
            if len(places) > 4 * MOST_PLACES:
                _shorten(places)

    def so_far(self) -> Account:
        """What is settled by now, of what has been."""
        return self._drawn_up(self._told)

    def _drawn_up(self, until: int) -> Account:
        """The account up to a time, without the losses."""
        costs = [replace(cost, rungs=list(cost.rungs)) for cost in self._costs.values()]
        for cost in costs:
            if cost.certainty is not Certainty.UNKNOWN:
                sure = cost.proven >= PROVEN * cost.time
                cost.certainty = Certainty.PROVEN if sure else Certainty.INFERRED
            _shorten(cost.rungs)
            cost.rungs.sort(key=_length, reverse=True)
        costs.sort(key=lambda cost: (-cost.time, RANK[cost.cause]))
        tap: Tap = "wire" if self._wired else self._away.place
        only = next((one.other for one in (self._client, self._server) if not one.seen), None)
        return Account(self._number, *self._ends, self._start, until, tap, costs, only=only)

    def account(self) -> Account:
        """Close the account: nothing more comes."""
        self._happen(_FOREVER)
        for direction in (self._client, self._server):
            direction.finish(self._end, self._last)
        self._charge_until(self._end)
        if self._told < self._end:
            last = self._last.number
            cause, sure = "closing" if self._closing else "idle", Certainty.INFERRED
            if max(self._client.missed, self._server.missed) > self._told:
                cause, sure = "unknown", Certainty.UNKNOWN
            self._charge(Span(self._told, self._end, cause, "path", sure, last, last))
        account = self._drawn_up(self._end)
        for direction in (self._client, self._server):
            count, losses = direction.losses.end()
            account.missing += count
            account.losses += losses
        return account


def _length(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _shorten(places: list[tuple[int, int]]) -> None:
    """Keep the longest places, of those alike the later ones, and the last, which may go on."""
    if len(places) > MOST_PLACES:
        *others, last = places
        order = sorted(range(len(others)), key=lambda at: (_length(others[at]), at))
        places[:] = [others[at] for at in sorted(order[1 - MOST_PLACES :])] + [last]


def _again(rung: Rung) -> Fact | None:
    for fact in rung.notes:
        if fact.again or (not fact.routine and fact.kind in _PROBES):
            return fact
    return None
