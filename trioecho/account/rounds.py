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
    ROUND,
    ROUNDS,
)


class Rounds:
    """A round goes from a segment's departure to its ACK.

    Attributes:
        to: what must be acknowledged for this round to end.
        acked: what was acknowledged when it began.
        flight: the most bytes that were in flight in it.
        flat: for how many rounds the flight has been the same, within a segment, and all of it was
            pushed: no more was waiting in the sender's buffer.
        pushed: whether the last segment with data had the PSH flag.
    """

    __slots__ = (
        *("_last", "_lasted", "_level", "_paused", "_rates", "_start"),
        *("acked", "flat", "flight", "pushed", "to"),
    )

    def __init__(self) -> None:
        self.to = 0
        self.acked = 0
        self.flight = 0
        self.flat = 0
        self.pushed = False
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
    ) -> str:
        """A round ends: what has held its sender back, if it has more to send.

        Args:
            time: when, nanoseconds since the epoch.
            ack: up to where all is acknowledged.
            trip: the round-trip time now, and the least of late, nanoseconds.
            mss: bytes of a full segment.
            partial: whether the last segment was no full one.

        Returns:
            The cause.
        """
        took = time - self._start
        rate = (ack - self.acked) / took if took > 0 else 0.0
        full, short = self._full(rate, *trip), self.short(time, trip[1])
        if not short:
            self._level_off(mss)
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

    def _level_off(self, mss: int) -> None:
        """See whether the flight grows no more; a congestion window without a loss would."""
        if abs(self.flight - self._level) <= mss and self.pushed:
            self.flat += 1
        else:
            self._level, self.flat = self.flight, 0
