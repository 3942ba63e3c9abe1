"""Events in order: each is released once nothing can come before it any more."""

from __future__ import annotations

from heapq import heappop, heappush

import trio
from msgspec.structs import replace

from trioecho.model import Rung
from trioecho.render import Event
from trioecho.stage.late import NEVER, Entry, LateCalls

#: Events that may wait to be taken before the wire or the tap waits too.
MOST_WAITING = 5_000


class Order:
    """Events in order of time; one whose place is not final holds up the rest.

    Attributes:
        finished: whether no more events come.
    """

    def __init__(self, most: int | None = MOST_WAITING) -> None:
        self.finished = False
        self._most = most
        self._news: trio.Event | None = None  # only where somebody waits
        self._taken = trio.Event()
        self._entries: list[tuple[int, int, Entry]] = []
        self._number = 0
        self._late: list[LateCalls] = []
        self._told_late = self._settled_late = 0
        self._last = 0  # the time of the last event taken

    def add(self, time: int, entry: Entry) -> None:
        """Add an entry, after all that are not later."""
        self._number += 1
        heappush(self._entries, (time, self._number, entry))
        self.wake()

    def add_late(self, time: int, entry: Entry) -> None:
        """Add a call that strace has reported; segments sent before that may still come."""
        self.told_now(entry)
        self.add(time, entry)

    def told_now(self, entry: Entry) -> None:
        """Let an entry wait until all segments sent before now have come."""
        self._told_late += 1
        entry.after = self._told_late

    # ---- what comes out --------------------------------------------------------------------------

    def ready(self) -> list[Event]:
        """Take the events whose place is final."""
        events: list[Event] = []
        entries = self._entries
        until = min((late.until for late in self._late), default=NEVER)
        while entries:
            time, _, entry = entries[0]
            if entry.open or time >= until or self._first_waits():
                break
            heappop(entries)
            event = entry.event
            if entry.late is not None:
                event = entry.late.placed(entry, self._last)
            self._last = max(self._last, event.time)
            events.append(event)
        if events:
            self._taken.set()
            self._taken = trio.Event()
        return events

    def pending(self) -> list[Event]:
        """The events whose place is not final yet, as they stand; they stay queued."""
        return [
            replace(entry.event, lost=False)
            if isinstance(entry.event, Rung) and entry.open
            else entry.event
            for _, _, entry in sorted(self._entries)
        ]

    def news(self) -> trio.Event:
        """An event that is set when there may be something new to take."""
        if self._news is None:
            self._news = trio.Event()
        return self._news

    async def change(self) -> None:
        """Wait until there may be something new to take."""
        await self.news().wait()

    @property
    def full(self) -> bool:
        """Whether too many events are queued: an unread ladder must not grow without bound."""
        if self._most is None or len(self._entries) <= self._most or self.finished:
            return False
        return not self._first_waits()  # it waits for segments, which must be let in

    async def room(self) -> None:
        """Wait until it is not full."""
        while self.full:
            await self._taken.wait()

    async def passed(self, time: int) -> None:
        """Wait until everything queued up to a time has been taken."""
        while self._entries and self._entries[0][0] <= time:
            await self._taken.wait()

    def wake(self) -> None:
        """Wake the tasks that wait for something new."""
        if self._news is not None:
            self._news.set()
            self._news = None

    def _first_waits(self) -> bool:
        """Whether the first entry waits for older segments."""
        entries = self._entries
        return bool(entries) and entries[0][2].after > self._settled_late and not self.finished
