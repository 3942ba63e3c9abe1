"""One direction of a connection: what its sender was waiting for, as seen at the sender."""

from __future__ import annotations

from collections import deque

from trioecho.account.away import Side
from trioecho.account.causes import BLACK_HOLE, DELAYED_ACK, NAGLE, OF_RTO, Blamed, Certainty
from trioecho.account.events import Ear
from trioecho.account.line import Line
from trioecho.account.losses import Losses
from trioecho.account.repair import Repairs, cause_of
from trioecho.account.rounds import Rounds
from trioecho.account.skipped import Counter
from trioecho.account.spans import Span
from trioecho.account.trip import Flying, Trip
from trioecho.account.window import Window
from trioecho.model import FIN, OTHER, PSH, RST, End, Fact, Rung

#: Segments in flight that are remembered; of more, the later ones tell no round trip.
_MOST_IN_FLIGHT = 10_000
_OF_THE_SENDER = frozenset(("application", "slow-start", "send-buffer"))
_OF_THE_PATH = frozenset(("bottleneck", "bufferbloat"))
_INFERRED, _PROVEN = Certainty.INFERRED, Certainty.PROVEN
_TRAVELS: tuple[str, Blamed] = ("round-trip", "path")
_HELD: tuple[str, Blamed] = ("congestion-window", "path")


