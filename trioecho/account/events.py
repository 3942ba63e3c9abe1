"""When each end hears of a segment, where a tap sees only one moment of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import Struct

from trioecho.model import OTHER, End, Rung


class Event(Struct, gc=False):
    """An end hears of a segment at a time; ``done``: that has been taken."""

    time: int
    rung: Rung
    done: bool = False


class Events:
    """Takes segments with the times at which they are heard, and gives them in order."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Event]] = []
        self._count = 0
        # What each end will hear, in the order in which it was seen.
        self._heard: dict[End, deque[Event]] = {"client": deque(), "server": deque()}
        self._acked: dict[End, int] = {"client": 0, "server": 0}

    def heard(self, time: int, rung: Rung) -> None:
        """The other end hears of a segment at a time, as far as that is known."""
        event = Event(time, rung)
        queue = self._heard[OTHER[rung.sender]]
        while queue and queue[0].done:
            queue.popleft()
        queue.append(event)
        self._put(event)

    def proven(self, rung: Rung) -> None:
        """What a segment acknowledges, its sender has heard by now, and all that came before it."""
        sender, ack = rung.sender, rung.ack
        if ack is None or ack <= self._acked[sender]:
            return
        self._acked[sender] = ack
        queue, known = self._heard[sender], 0
        for place, event in enumerate(queue, 1):
            segment = event.rung.segment
            if segment.space:
                if event.rung.seq + segment.space > ack:
                    break
                known = place
        for _ in range(known):
            event = queue.popleft()
            if not event.done and event.time > rung.time:
                self._put(Event(rung.time, event.rung))
                event.done = True

    def until(self, time: int | None = None) -> Iterator[tuple[int, Rung]]:
        """What was heard until a time, or all: when, and its rung."""
        heap = self._heap
        while heap and (time is None or heap[0][0] <= time):
            when, _, event = heappop(heap)
            if not event.done:
                event.done = True
                yield when, event.rung

    def _put(self, event: Event) -> None:
        self._count += 1
        heappush(self._heap, (event.time, self._count, event))
