"""A capture file -> rungs: decode, track, select. Plain and synchronous: a file is always ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from trioecho.capture.source import ToldFrames
from trioecho.model import (
    CaptureSummary,
    ConnectionSummary,
    Datagram,
    Frame,
    Rung,
    Segment,
    Summary,
)
from trioecho.model.selection import Selection
from trioecho.packet.census import Census
from trioecho.packet.decode import ports_at_a_glance
from trioecho.packet.decoder import Decoder
from trioecho.reading.replay import Replay
from trioecho.tcp.tracker import Tracker

_MIXER = (
    0x9E3779B1  # 2 ** 32 by the golden ratio: multiplied by it, neighbours come to lie far apart
)


class Part(Protocol):
    """Some of a capture's connections."""

    def takes(self, segment: Segment) -> bool:
        """Whether a segment's connection is one of them; both its directions are."""


class Share(NamedTuple):
    """One part of a capture's connections, when several readers each take one.

    Args:
        part: which, from 0.
        parts: of how many.
    """

    part: int
    parts: int

    def takes(self, segment: Segment) -> bool:
        """Whether a segment's connection is in this part; both its directions are."""
        return _part(segment.source.port ^ segment.destination.port, self.parts) == self.part

    def passes(self, data: bytes, start: int, end: int, link: int) -> bool:
        """Whether a packet is at a glance one whose connection is in another part."""
        ports = ports_at_a_glance(data, start, end, link)
        if ports is None:
            return False
        part, parts = self
        return (ports * _MIXER >> 16) % parts != part  # ``_part`` written out, for each packet


def _part(ports: int, parts: int) -> int:
    """Which of so many parts the connections between two ports are in.

    They are mixed: the ports that a kernel picks for connect() are all even, or all odd.
    """
    return (ports * _MIXER >> 16) % parts


class Reading:
    """One capture, read from front to back.

    Args:
        selection: which connections' rungs are wanted.
        share: which of all connections to read.
        on_datagram: told of each UDP datagram.

    Attributes:
        tracker: the connections so far.
        start: the time of the first frame, nanoseconds since the epoch.
    """

    def __init__(
        self,
        selection: Selection | None = None,
        *,
        share: Part | None = None,
        on_datagram: Callable[[Datagram], None] | None = None,
    ) -> None:
        self.tracker = Tracker(by_frame=True)
        self.start: int | None = None
        self._share = share
        self._selection = selection or Selection()
        self._decoder = Decoder(on_datagram)
        self._replay: Replay | None = None
        self._attempts: set[int] = set()

    @property
    def strangers(self) -> set[int]:
        """The link types of frames that cannot be read."""
        return self._decoder.strangers

    @property
    def census(self) -> Census:
        """What there was instead of TCP, until the first segment came."""
        return self._decoder.census

    def rungs(self, frames: Sequence[Frame]) -> list[Rung]:
        """The rungs of the connections selected in some frames, in the order of the capture.

        Returns:
            The rungs.
        """
        segments = self._segments(frames)
        if self._replay is None and not isinstance(frames, ToldFrames):
            rungs: Iterator[Rung] = map(self.tracker.seen, segments)
        else:
            rungs = self._replayed(segments)
        if self._selection.everything:
            return list(rungs)
        return list(filter(self._selection.takes, rungs))

    def notice(self, frames: Sequence[Frame]) -> None:
        """As ``rungs``, where only what the connections come to is wanted."""
        noticed, segments = self.tracker.noticed, self._segments(frames)
        if self._replay is not None or isinstance(frames, ToldFrames):
            for _ in self._replayed(segments):
                pass
            return
        for segment in segments:
            noticed(segment)

    def through(self, batches: Iterable[Sequence[Frame]]) -> Iterator[Rung]:
        """All rungs of the connections selected, from a capture's first frame to its last."""
        for frames in batches:
            yield from self.rungs(frames)
        yield from self.rest()

    def rest(self) -> list[Rung]:
        """The rungs that waited for an arrival, when all frames have been read."""
        rungs = self._replay.rest() if self._replay is not None else ()
        if self._selection.only_trouble:
            self._attempts = {one.number for one in self.tracker.summaries() if one.attempt}
        return list(filter(self._selection.takes, rungs))

    def _replayed(self, segments: Iterable[Segment]) -> Iterator[Rung]:
        """The rungs of which all is known by now, where the file tells what became of segments."""
        if self._replay is None:
            self._replay = Replay(self.tracker)
        return chain.from_iterable(map(self._replay.see, segments))

    def _segments(self, frames: Sequence[Frame]) -> Iterator[Segment]:
        """The segments in some frames, as far as their connections are in our share."""
        if self.start is None and frames:
            self.start = frames[0].time
        segments = self._decoder.segments(frames)
        return segments if self._share is None else filter(self._share.takes, segments)

    def troubled(self, number: int) -> bool:
        """Whether a connection has had trouble until now, or at the end is but an attempt."""
        return self.tracker.connections[number - 1].troubles > 0 or number in self._attempts

    def connections(self) -> Iterator[ConnectionSummary]:
        """The connections selected, in the order of their appearance."""
        for one in self.tracker.summaries():
            if self._selection.keeps(one):
                yield one

    def summary(self, interface: str, dropped: int | None) -> Summary:
        """What it came to, of the connections selected.

        Returns:
            The summary.
        """
        captured = CaptureSummary(interface, self.tracker.rungs, dropped, dropped is not None)
        selected = tuple(self.connections())
        return Summary(selected, captured, others=self.tracker.count - len(selected))
