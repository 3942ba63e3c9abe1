"""How far both ends are from the place of the capture."""

from __future__ import annotations

from collections import deque
from typing import Literal

from trioecho.model import FIN, SYN, End, Rung
from trioecho.model.sequence import distance

Place = Literal["client", "server", "middle"]

#: A tap is at an end that answers within this part of the whole round trip.
AT_AN_END = 0.1
#: TSvals that are remembered: a second of them, and more.
MOST = 2048
#: How coarse a TSval is, at most, on what is measured by it (Linux has 1 ms).
TICK = 1_000_000


class Side:
    """What lies between the tap and one end.

    Attributes:
        least: the least time to it and back, nanoseconds; None before it could be measured.
        now: that time now, as its TSecr tells; 0 where it doesn't.
        here: whether the tap is at this end.
        passed: what it was sent and has not acknowledged at the tap, and since when.
    """

    __slots__ = ("data", "echoed", "here", "least", "left", "now", "passed", "since")

    def __init__(self) -> None:
        self.least: int | None = None
        self.now = 0
        self.here = False
        self.passed: int | None = None
        self.since = 0
        # When its last data was seen, and the TSval that it echoed.
        self.data = self.echoed = 0
        # The TSvals that it has sent of late, and when the tap saw each first.
        self.left: deque[tuple[int, int]] = deque(maxlen=MOST)

    @property
    def of(self) -> int:
        """The least time to it and back, 0 where it is not known."""
        return self.least or 0


class Away:
    """The least time from the tap to each end and back, in nanoseconds.

    Attributes:
        client, server: what lies between the tap and that end.
        place: where the tap is, as far as that can be told.
    """

    __slots__ = ("client", "place", "server")

    def __init__(self) -> None:
        self.client, self.server = Side(), Side()
        self.place: Place = "middle"

    def see(self, rung: Rung, *, again: bool) -> int | None:
        """Take the next rung that was seen at the tap.

        Args:
            rung: the rung.
            again: whether it repeats what was sent before, or probes.

        Returns:
            The whole round trip, when it becomes known with this rung.
        """
        mine, theirs = self.client, self.server
        if rung.sender == "server":
            mine, theirs = theirs, mine
        segment, ack = rung.segment, rung.ack
        time, length, stamps = segment.frame.time, segment.length, segment.options.timestamps
        if stamps is not None:
            clock, echo = stamps
            left = mine.left
            if not left or left[-1][0] != clock:
                left.append((clock, time))
            if length:
                _clocks(mine, theirs.left, time, echo)
        whole, passed = None, mine.passed
        if passed is not None and ack is not None and ack >= passed:
            whole = self._measure(mine, theirs, time - mine.since)
        if theirs.passed is None and (length or segment.flags & (SYN | FIN)) and not again:
            theirs.passed, theirs.since = rung.seq + segment.space, time
        return whole

    def _measure(self, mine: Side, theirs: Side, took: int) -> int | None:
        """An end answers what has passed the tap; given is the whole round trip, if it is new."""
        away, mine.passed = mine.least, None
        if away is not None and away <= took:
            return None
        mine.least = took
        self.place = self._place()
        self.client.here, self.server.here = self.place == "client", self.place == "server"
        return took + theirs.least if away is None and theirs.least is not None else None

    def of(self, end: End) -> int:
        """That of an end, 0 where it is not known."""
        return (self.client if end == "client" else self.server).of

    def _place(self) -> Place:
        client, server = self.client.least, self.server.least
        if client is None or server is None:
            return "middle"
        whole = client + server
        if client <= AT_AN_END * whole:
            return "client"
        return "server" if server <= AT_AN_END * whole else "middle"


def _clocks(mine: Side, theirs: deque[tuple[int, int]], time: int, echo: int) -> None:
    """Measure by timestamps (RFC 7323 §4), while an end sends data without a pause.

    The ACK whose time it echoes came after the data before, and so at most a pause ago.
    """
    pause, echoed = time - mine.data, mine.echoed
    mine.data, mine.echoed = time, echo
    now = 0
    while theirs:
        clock, passed = theirs[0]
        if clock == echo:
            if pause <= (mine.least or 0):
                now = mine.now if echoed == echo else time - passed - pause - TICK
            break
        if distance(echo, clock) < 0:  # RFC 7323 §5.2
            break
        theirs.popleft()
    mine.now = now
