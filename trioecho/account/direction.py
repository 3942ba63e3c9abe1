"""One direction of a connection: what its sender was waiting for, as seen at the sender."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from trioecho.account.causes import (
    BLACK_HOLE,
    DELAYED_ACK,
    LEAST_RTO,
    NAGLE,
    OF_RTO,
    Blamed,
    Certainty,
)
from trioecho.account.least import Least
from trioecho.account.rounds import Rounds
from trioecho.account.spans import Span
from trioecho.model import FIN, OTHER, SYN, End, Fact, Rung

_DEFAULT_MSS = 536  # RFC 9293 §3.7.1
#: Segments in flight that are remembered; of more, the later ones tell no round trip.
_MOST_IN_FLIGHT = 10_000
_OF_THE_SENDER = frozenset(("application", "slow-start", "send-buffer"))
_INFERRED, _PROVEN = Certainty.INFERRED, Certainty.PROVEN


class Flying(Struct, gc=False):
    """A segment that is not acknowledged: its end, when and on which rung it was sent."""

    end: int
    time: int
    rung: int
    again: bool = False


class Loss(Struct, gc=False):
    """A loss that is being repaired, until what was sent before the repair is acknowledged."""

    cause: str
    since: int
    recover: int
    repeats: int = 1


class Doubt(Struct, gc=False):
    """A span whose cause depends on whether its sender goes on at once.

    Then it is as ``then`` says; if not, it stays as it is, or there is none (``drop``).
    """

    span: Span
    then: tuple[str, Blamed]
    drop: bool = False


class Direction:
    """What one end sends and the other acknowledges.

    Attributes:
        busy: whether it waits for an ACK, or for room in its peer's window.
        spans: its intervals so far; before ``settled`` there will be no more.
        rtt: the least round-trip time of late.
        measured: whether round trips can be measured: the tap's place is known.
        probed: whether it has asked for room in a window that had none, since there was any.
        ended: the end of its last interval.
    """

    def __init__(self, end: End) -> None:
        self.end: End = end
        self.other: End = OTHER[end]
        self.busy = False
        self.measured = False
        self.spans: deque[Span] = deque()
        self.rtt = Least()
        self.ended = 0
        self._mark = 0
        self._mark_rung = 0
        self._una = 0
        self._next = 0
        self._flight: deque[Flying] = deque()
        self._mss = _DEFAULT_MSS
        self._window: int | None = None
        self._widest = 0
        self._smoothed = 0
        self._strays = 0
        self._loss: Loss | None = None
        self._doubt: Doubt | None = None
        self.probed = False
        self._short = False
        self._closing = False
        self._rounds = Rounds()

    @property
    def settled(self) -> int | None:
        """Up to when its intervals are known; None while it has nothing to do."""
        if self._doubt is not None:
            return self._doubt.span.start
        return self._mark if self.busy else None

    @property
    def flying(self) -> int:
        """Bytes sent and not acknowledged."""
        return self._next - self._una

    @property
    def rto(self) -> int:
        """The retransmission timeout as Linux has it (RFC 6298, with 200 ms at least)."""
        if not self._smoothed:
            return 5 * LEAST_RTO
        return self._smoothed + max(LEAST_RTO, 4 * self._strays)

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
            self._mss = segment.options.mss
        if fact is not None and end <= self._next:
            self._again(time, rung, fact)
            return
        if not self._next:
            self._una = rung.seq
        if not self.busy:
            self.busy, self._mark, self._mark_rung = True, time, rung.number
            self._rounds.begin(time, end, self._una)
        if len(self._flight) < _MOST_IN_FLIGHT:
            self._flight.append(Flying(end, time, rung.number))
        self._next = max(self._next, end)
        self._short = segment.length < self._full
        self._closing = closes(rung) and self.flying <= 1
        self._rounds.flight = max(self._rounds.flight, self.flying)

    def _again(self, time: int, rung: Rung, fact: Fact) -> None:
        for flying in self._flight:
            if flying.end > rung.seq:
                flying.again = True
                break
        else:
            flying = None
        since = self._mark if flying is None else flying.time
        if not self.busy:  # it had been acknowledged, or was sent before the capture
            self.busy, self._mark, self._mark_rung = True, time, rung.number
        cause = self._cause_of(time - since, rung, fact)
        loss = self._loss
        if loss is None:
            self._loss = Loss(cause, max(since, self._mark), max(self._next, rung.seq + 1))
            return
        loss.repeats += 1
        loss.recover = max(loss.recover, self._next)
        if cause == "timeout" and loss.cause == "fast-recovery":
            loss.cause = cause

    def _cause_of(self, after: int, rung: Rung, fact: Fact) -> str:
        """Why it sends again."""
        if rung.segment.flags & SYN:
            return "handshake-loss"
        if fact.kind == "spurious-retransmission":
            return "spurious"
        if fact.kind == "fast-retransmission":
            return "fast-recovery"
        why = getattr(fact, "cause", None)
        if why in ("timeout", "tail-loss-probe") or after >= OF_RTO * self.rto:
            return "timeout"
        return "fast-recovery"

    # ---- what comes back -------------------------------------------------------------------------

    def acked(self, time: int, rung: Rung) -> None:
        """An ACK reaches its sender.

        Args:
            time: when.
            rung: that of the segment which brings it.
        """
        ack, window = rung.ack, rung.window
        assert ack is not None
        self.decide(time, goes_on=False)
        blocked = self._blocked
        if ack > self._una:
            newest = None
            while self._flight and self._flight[0].end <= ack:
                newest = self._flight.popleft()
            if newest is not None and self.measured and not newest.again:
                self._measure(time, time - newest.time)
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
            self._add(time, rung, self._reader(0), self.other)

    def _stop(self, time: int, rung: Rung, *, opened: bool) -> None:
        """Everything is acknowledged, and there is room: its sender has nothing more to do."""
        if opened and self._mark < time:
            span = self._span(time, rung, "slow-reader", self.other, _PROVEN)
            if self.probed:
                self._push(span)
            else:
                self._doubt = Doubt(span, (span.cause, span.blamed), drop=True)
        self.busy = self.probed = False
        self._loss = None
        self._mark = time

    @property
    def _full(self) -> int:
        """What counts as a full segment, also into a small window (RFC 9293 §3.8.6.2.1)."""
        return min(self._mss - 12, self._widest // 2) if self._widest else self._mss - 12

    @property
    def _blocked(self) -> bool:
        """Whether its peer's window has no room for a full segment."""
        return self._window is not None and self._window - self.flying < self._full

    def _measure(self, time: int, took: int) -> None:
        """A round trip (RFC 6298 §2)."""
        self.rtt.add(time, took)
        if not self._smoothed:
            self._smoothed, self._strays = took, took // 2
            return
        self._strays += (abs(self._smoothed - took) - self._strays) // 4
        self._smoothed += (took - self._smoothed) // 8

    # ---- what the time went to -------------------------------------------------------------------

    def _settle(self, time: int, rung: Rung, newest: Flying | None, *, blocked: bool) -> None:
        """An ACK moves on: say what its sender has waited for, if that is known by now."""
        ack = rung.ack or 0
        done = ack >= self._next
        loss = self._loss
        if loss is not None:
            self._add(loss.since, rung, "round-trip", "path")
            sure = _PROVEN if rung.on_wire else _INFERRED
            self._add(
                time, rung, loss.cause, "path" if loss.cause != "spurious" else self.end, sure
            )
            if ack >= loss.recover:
                self._loss = None
                self._begin_round(time, ack)
            else:
                loss.repeats = 0
        elif self._una == 0:
            self._add(time, rung, "setup", "path", _PROVEN)
        elif self._closing and done:
            self._add(time, rung, "closing", self.other)
        elif blocked and not done:
            self._add(time, rung, self._reader(rung.window), self.other)
        elif done and newest is not None and self._next - self._rounds.acked <= self._full:
            self._lone(time, rung, newest)
        elif done or ack >= self._rounds.to:
            trip = self._smoothed, self.rtt.least(time)
            cause = self._rounds.end(time, ack, trip, self._mss, done=done, short=self._short)
            self._add(time, rung, cause, self.end if cause in _OF_THE_SENDER else "path")
            self._begin_round(time, ack)

    def _reader(self, window: int) -> str:
        """A window that is full: is it small because its program does not read?"""
        return (
            "slow-reader" if min(window, self._window or 0) < self._widest / 2 else "receive-buffer"
        )

    def _lone(self, time: int, rung: Rung, newest: Flying) -> None:
        """One small flight was acknowledged, and nothing else was sent meanwhile."""
        least = self.rtt.least(time) or 0
        back = max(self._mark, min(time, newest.time + least))
        over = time - back
        if over >= DELAYED_ACK and not rung.segment.length:
            self._add(back, rung, "round-trip", "path")
            span = self._span(time, rung, "delayed-ack", self.other, _INFERRED)
            self._doubt = Doubt(span, ("nagle", self.end))
            self._mark, self._mark_rung = time, rung.number
        else:
            self._add(time, rung, "round-trip", "path")
        self._begin_round(time, rung.ack or 0)

    def _begin_round(self, time: int, ack: int) -> None:
        self._rounds.begin(time, self._next, ack)

    def decide(self, time: int, *, goes_on: bool) -> None:
        """Its sender goes on or doesn't, which tells what a span in doubt was."""
        doubt = self._doubt
        if doubt is None:
            return
        span = doubt.span
        at_once = time - span.end <= NAGLE
        if at_once and not goes_on:
            return
        self._doubt = None
        if at_once:
            span.cause, span.blamed = doubt.then
        if at_once or not doubt.drop:
            self._push(span)

    def _span(
        self, time: int, rung: Rung, cause: str, blamed: Blamed, certainty: Certainty
    ) -> Span:
        return Span(self._mark, time, cause, blamed, certainty, self._mark_rung, rung.number)

    def _push(self, span: Span) -> None:
        self.spans.append(span)
        self.ended = span.end

    def _add(
        self,
        time: int,
        rung: Rung,
        cause: str,
        blamed: Blamed,
        certainty: Certainty = _INFERRED,
    ) -> None:
        """What its sender has waited for since the last time that this was said."""
        if time > self._mark:
            self._push(self._span(time, rung, cause, blamed, certainty))
            self._mark, self._mark_rung = time, rung.number

    def gap(self, start: int, rung: Rung, first: int, cause: str, blamed: Blamed) -> None:
        """What the silence of both ends was, which its segment ends."""
        if rung.time > start:
            self._push(Span(start, rung.time, cause, blamed, _INFERRED, first, rung.number))

    def finish(self, time: int, rung: Rung, cause: str = "") -> None:
        """Nothing more comes: what it waits for still.

        Args:
            time: when the connection was last seen.
            rung: its last.
            cause: what is known better, such as ``refused``.
        """
        if self._doubt is not None:
            self.decide(self._doubt.span.end + NAGLE + 1, goes_on=False)
        if not self.busy:
            return
        loss, sure = self._loss, _INFERRED
        blamed: Blamed = "path"
        if cause:
            blamed, sure = self.other, _PROVEN
        elif self._una == 0 and self._next == 1 and loss is not None:
            cause = "no-answer"
        elif loss is not None and loss.repeats >= BLACK_HOLE:
            self._add(loss.since, rung, "round-trip", "path")
            cause = "black-hole"
        elif loss is not None:
            cause = loss.cause
        elif self._blocked:
            cause, blamed = self._reader(0), self.other
        else:
            cause = "unknown"
            sure = Certainty.UNKNOWN
        self._add(time, rung, cause, blamed, sure)
        self.busy = False


def closes(rung: Rung) -> bool:
    """Whether a segment is a FIN without data."""
    return bool(rung.segment.flags & FIN) and not rung.segment.length