class Direction:
    """What one end sends and the other acknowledges.

    Attributes:
        busy: whether it waits for an ACK, or for room in its peer's window.
        line: its intervals; before ``settled`` there will be no more.
        trip: its round-trip times.
        measured: whether round trips can be measured: the tap's place is known.
        probed: whether it has asked for room in a window that had none, since there was any.
        missed: when something was acknowledged last that the tap has not seen.
        window: its peer's, and what counts as a full segment.
        next: up to where it has sent.
        losses: what it has sent, and why some was lost.
        side: how far its sender is from the tap.
        ear: what its sender is to hear.
        counter: how its sender numbers its packets.
        came: when the last data came to its sender, which it has not answered; None for none.
        ready: from when on its sender knows that it may speak.
        seen: whether it has sent anything that was captured.
    """

    __slots__ = (
        *("_closing", "_filled", "_flight", "_full_at", "_held", "_late", "_level", "_partial"),
        *("_repairs", "_rounds", "_una", "busy", "came", "counter", "ear", "end", "line"),
        *("losses", "measured", "missed", "next", "other", "probed", "ready", "seen", "side"),
        *("trip", "window"),
    )

    def __init__(self, end: End, side: Side) -> None:
        self.end: End = end
        self.other: End = OTHER[end]
        self.busy = self.measured = self.probed = self.seen = False
        self.line = Line()
        self.trip = Trip()
        self.window = Window()
        self.missed = 0
        self.side = side
        self.ear = Ear()
        self.counter = Counter()
        self.came: int | None = None
        self.ready = 0
        self._una = 0
        self.next = 0
        self._flight: deque[Flying] = deque()
        self.losses = Losses(end)
        self._repairs = Repairs()
        self._rounds = Rounds()
        # The spans of rounds that have the same flight, until it is known what keeps it so.
        self._level: list[Span] = []
        self._partial = False  # whether the last segment was no full one
        self._filled = 0  # when it filled its peer's window, and what it had waited for until then
        self._held = _HELD
        self._full_at = 0  # when all was acknowledged last, and there was no room
        self._late = 0  # when it sent new data last
        self._closing = False

    def settled(self, until: int) -> int:
        """Up to when its intervals are known, but no later than a time."""
        line, doubted, level = self.line, self._repairs.doubted, self._level
        if self.busy and line.mark < until:
            until = line.mark
        if line.doubt is not None and line.doubt.span.start < until:
            until = line.doubt.span.start
        if doubted and doubted[0].span.start < until:
            until = doubted[0].span.start
        if level and level[0].start < until:
            until = level[0].start
        return until

    @property
    def opening(self) -> bool:
        """Whether it has sent a SYN that is not acknowledged."""
        return self._una == 0 and self.next == 1

    # ---- what its sender does --------------------------------------------------------------------

    def sent(self, time: int, rung: Rung, end: int, fact: Fact | None) -> None:
        """Its sender sends a segment that takes sequence numbers.

        Args:
            time: when.
            rung: the segment's.
            end: one past the last number.
            fact: what was found of it that says that it was sent again.
        """
        segment, known = rung.segment, self.next
        length, options = segment.length, segment.options
        if options.mss:
            self.window.offer(options.mss)
        if length:
            full = self.window.segment(length, stamped=options.timestamps is not None)
            self.losses.sent(time, rung, full, self.trip)
        if fact is not None and end <= known:
            self._again(time, rung, fact)
            return
        if not known:
            self._una = rung.seq
        rounds = self._rounds
        if not self.busy:
            self.busy = True
            self.line.begin(time, rung.number)
            rounds.begin(time, end, self._una, anew=True)
        if len(self._flight) < _MOST_IN_FLIGHT:
            self._flight.append(Flying(end, time))
        if end > known:
            room = (self.window.size or 0) + self._una - self.window.full
            if known <= room < end:
                self._filled = time
                self._held = ("application", self.end) if self._partial else _HELD
            self.next = known = end
        flying = known - self._una
        if flying > rounds.flight:
            rounds.flight = flying
        if length:
            if self._partial:
                rounds.resumed(time, self._late)
            rounds.sent(pushed=bool(segment.flags & PSH))
            self._late, self._closing = time, False
        else:
            self._closing = closes(rung) and flying <= 1
        self._partial = length < self.window.full

    def _again(self, time: int, rung: Rung, fact: Fact) -> None:
        line, since = self.line, self.line.mark
        for flying in self._flight:
            if flying.end > rung.seq:
                flying.again, since = True, flying.time
                break
        if not self.busy:  # it had been acknowledged, or was sent before the capture
            self.busy = True
            line.begin(time, rung.number)
        timer = time - since >= OF_RTO * self.trip.rto
        cause = cause_of(rung, fact, timer=timer)
        self._repairs.again(max(since, line.mark), self.next, rung, cause)

    def late(self, start: int, time: int, rung: Rung, first: int) -> None:
        """What the tap sees now repairs a loss before it, for which a timer ran from ``start``."""
        span = self.line.gap(start, time, "timeout", "path", (first, rung.number))
        self._repairs.repaired(span, rung.seq, rung.seq + rung.segment.space)

    # ---- what comes back -------------------------------------------------------------------------

    def acked(self, time: int, rung: Rung) -> None:
        """An ACK reaches its sender.

        Args:
            time: when.
            rung: that of the segment which brings it.
        """
        ack, window, line = rung.ack, rung.window, self.line
        assert ack is not None
        if line.doubt is not None:
            line.decide(time, goes_on=False)
        sack = rung.segment.options.sack
        if sack or ack > self.losses.notes.acked:
            self.losses.heard(time, rung)
        if sack or self._repairs.doubted:
            self._repairs.heard(time, rung)
        known, full = self.window.size, self.window.full
        blocked = known is not None and known - (self.next - self._una) < full
        if ack > self._una:
            newest, flight = None, self._flight
            while flight and flight[0].end <= ack:
                newest = flight.popleft()
            # When the server hears that the connection is open is not known at a tap.
            sure = self.measured and (self._una or self.end == "client" or rung.on_wire)
            if newest is not None and sure and not newest.again:
                self.trip.add(time, time - newest.time)
            if self.busy:
                self._rounds.acknowledged()
                self._settle(time, rung, newest, blocked=blocked)
            self._una = ack
            if ack > self.next:
                self.missed = time if self.next else 0
                self.next = ack
                if not self.busy and window < full:  # and there is no room for more
                    self.busy, self._full_at = True, time
                    line.begin(time, rung.number)
        self.window.open(window)
        if self.busy:
            opened = blocked and window > (known or 0)
            if self.next <= self._una and (opened or not self._blocked):
                self._stop(time, rung, opened=opened)
            elif opened and not self._blocked:
                line.add(time, rung, self.window.reader(0), self.other)

    def knows(self, rung: Rung) -> bool:
        """Whether a segment brings nothing to its sender, which waits for nothing."""
        segment = rung.segment
        return (
            not self.busy
            and rung.ack == self._una
            and rung.window == self.window.size
            and self.line.doubt is None
            and not segment.options.sack
            and not segment.flags & RST
            and not self._repairs.doubted
            and self._una <= self.losses.notes.acked
        )

    def _stop(self, time: int, rung: Rung, *, opened: bool) -> None:
        """Everything is acknowledged, and there is room: its sender has nothing more to do."""
        if opened:
            slow: tuple[str, Blamed] = ("slow-reader", self.other)
            if self.probed:
                self.line.add(time, rung, *slow, _PROVEN)
            else:
                self.line.leave(time, rung, slow, slow, _PROVEN, until=self._full_at)
        self.busy = self.probed = False
        self._repairs.loss = None
        self.line.mark = time

    @property
    def _blocked(self) -> bool:
        return self.window.blocks(self.next - self._una)

    # ---- what the time went to -------------------------------------------------------------------

    def _settle(self, time: int, rung: Rung, newest: Flying | None, *, blocked: bool) -> None:
        """An ACK moves on: say what its sender has waited for, if that is known by now."""
        ack, line = rung.ack or 0, self.line
        done = ack >= self.next
        if self._repairs.loss is not None:
            self._repaired(time, rung)
        elif self._una == 0:
            line.add(time, rung, "setup", "path", _PROVEN)
        elif self._closing and done:
            line.add(time, rung, "closing", self.other)
        elif blocked and not done:
            if self._filled - line.mark > NAGLE:  # there was room, and it did not use that at once
                line.add(self._filled, rung, *self._held)
            line.add(time, rung, self.window.reader(rung.window), self.other)
        elif blocked and rung.window < self.window.full:
            self._full_at = time  # what that was is told when there is room again
            self._begin_round(time, ack)
        elif blocked:  # if it goes on at once, it had more to send
            line.leave(time, rung, _TRAVELS, (self.window.reader(rung.window), self.other))
            self._begin_round(time, ack)
        elif done and newest is not None and self.next - self._rounds.acked <= self.window.full:
            self._lone(time, rung, newest)
        elif done or ack >= self._rounds.to:
            self._round(time, rung, done=done)

    def _repaired(self, time: int, rung: Rung) -> None:
        """An ACK moves on while a loss is being repaired."""
        repairs, ack = self._repairs, rung.ack or 0
        repairs.answered(rung)
        loss = repairs.loss
        assert loss is not None
        self.line.add(loss.since, rung, *_TRAVELS)
        sure = _PROVEN if rung.on_wire else _INFERRED
        span = self.line.add(time, rung, loss.cause, "path", sure)
        repairs.repaired(span, loss.first, loss.end)
        if ack >= loss.recover:
            repairs.loss = None
            self._begin_round(time, ack)
        else:
            loss.repeats = 0

    def _round(self, time: int, rung: Rung, *, done: bool) -> None:
        """A round ends; if all is acknowledged, it matters whether its sender goes on at once."""
        least = self.trip.least(time)
        rounds, ack = self._rounds, rung.ack or 0
        if not done and rounds.short(time, least):
            rounds.to = self.next
            return
        trip = self.trip.smoothed, least
        near = self.side.here or rung.on_wire
        mss = self.window.mss
        cause = rounds.end(time, ack, trip, mss, partial=self._partial, near=near)
        blamed: Blamed = self.end if cause in _OF_THE_SENDER else "path"
        if not done or cause in _OF_THE_PATH:
            self._plateau(self.line.add(time, rung, cause, blamed))
        elif cause in ("application", "round-trip"):
            self.line.add(time, rung, *_TRAVELS)
        else:
            self.line.leave(time, rung, _TRAVELS, (cause, blamed))
        self._begin_round(time, ack)

    def _plateau(self, span: Span | None) -> None:
        """A flight that stays the same was held back by the same thing from its first round on."""
        level = self._level
        if span is None:
            return
        if self._rounds.flat == 0 or span.cause not in ("congestion-window", "send-buffer"):
            level.clear()
        elif span.cause == "send-buffer":
            for one in level:
                one.cause, one.blamed = span.cause, span.blamed
            level.clear()
        else:
            level.append(span)

    def _lone(self, time: int, rung: Rung, newest: Flying) -> None:
        """One small flight was acknowledged, and nothing else was sent meanwhile."""
        least = self.trip.least(time) or 0
        back = max(self.line.mark, min(time, newest.time + least))
        if time - back >= DELAYED_ACK and not rung.segment.length:
            self.line.add(back, rung, *_TRAVELS)
            self.line.leave(time, rung, ("delayed-ack", self.other), ("nagle", self.end))
        else:
            self.line.add(time, rung, *_TRAVELS)
        self._begin_round(time, rung.ack or 0)

    def _begin_round(self, time: int, ack: int) -> None:
        self._rounds.begin(time, self.next, ack)

    def finish(self, time: int, rung: Rung, cause: str = "") -> None:
        """Nothing more comes: what it waits for still.

        Args:
            time: when the connection was last seen.
            rung: its last.
            cause: what is known better, such as ``refused``.
        """
        self._repairs.finish()
        self._level.clear()
        self.line.finish()
        if not self.busy:
            return
        loss, sure = self._repairs.loss, _INFERRED
        blamed: Blamed = "path"
        if cause:
            blamed, sure = self.other, _PROVEN
        elif self.opening and loss is not None:
            cause = "no-answer"
        elif loss is not None and loss.repeats >= BLACK_HOLE:
            since = self.line.rung
            span = self.line.add(loss.since, rung, *_TRAVELS)
            if span is not None:  # the last that was heard stands at both ends of it
                span.last = self.line.rung = since
            cause = "black-hole"
        elif loss is not None:
            cause = loss.cause
        elif self._blocked:
            cause, blamed = self.window.reader(0), self.other
        else:
            cause, sure = "unknown", Certainty.UNKNOWN
        self.line.add(time, rung, cause, blamed, sure)
        self.busy = False


def closes(rung: Rung) -> bool:
    """Whether a segment is a FIN without data."""
    return bool(rung.segment.flags & FIN) and not rung.segment.length
