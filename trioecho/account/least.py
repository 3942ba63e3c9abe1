"""The least of what was measured of late."""

from __future__ import annotations

from trioecho.account.causes import MEMORY


class Least:
    """The least round trip of the last 5 to 10 s, in two windows that take turns."""

    __slots__ = ("_before", "_now", "_since")

    def __init__(self) -> None:
        self._before: int | None = None
        self._now: int | None = None
        self._since = 0

    def add(self, time: int, took: int) -> None:
        """Take a measurement, in nanoseconds, at a time."""
        self._turn(time)
        if self._now is None or took < self._now:
            self._now = took

    def least(self, time: int) -> int | None:
        """The least one, None before the first."""
        self._turn(time)
        before, now = self._before, self._now
        return now if before is None or (now is not None and now < before) else before

    def _turn(self, time: int) -> None:
        if time - self._since > MEMORY // 2 and self._now is not None:
            self._before, self._now, self._since = self._now, None, time
