"""Round by round: what holds a sender back that always has more to send."""

from __future__ import annotations

from collections import deque

from trioecho.account.causes import (
    BLOATED,
    BLOATED_BY,
    BURST,
    FLAT,
    FULL,
    GROWTH,
    INFLATED,
    OF_LATE,
    ROUND,
    ROUNDS,
    UNUSED,
    UNUSED_AFAR,
)


class Rounds:
    """A round goes from a segment's departure to its ACK.

    Attributes:
        to: what must be acknowledged for this round to end.
        acked: what was acknowledged when it began.
        flight: the most bytes that were in flight in it.
        flat: for how many rounds its ACKs have made room that nothing has used: no more waits in
            the sender's buffer.
    """

    __slots__ = (
        *("_acks", "_last", "_lasted", "_level", "_paused", "_pushed", "_rates", "_start"),
        *("_unused", "_waits", "acked", "flat", "flight", "to"),
    )

    def __init__(self) -> None:
        self.to = 0
        self.acked = 0
        self.flight = 0
        self.flat = 0
        self._acks = 0
        self._unused = 0.0  # how many of the ACKs of late made room that nothing has used
        self._waits = False  # whether nothing has used that of the last one
        self._pushed = False  # whether the last segment with data had the PSH flag
        self._paused = 0  # between short segments of this round and what followed them
        self._start = 0
        self._lasted = 0
        self._last = 0  # the flight of the round before
        self._level = 0
        self._rates: deque[float] = deque(maxlen=ROUNDS)

    def begin(self, time: int, to: int, acked: int, *, anew: bool = False) -> None:
        """A round begins, the first one after a pause or another."""
        self._lasted = 0 if anew else self._lasted + 1
        self.to, self.acked, self.flight, self._start = to, acked, to - acked, time
        self._paused = 0

    def acknowledged(self) -> None:
        """An ACK makes room for more."""
        self._acks = min(self._acks + 1, OF_LATE)
        self._unused += (self._waits - self._unused) / self._acks
        self._waits = True

    def sent(self, *, pushed: bool) -> None:
        """Its sender sends something new, with the PSH flag or without."""
        self._waits, self._pushed = False, pushed

    def resumed(self, time: int, since: int) -> None:
        """Its sender goes on behind a segment that was no full one."""
        self._paused += time - max(since, self._start)

    def short(self, time: int, least: int | None) -> bool:
        """Whether it is too short for a round trip: ACKs come in bunches."""
        return least is not None and time - self._start < ROUND * least

    def end(
        self,
        time: int,
        ack: int,
        trip: tuple[int, int | None],
        mss: int,
        *,
        partial: bool,
        near: bool,
    ) -> str:
        """A round ends: what has held its sender back, if it has more to send.

        Args:
            time: when, nanoseconds since the epoch.
            ack: up to where all is acknowledged.
            trip: the round-trip time now, and the least of late, nanoseconds.
            mss: bytes of a full segment.
            partial: whether the last segment was no full one.
            near: whether it is known what came first at its sender, an ACK or a segment.

        Returns:
            The cause.
        """
        took = time - self._start
        rate = (ack - self.acked) / took if took > 0 else 0.0
        full, short = self._full(rate, *trip), self.short(time, trip[1])
        if not short:
            self._level_off(mss, near=near)
        if full and self._lasted:  # a single flight is a message, whose time is its way
            cause = full
        elif partial:
            # A message that was written at once only travels; one that dribbles out is its
            # program's. Between full segments it is the machine that was busy.
            cause = "application" if self._paused > took * BURST else "round-trip"
        elif self.flight >= GROWTH * self._last:
            cause = "slow-start"
        else:
            cause = "send-buffer" if self.flat >= FLAT - 1 else "congestion-window"
        if not short:
            self._last = self.flight
            self._rates.append(rate)
        return cause

    def _full(self, rate: float, now: int, least: int | None) -> str:
        """Whether the path carries no more: a queue stands before it."""
        if not least or now <= INFLATED * least or rate < FULL * self._highest():
            return ""
        bloated = now >= BLOATED * least and now >= least + BLOATED_BY
        return "bufferbloat" if bloated else "bottleneck"

    def _highest(self) -> float:
        """The highest rate of late but one, since ACKs that come in a bunch make one too high."""
        rates = sorted(self._rates)
        return rates[-2] if len(rates) > 2 else max(rates, default=0.0)

    def _level_off(self, mss: int, *, near: bool) -> None:
        """See whether its sender has no more to send: a congestion window would be used at once.

        Seen from afar the order of ACKs and segments is a guess. Then the flight must be the same,
        within a segment, and pushed to its end, too.
        """
        same = abs(self.flight - self._level) <= mss
        unused = self._unused >= UNUSED if near else self._unused >= UNUSED_AFAR and self._pushed
        if unused and (near or same):
            self.flat += 1
        else:
            self.flat = 0
        if not same:
            self._level = self.flight
