"""When each end hears of a segment, where a tap sees only one moment of it."""

from __future__ import annotations

from collections import deque
from heapq import heappush

from msgspec import Struct

from trioecho.model import Rung


class Event(Struct, gc=False):
    """An end hears of a segment.

    Args:
        time: when.
        rung: the segment's.
        end: one past the sequence numbers that it takes; None where it takes none.
        done: whether that has been taken.
    """

    time: int
    rung: Rung
    end: int | None
    done: bool = False


class Ear:
    """What one end will hear, in the order in which it was seen, and what it has acknowledged."""

    __slots__ = ("acked", "coming")

    def __init__(self) -> None:
        self.acked = 0
        self.coming: deque[Event] = deque()


class Events:
    """Takes segments with the times at which they are heard, and gives them in order.

    Attributes:
        due: those that are to come, with their times and places, the first one first.
    """

    __slots__ = ("_count", "due")

    def __init__(self) -> None:
        self.due: list[tuple[int, int, Event]] = []
        self._count = 0

    def heard(self, ear: Ear, time: int, rung: Rung, end: int | None) -> None:
        """An end hears of a segment at a time, as far as that is known."""
        event, coming = Event(time, rung, end), ear.coming
        while coming and coming[0].done:
            coming.popleft()
        coming.append(event)
        self._count = count = self._count + 1
        heappush(self.due, (time, count, event))

    def proven(self, ear: Ear, time: int, ack: int) -> None:
        """What an end acknowledges it has heard by then, and all that came before it."""
        coming, known = ear.coming, 0
        ear.acked = ack
        for place, event in enumerate(coming, 1):
            if event.end is not None:
                if event.end > ack:
                    break
                known = place
        for _ in range(known):
            event = coming.popleft()
            if not event.done and event.time > time:
                event.done = True
                self._count += 1
                heappush(self.due, (time, self._count, Event(time, event.rung, event.end)))
