"""The round-trip time of one direction, and the timer that follows from it."""

from __future__ import annotations

from msgspec import Struct

from trioecho.account.causes import LEAST_RTO
from trioecho.account.least import Least


class Flying(Struct, gc=False):
    """A segment that is not acknowledged: its end, when it was sent, and whether again."""

    end: int
    time: int
    again: bool = False


class Trip:
    """Round-trip times, as their sender sees them.

    Attributes:
        smoothed: the smoothed one in nanoseconds (RFC 6298 §2), 0 before the first.
    """

    __slots__ = ("_least", "_strays", "smoothed")

    def __init__(self) -> None:
        self.smoothed = 0
        self._strays = 0
        self._least = Least()

    @property
    def rto(self) -> int:
        """The retransmission timeout as Linux has it (RFC 6298, with 200 ms at least)."""
        if not self.smoothed:
            return 5 * LEAST_RTO
        return self.smoothed + max(LEAST_RTO, 4 * self._strays)

    def least(self, time: int) -> int | None:
        """The least one of late; None before the first."""
        return self._least.least(time)

    def at_least(self, time: int, took: int) -> None:
        """Take one that is known from elsewhere."""
        self._least.add(time, took)
        if not self.smoothed:
            self.smoothed, self._strays = took, took // 2

    def add(self, time: int, took: int) -> None:
        """Take a measurement (RFC 6298 §2)."""
        self._least.add(time, took)
        if not self.smoothed:
            self.smoothed, self._strays = took, took // 2
            return
        self._strays += (abs(self.smoothed - took) - self._strays) // 4
        self.smoothed += (took - self.smoothed) // 8
