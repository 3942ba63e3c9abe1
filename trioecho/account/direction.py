"""One direction of a connection: what its sender was waiting for, as seen at the sender."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from trioecho.account.causes import BLACK_HOLE, DELAYED_ACK, OF_RTO, Blamed, Certainty
from trioecho.account.line import Line
from trioecho.account.losses import Losses
from trioecho.account.repair import Repairs, cause_of
from trioecho.account.rounds import Rounds
from trioecho.account.spans import Span
from trioecho.account.trip import Trip
from trioecho.model import FIN, OTHER, End, Fact, Rung

_DEFAULT_MSS = 536  # RFC 9293 §3.7.1
#: Segments in flight that are remembered; of more, the later ones tell no round trip.
_MOST_IN_FLIGHT = 10_000
#: Options of a full segment take this much of the MSS (timestamps).
_OPTIONS = 12
_OF_THE_SENDER = frozenset(("application", "slow-start", "send-buffer"))
_OF_THE_PATH = frozenset(("bottleneck", "bufferbloat"))
_INFERRED, _PROVEN = Certainty.INFERRED, Certainty.PROVEN
_TRAVELS: tuple[str, Blamed] = ("round-trip", "path")


class Flying(Struct, gc=False):
    """A segment that is not acknowledged: its end, when it was sent, and whether again."""

    end: int
    time: int
    again: bool = False


class Direction:
    """What one end sends and the other acknowledges.

    Attributes:
        busy: whether it waits for an ACK, or for room in its peer's window.
        line: its intervals; before ``settled`` there will be no more.
        trip: its round-trip times.
        measured: whether round trips can be measured: the tap's place is known.
        probed: whether it has asked for room in a window that had none, since there was any.
        mss: bytes of a full segment, as it offered to take.
        losses: what it has sent, and why some was lost.
    """

    def __init__(self, end: End) -> None:
        self.end: End = end
        self.other: End = OTHER[end]
        self.busy = self.measured = self.probed = False
        self.line = Line()
        self.trip = Trip()
        self.mss = _DEFAULT_MSS
        self._una = 0
        self._next = 0
        self._flight: deque[Flying] = deque()
        self._window: int | None = None
        self._widest = 0
        self.losses = Losses(end)
        self._repairs = Repairs()
        self._rounds = Rounds()
        # The spans of rounds that have the same flight, until it is known what keeps it so.
        self._level: list[Span] = []
        self._partial = False  # whether the last segment was no full one
        self._full_at = 0  # when all was acknowledged last, and there was no room
        self._late = 0  # when it sent new data last
        self._closing = False

    @property
    def settled(self) -> int | None:
        """Up to when its intervals are known; None while it has nothing to do."""
        known = [self.line.mark] if self.busy else []
        doubted = self.line.doubted, self._repairs.doubted
        known += [start for start in doubted if start is not None]
        if self._level:
            known.append(self._level[0].start)
        return min(known, default=None)

    @property
    def flying(self) -> int:
        """Bytes sent and not acknowledged."""
        return self._next - self._una

    @property
    def next(self) -> int:
        """Up to where it has sent."""
        return self._next

    @property
    def opening(self) -> bool:
        """Whether it has sent a SYN that is not acknowledged."""
        return self._una == 0 and self._next == 1

    # ---- what its sender does --------------------------------------------------------------------

    def sent(self, time: int, rung: Rung, fact: Fact | None) -> None:
        """Its sender sends a segment that takes sequence numbers.

        Args:
            time: when.
            rung: the segment's.
            fact: what was found of it that says that it was sent again.
        """
        segment = rung.segment
        end = rung.seq + segment.space
        if segment.options.mss:
            self.mss = segment.options.mss
        full = self.mss - _OPTIONS * bool(segment.options.timestamps)
        self.losses.sent(time, rung, max(1, full), self.trip.rto)
        if fact is not None and end <= self._next:
            self._again(time, rung, fact)
            return
        if not self._next:
            self._una = rung.seq
        if not self.busy:
            self.busy = True
            self.line.begin(time, rung.number)
            self._rounds.begin(time, end, self._una, anew=True)
        if len(self._flight) < _MOST_IN_FLIGHT:
            self._flight.append(Flying(end, time))
        self._next = max(self._next, end)
        if self._partial and segment.length:
            self._rounds.resumed(time, self._late)
        self._late = time if segment.length else self._late
        self._partial = segment.length < self._full
        self._closing = closes(rung) and self.flying <= 1
        self._rounds.flight = max(self._rounds.flight, self.flying)

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
        self._repairs.again(max(since, line.mark), self._next, rung, cause)

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
        ack, window = rung.ack, rung.window
        assert ack is not None
        self.line.decide(time, goes_on=False)
        self.losses.heard(time, rung)
        self._repairs.heard(time, rung)
        blocked = self._blocked
        if ack > self._una:
            newest = None
            while self._flight and self._flight[0].end <= ack:
                newest = self._flight.popleft()
            # When the server hears that the connection is open is not known at a tap.
            known = self.measured and (self._una or self.end == "client" or rung.on_wire)
            if newest is not None and known and not newest.again:
                self.trip.add(time, time - newest.time)
            if self.busy:
                self._settle(time, rung, newest, blocked=blocked)
            self._una = ack
            self._next = max(self._next, ack)
        opened = blocked and window > (self._window or 0)
        self._window, self._widest = window, max(self._widest, window)
        if not self.busy:
            return
        if self.flying <= 0 and (not self._blocked or opened):
            self._stop(time, rung, opened=opened)
        elif opened and not self._blocked:
            self.line.add(time, rung, self._reader(0), self.other)

    def _stop(self, time: int, rung: Rung, *, opened: bool) -> None:
        """Everything is acknowledged, and there is room: its sender has nothing more to do."""
        if opened:
            slow: tuple[str, Blamed] = ("slow-reader", self.other)
            if self.probed:
                self.line.add(time, rung, *slow, _PROVEN)
            else:
                self.line.doubt(time, rung, slow, slow, _PROVEN, until=self._full_at)
        self.busy = self.probed = False
        self._repairs.loss = None
        self.line.mark = time

    @property
    def _full(self) -> int:
        """What counts as a full segment, also into a small window (RFC 9293 §3.8.6.2.1)."""
        full = self.mss - _OPTIONS
        return min(full, self._widest // 2) if self._widest else full

    @property
    def _blocked(self) -> bool:
        """Whether its peer's window has no room for a full segment."""
        return self._window is not None and self._window - self.flying < self._full

    # ---- what the time went to -------------------------------------------------------------------

    def _settle(self, time: int, rung: Rung, newest: Flying | None, *, blocked: bool) -> None:
        """An ACK moves on: say what its sender has waited for, if that is known by now."""
        ack, line = rung.ack or 0, self.line
        done = ack >= self._next
        if self._repairs.loss is not None:
            self._repaired(time, rung)
        elif self._una == 0:
            line.add(time, rung, "setup", "path", _PROVEN)
        elif self._closing and done:
            line.add(time, rung, "closing", self.other)
        elif blocked and not done:
            line.add(time, rung, self._reader(rung.window), self.other)
        elif blocked and rung.window < self._full:
            self._full_at = time  # what that was is told when there is room again
            self._begin_round(time, ack)
        elif blocked:  # if it goes on at once, it had more to send
            line.doubt(time, rung, _TRAVELS, (self._reader(rung.window), self.other))
            self._begin_round(time, ack)
        elif done and newest is not None and self._next - self._rounds.acked <= self._full:
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
            rounds.to = self._next
            return
        trip = self.trip.smoothed, least
        cause = rounds.end(time, ack, trip, self.mss, partial=self._partial)
        blamed: Blamed = self.end if cause in _OF_THE_SENDER else "path"
        if not done or cause in _OF_THE_PATH:
            self._plateau(self.line.add(time, rung, cause, blamed))
        elif cause in ("application", "round-trip"):
            self.line.add(time, rung, *_TRAVELS)
        else:
            self.line.doubt(time, rung, _TRAVELS, (cause, blamed))
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

    def _reader(self, window: int) -> str:
        """A window that is full: is it small because its program does not read?"""
        small = min(window, self._window or 0) < self._widest / 2
        return "slow-reader" if small else "receive-buffer"

    def _lone(self, time: int, rung: Rung, newest: Flying) -> None:
        """One small flight was acknowledged, and nothing else was sent meanwhile."""
        least = self.trip.least(time) or 0
        back = max(self.line.mark, min(time, newest.time + least))
        if time - back >= DELAYED_ACK and not rung.segment.length:
            self.line.add(back, rung, *_TRAVELS)
            self.line.doubt(time, rung, ("delayed-ack", self.other), ("nagle", self.end))
        else:
            self.line.add(time, rung, *_TRAVELS)
        self._begin_round(time, rung.ack or 0)

    def _begin_round(self, time: int, ack: int) -> None:
        self._rounds.begin(time, self._next, ack)

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
            self.line.add(loss.since, rung, *_TRAVELS)
            cause = "black-hole"
        elif loss is not None:
            cause = loss.cause
        elif self._blocked:
            cause, blamed = self._reader(0), self.other
        else:
            cause, sure = "unknown", Certainty.UNKNOWN
        self.line.add(time, rung, cause, blamed, sure)
        self.busy = False


def closes(rung: Rung) -> bool:
    """Whether a segment is a FIN without data."""
    return bool(rung.segment.flags & FIN) and not rung.segment.length
