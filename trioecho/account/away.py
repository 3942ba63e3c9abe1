"""How far both ends are from the place of the capture."""

from __future__ import annotations

from trioecho.model import OTHER, End, Rung


class Away:
    """The least time from the tap to each end and back, in nanoseconds.

    Attributes:
        least: it, for the client and for the server; None before it could be measured.
    """

    def __init__(self) -> None:
        self.least: dict[End, int | None] = {"client": None, "server": None}
        # What each end was sent and has not acknowledged at the tap: its number, and when.
        self._passed: dict[End, tuple[int, int] | None] = {"client": None, "server": None}

    def see(self, rung: Rung, *, again: bool) -> int | None:
        """Take the next rung that was seen at the tap.

        Args:
            rung: the rung.
            again: whether it repeats what was sent before, or probes.

        Returns:
            The whole round trip, when it becomes known with this rung.
        """
        sender, other, whole = rung.sender, OTHER[rung.sender], None
        passed = self._passed[sender]
        if passed is not None and rung.ack is not None and rung.ack >= passed[0]:
            away, took = self.least[sender], rung.time - passed[1]
            self.least[sender] = took if away is None else min(away, took)
            self._passed[sender] = None
            beyond = self.least[other]
            if away is None and beyond is not None:
                whole = took + beyond
        if rung.segment.space and self._passed[other] is None and not again:
            self._passed[other] = (rung.seq + rung.segment.space, rung.time)
        return whole

    def of(self, end: End) -> int:
        """That of an end, 0 where it is not known."""
        return self.least[end] or 0
