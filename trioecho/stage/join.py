"""Frames and socket calls, each in order of its own, become one ladder in order of time."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from msgspec.structs import replace

from trioecho.model import Call, Endpoint, Frame, Rung, Summary
from trioecho.model import CaptureSummary as Captured
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker


class Join:
    """Where the two roads meet.

    Frames reach us in batches, some milliseconds late; calls at once. So a call is held back until
    a frame that is younger has come, which proves that the older ones have, or until its time has
    been settled: the caller says from when on no older frame can come any more.

    Only the connections of a server that was told are ours; other segments are passed over.
    """

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.frames = 0
        self._servers: set[Endpoint] = set()
        self._held: list[tuple[int, int, Call]] = []
        self._calls = 0

    def serve(self, server: Endpoint) -> None:
        """Let the connections of a server in.

        Args:
            server: the endpoint it listens on.
        """
        self._servers.add(server)

    def call(self, call: Call) -> None:
        """Take a socket call; it comes out in its place.

        Args:
            call: the call.
        """
        self._calls += 1
        heappush(self._held, (call.time, self._calls, call))

    def batch(self, frames: Iterable[Frame]) -> list[Rung | Call]:
        """Take frames, in the order of the capture.

        Args:
            frames: the frames; none make a mark, behind which the calls told so far are let out.

        Returns:
            The events that are in their place now, in order of time.
        """
        events: list[Rung | Call] = []
        for frame in frames:
            segment = decode(frame)
            if segment is None:
                continue
            if not (segment.source in self._servers or segment.destination in self._servers):
                continue
            self.frames += 1
            if frame.number != self.frames:  # others' frames lie between: ours are numbered alone
                segment = replace(segment, frame=replace(frame, number=self.frames))
            self._release(frame.time, events)
            events.append(self.tracker.seen(segment))
        return events

    def settle(self, until: int) -> list[Rung | Call]:
        """Let go of the calls up to a time.

        Args:
            until: nanoseconds since the epoch; no frame that is older can come any more.

        Returns:
            The calls, in order of time.
        """
        events: list[Rung | Call] = []
        self._release(until, events)
        return events

    @property
    def waiting(self) -> bool:
        """Whether a call is held back."""
        return bool(self._held)

    def over(self) -> bool:
        """Whether every connection, also one that was only called for, has come to its end."""
        return self.tracker.over()

    def summary(self, interface: str, dropped: int) -> Summary:
        """What it all came to.

        Args:
            interface: the interface's name.
            dropped: frames that the kernel dropped.

        Returns:
            The summary.
        """
        return Summary(self.tracker.summaries(), Captured(interface, self.frames, dropped))

    def _release(self, until: int, events: list[Rung | Call]) -> None:
        while self._held and self._held[0][0] <= until:
            call = heappop(self._held)[2]
            if call.local is not None and call.peer is not None:
                events.append(replace(call, connection=self.tracker.called(call)))
            else:
                events.append(call)
