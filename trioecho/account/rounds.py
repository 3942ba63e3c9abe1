"""Round by round: what holds a sender back that always has more to send."""

from __future__ import annotations

from collections import deque

from trioecho.account.causes import BLOATED, BLOATED_BY, FLAT, FULL, GROWTH, INFLATED, ROUNDS


class Rounds:
    """A round goes from a segment's departure to its ACK.

    Attributes:
        to: what must be acknowledged for this round to end.
        acked: what was acknowledged when it began.
        flight: the most bytes that were in flight in it.
    """

    def __init__(self) -> None:
        self.to = 0
        self.acked = 0
        self.flight = 0
        self._start = 0
        self._flights: deque[int] = deque(maxlen=FLAT)
        self._rates: deque[float] = deque(maxlen=ROUNDS)

    def begin(self, time: int, to: int, acked: int) -> None:
        """A round begins."""
        self.to, self.acked, self.flight, self._start = to, acked, to - acked, time

    def end(
        self,
        time: int,
        ack: int,
        trip: tuple[int, int | None],
        mss: int,
        *,
        done: bool,
        short: bool,
    ) -> str:
        """A round ends: what has held its sender back.

        Args:
            time: when, nanoseconds since the epoch.
            ack: up to where all is acknowledged.
            trip: the round-trip time now, and the least of late, nanoseconds.
            mss: bytes of a full segment.
            done: whether all that was sent is acknowledged.
            short: whether the last segment was no full one.

        Returns:
            The cause.
        """
        took = time - self._start
        rate = (ack - self.acked) / took if took > 0 else 0.0
        if done:
            cause = "round-trip"
        elif short:
            cause = "application"
        elif not self._flights or self.flight >= GROWTH * self._flights[-1]:
            cause = "slow-start"
        else:
            cause = self._steady(rate, *trip, mss)
        self._flights.append(self.flight)
        self._rates.append(rate)
        return cause

    def _steady(self, rate: float, now: int, least: int | None, mss: int) -> str:
        """The flight grows no more, and there is no loss."""
        if least and rate >= FULL * max(self._rates) and now > INFLATED * least:
            bloated = now >= BLOATED * least and now >= least + BLOATED_BY
            return "bufferbloat" if bloated else "bottleneck"
        flights = [*self._flights, self.flight]
        if len(flights) > FLAT and max(flights) - min(flights) <= mss:
            return "send-buffer"
        return "congestion-window"
