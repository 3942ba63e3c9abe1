"""CoDel: a queue that drops before it is full, where packets wait too long for too long. PURE.

A packet is judged as it comes, since it is known then when it leaves the queue. What waits is what
waits before it, where RFC 8289 looks at what waits behind.

Source: RFC 8289 §5.
"""

from __future__ import annotations

from math import sqrt

TARGET, INTERVAL = 5_000_000, 100_000_000  # nanoseconds
_RECENT = 16 * INTERVAL


class Codel:
    """The queue of one direction."""

    def __init__(self) -> None:
        self._above: int | None = None  # when it may begin to drop
        self._dropping = False
        self._next = self._count = self._count_before = 0
        self._largest = 0

    def drops(self, leaves: int, wait: int, size: int, waiting: int) -> bool:
        """Whether a packet is dropped that would leave the queue at a time.

        Args:
            leaves: that time, in nanoseconds.
            wait: how long it has waited then.
            size: its bytes.
            waiting: the bytes that waited before it as it came.
        """
        self._largest = max(self._largest, size)
        if wait < TARGET or waiting <= self._largest:
            self._above, self._dropping = None, False
            return False
        if self._above is None:
            self._above = leaves + INTERVAL
        if leaves < self._above or (self._dropping and leaves < self._next):
            return False
        if self._dropping:
            self._count += 1
            self._next = self._law(self._next)
            return True
        more = self._count - self._count_before
        self._count = more if more > 1 and leaves - self._next < _RECENT else 1
        self._count_before, self._dropping = self._count, True
        self._next = self._law(leaves)
        return True

    def _law(self, time: int) -> int:
        return time + round(INTERVAL / sqrt(self._count))
