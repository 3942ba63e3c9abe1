"""Plays the frames of a wire of ours to the engine as the wire did: each is sent, then arrives."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import Struct
from msgspec.structs import replace

from trioecho.model import End, Rung, Segment
from trioecho.tcp.tracker import Tracker

#: Rungs that may wait for their arrival, or for that of one before them. A wire lets no more wait;
#: a file could, and then the first is shown as one that is still under way.
MOST_WAITING = 10_000


class _Waiting(Struct):
    rung: Rung
    arrives: int | None = None


class Replay:
    """Puts what was sent and what arrived in the order of the two, as far as a file tells."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._waiting: deque[_Waiting] = deque()
        self._due: list[tuple[int, int, _Waiting]] = []
        self._count = 0

    def see(self, segment: Segment) -> Iterator[Rung]:
        """Take the next segment, and give the rungs of which all is known now, in order."""
        way, tracker = segment.frame.way, self._tracker
        self._arrive(segment.frame.time)
        if way is None:
            waiting = _Waiting(tracker.seen(segment))
        else:
            tracker.listens(segment.destination, now=way.listens)
            if way.stopped and (found := tracker.find(segment.source, segment.destination)):
                end: End = "client" if found.halves(segment)[0] is found.client else "server"
                found.stopped(end, segment.frame.time)
            rung = tracker.sent(segment, way.kind)
            waiting = _Waiting(rung)
            if way.lost:
                waiting.rung = replace(rung, broken=way.broken, too_large=way.too_large)
                tracker.connections[rung.connection - 1].lost(waiting.rung)
            elif way.took is None:
                waiting.rung = replace(rung, lost=False)
            else:
                waiting.arrives = rung.time + way.took
                self._count += 1
                heappush(self._due, (waiting.arrives, self._count, waiting))
            if way.fault or way.edited:
                waiting.rung = replace(waiting.rung, fault=way.fault, edited=way.edited)
        self._waiting.append(waiting)
        if len(self._waiting) > MOST_WAITING and self._waiting[0].arrives is not None:
            first = self._waiting[0]
            first.rung, first.arrives = replace(first.rung, lost=False), None
        yield from self._known()

    def rest(self) -> Iterator[Rung]:
        """Let all that is under way arrive, and give the rungs that have waited for that."""
        self._arrive(None)
        yield from self._known()

    def _arrive(self, until: int | None) -> None:
        """Let arrive what does so up to a time."""
        while self._due and (until is None or self._due[0][0] <= until):
            time, _, waiting = heappop(self._due)
            if waiting.arrives is not None:
                connection = self._tracker.connections[waiting.rung.connection - 1]
                waiting.rung, waiting.arrives = connection.arrived(waiting.rung, time), None

    def _known(self) -> Iterator[Rung]:
        while self._waiting and self._waiting[0].arrives is None:
            yield self._waiting.popleft().rung
