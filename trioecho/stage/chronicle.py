"""What happens on the wire and at its ends, as one ladder in order of time."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol

import trio
from msgspec import Struct
from msgspec.structs import replace

from trioecho.model import (
    OTHER,
    Call,
    CaptureSummary,
    End,
    Endpoint,
    Kernel,
    Rung,
    Segment,
    Summary,
)
from trioecho.stage.wire import Passage
from trioecho.tcp.connection import Connection
from trioecho.tcp.tracker import Tracker

#: Rungs and calls that may wait to be taken before the wire waits too.
MOST_WAITING = 5_000


class Kernels(Protocol):
    """Who asks the kernels of both ends."""

    def told(self, call: Call) -> None:
        """A socket call was made, which may tell whose socket a connection is.

        Args:
            call: the call.
        """

    def ask(self, end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
        """What the kernel of one end says of a connection.

        Args:
            end: which end's kernel.
            client, server: the connection's two endpoints.

        Returns:
            What it says; None when it knows of no such connection.
        """


class _Entry(Struct):
    """A place on the ladder: a call, or a segment that may still be under way."""

    event: Call | Rung
    connection: Connection | None = None
    under_way: bool = False


class Chronicle:
    """An observer of a wire that makes rungs of what it sees, and puts calls among them.

    The engine is told at once, of a sending and of an arrival each at its time. A rung comes out
    when it is known whether its segment arrived, behind all that was sent before it.

    Args:
        kernels: are asked at each rung; None for no questions.
        most: rungs and calls that may wait to be taken before the wire waits too; None for any
            number.

    Attributes:
        tracker: the connections.
        finished: whether nothing more will be told.
    """

    def __init__(self, kernels: Kernels | None = None, most: int | None = MOST_WAITING) -> None:
        self.tracker = Tracker()
        self._moved = trio.Event()
        self._taken = trio.Event()
        self.finished = False
        self._most = most
        self._kernels = kernels
        self._entries: list[tuple[int, int, _Entry]] = []
        self._under_way: dict[int, _Entry] = {}
        self._order = 0
        self._frames = 0

    def call(self, call: Call) -> None:
        """Take a socket call.

        Args:
            call: the call, at the time at which it returned.
        """
        if self._kernels is not None:
            self._kernels.told(call)
        if call.local is not None and call.peer is not None:
            call = replace(call, connection=self.tracker.called(call))
        self.add(call)

    def add(self, call: Call) -> None:
        """Take a socket call as it is: no connection is expected because of it.

        Args:
            call: the call, at the time at which it returned.
        """
        self._add(call.time, _Entry(call))

    def seen(self, segment: Segment) -> None:
        """Take a segment that one tap has seen, where there is no wire that knows more.

        Args:
            segment: the segment, at the time at which the tap saw it.
        """
        if self.finished:
            return
        self._frames += 1
        self._add(segment.frame.time, _Entry(self.tracker.seen(segment)))

    def sent(self, passage: Passage) -> None:
        """A segment has been sent."""
        if self.finished:
            return
        self._frames += 1
        segment = passage.segment
        rung = self.tracker.sent(segment, forged=passage.kind == "injected")
        connection = self.tracker.find(segment.source, segment.destination)
        assert connection is not None
        rung = self._with_kernel(rung, connection, passage.end)
        if passage.kind != "original":
            rung = replace(rung, kind=passage.kind)
        entry = _Entry(rung, connection, under_way=True)
        self._under_way[passage.frame.number] = entry
        self._add(rung.time, entry)

    def done(self, passage: Passage) -> None:
        """It has arrived, or been lost."""
        entry = self._under_way.pop(passage.frame.number, None)
        if entry is None:  # it was sent before this observer was there, or all is finished
            return
        rung, connection = entry.event, entry.connection
        assert isinstance(rung, Rung)
        assert connection is not None
        if passage.arrived is not None:
            rung = connection.arrived(rung, passage.arrived)
            rung = self._with_kernel(rung, connection, OTHER[passage.end])
        if passage.fault or passage.broken:
            rung = replace(rung, fault=passage.fault, broken=passage.broken)
        entry.event, entry.under_way = rung, False
        self._move()

    def ready(self, until: int | None = None) -> list[Call | Rung]:
        """Take what is in its place now.

        Args:
            until: nanoseconds since the epoch; later events may still get company. None for none.

        Returns:
            Events in order of time.
        """
        events: list[Call | Rung] = []
        entries = self._entries
        while entries and not entries[0][2].under_way:
            if until is not None and entries[0][0] > until:
                break
            events.append(heappop(entries)[2].event)
        if events:
            self._taken.set()
            self._taken = trio.Event()
        return events

    @property
    def full(self) -> bool:
        """Whether too much waits to be taken: a ladder that nobody takes must not grow."""
        return self._most is not None and len(self._entries) > self._most and not self.finished

    async def room(self) -> None:
        """Wait until it is not full."""
        while self.full:
            await self._taken.wait()

    def pending(self) -> list[Call | Rung]:
        """What is not in its place yet, as it stands now; it stays there."""
        return [
            replace(entry.event, lost=False)
            if isinstance(entry.event, Rung) and entry.under_way
            else entry.event
            for _, _, entry in sorted(self._entries)
        ]

    async def change(self) -> None:
        """Wait until there may be something new to take."""
        await self._moved.wait()

    def finish(self) -> None:
        """Nothing more is to be told; what is still under way will not arrive any more."""
        self.finished = True
        self._taken.set()
        for entry in self._under_way.values():
            assert isinstance(entry.event, Rung)
            entry.event, entry.under_way = replace(entry.event, lost=False), False
        self._under_way.clear()
        self._move()

    def over(self) -> bool:
        """Whether every connection has come to its end, and nothing is under way."""
        return not self._under_way and self.tracker.over()

    def summary(self, interface: str, unmatched: tuple[str, ...] = (), dropped: int = 0) -> Summary:
        """What it all came to.

        Args:
            interface: what the wire is called.
            unmatched: a sentence for each fault that has not done anything.
            dropped: frames that a tap has missed.

        Returns:
            The summary.
        """
        captured = CaptureSummary(interface, self._frames, dropped)
        return Summary(self.tracker.summaries(), captured, unmatched=unmatched)

    def _add(self, time: int, entry: _Entry) -> None:
        self._order += 1
        heappush(self._entries, (time, self._order, entry))
        self._move()

    def _move(self) -> None:
        self._moved.set()
        self._moved = trio.Event()

    def _with_kernel(self, rung: Rung, connection: Connection, end: End) -> Rung:
        """A rung with what the kernel says of the end at which something has just happened."""
        if self._kernels is None:
            return rung
        kernel = self._kernels.ask(end, connection.client.endpoint, connection.server.endpoint)
        if end == "client":
            return replace(rung, client_kernel=kernel)
        return replace(rung, server_kernel=kernel)
