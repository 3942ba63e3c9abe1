"""How far both ends are from the place of the capture."""

from __future__ import annotations

from collections import deque
from typing import Literal

from trioecho.model import OTHER, End, Rung
from trioecho.model.sequence import distance

Place = Literal["client", "server", "middle"]

#: A tap is at an end that answers within this part of the whole round trip.
AT_AN_END = 0.1
#: TSvals that are remembered: a second of them, and more.
MOST = 2048
#: How coarse a TSval is, at most, on what is measured by it (Linux has 1 ms).
TICK = 1_000_000


class Away:
    """The least time from the tap to each end and back, in nanoseconds.

    Attributes:
        least: it, for the client and for the server; None before it could be measured.
    """

    def __init__(self) -> None:
        self.least: dict[End, int | None] = {"client": None, "server": None}
        self._now: dict[End, int] = {"client": 0, "server": 0}
        # When each end's last data was seen, and the TSval that it echoed.
        self._data: dict[End, tuple[int, int]] = {"client": (0, 0), "server": (0, 0)}
        # The TSvals that each end has sent of late, and when the tap saw each first.
        self._left: dict[End, deque[tuple[int, int]]] = {
            "client": deque(maxlen=MOST),
            "server": deque(maxlen=MOST),
        }
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
        self._clocks(rung)
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

    def now(self, end: End) -> int:
        """That of an end now, with what waits in queues; the least where that is not known.

        At an end there is none: what it hears there it may answer at once.
        """
        return 0 if self.place == end else max(self.least[end] or 0, self._now[end])

    def _clocks(self, rung: Rung) -> None:
        """Measure by timestamps (RFC 7323 §4), while the end sends without a pause.

        The ACK whose time it echoes came after the data before, and so at most a pause ago.
        """
        stamps = rung.segment.options.timestamps
        if stamps is None:
            return
        sender, other = rung.sender, OTHER[rung.sender]
        left = self._left[sender]
        if not left or left[-1][0] != stamps[0]:
            left.append((stamps[0], rung.time))
        if not rung.segment.length:
            return
        (before, echoed), self._data[sender] = self._data[sender], (rung.time, stamps[1])
        theirs, pause = self._left[other], rung.time - before
        while theirs and distance(stamps[1], theirs[0][0]) > 0:  # RFC 7323 §5.2
            theirs.popleft()
        if pause > (self.least[sender] or 0) or not theirs or theirs[0][0] != stamps[1]:
            self._now[sender] = 0
        elif echoed != stamps[1]:
            self._now[sender] = rung.time - theirs[0][1] - pause - TICK

    def of(self, end: End) -> int:
        """That of an end, 0 where it is not known."""
        return self.least[end] or 0

    @property
    def place(self) -> Place:
        """Where the tap is, as far as that can be told."""
        client, server = self.least["client"], self.least["server"]
        if client is None or server is None:
            return "middle"
        whole = client + server
        if client <= AT_AN_END * whole:
            return "client"
        return "server" if server <= AT_AN_END * whole else "middle"
