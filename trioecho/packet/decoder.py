"""Frames -> segments, with IP fragments put together: the one way from bytes to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from trioecho.model import Datagram, Frame, Segment
from trioecho.packet.census import Census
from trioecho.packet.datagrams import datagram_of
from trioecho.packet.decode import decode, decode_all, look
from trioecho.packet.fragments import Fragments
from trioecho.packet.link import LINKS, MANY


class Decoder:
    """Decodes the frames of one capture, in their order.

    Args:
        on_datagram: told of each UDP datagram; without it none is decoded.

    Attributes:
        strangers: the link types of frames that cannot be read.
        census: what there was instead of TCP, until the first segment came.
    """

    def __init__(self, on_datagram: Callable[[Datagram], None] | None = None) -> None:
        self.strangers: set[int] = set()
        self.census = Census()
        self._fragments = Fragments()
        self._counting = True
        self._on_datagram = on_datagram

    def segments(self, frames: Iterable[Frame]) -> Iterator[Segment]:
        """The TCP segments in some frames; one in fragments comes with the last of them.

        A frame of 802.11 may hold several.

        Args:
            frames: the frames, in the order of the capture.

        Returns:
            The segments, decoded one by one as they are asked for.
        """
        fragments, frames = self._fragments, iter(frames)
        if self._counting:
            yield from self._first(frames)
        for frame in frames:
            if frame.link in MANY:
                several = decode_all(frame, fragments)
                segment = several.pop() if several else None
                yield from several
            else:
                segment = decode(frame, fragments)
            if segment is not None:
                yield segment
            elif self._on_datagram is not None and (datagram := datagram_of(frame)) is not None:
                self._on_datagram(datagram)
            elif frame.link not in LINKS:
                self.strangers.add(frame.link)

    def _first(self, frames: Iterator[Frame]) -> Iterator[Segment]:
        """The segments of the first frame that has any; what is in those before it is counted."""
        census, fragments = self.census, self._fragments
        for frame in frames:
            if self._on_datagram is not None and (datagram := datagram_of(frame)) is not None:
                self._on_datagram(datagram)
            if census.glance(frame):
                continue
            if frame.link in MANY and (several := decode_all(frame, fragments)):
                self._counting = False
                yield from several
                return
            found = look(frame, fragments if frame.link not in MANY else None)
            if isinstance(found, Segment):
                self._counting = False
                yield found
                return
            census.add(frame, found)
            if frame.link not in LINKS:
                self.strangers.add(frame.link)

    def segment(self, frame: Frame) -> Segment | None:
        """The TCP segment that is whole with a frame, or None.

        Args:
            frame: the next frame.

        Returns:
            The segment.
        """
        return decode(frame, self._fragments)
