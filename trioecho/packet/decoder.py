"""Frames -> segments, with IP fragments put together: the one way from bytes to the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trioecho.model import Frame, Segment
from trioecho.packet.census import Census
from trioecho.packet.decode import decode, decode_all
from trioecho.packet.fragments import Fragments
from trioecho.packet.link import LINKS, MANY


class Decoder:
    """Decodes the frames of one capture, in their order.

    Attributes:
        strangers: the link types of frames that cannot be read.
        census: what there was instead of TCP, until the first segment came.
    """

    def __init__(self) -> None:
        self.strangers: set[int] = set()
        self.census = Census()
        self._fragments = Fragments()
        self._counting = True

    def segments(self, frames: Iterable[Frame]) -> Iterator[Segment]:
        """The TCP segments in some frames; one in fragments comes with the last of them.

        A frame of 802.11 may hold several.

        Args:
            frames: the frames, in the order of the capture.

        Returns:
            The segments, decoded one by one as they are asked for.
        """
        fragments = self._fragments
        for frame in frames:
            if frame.link in MANY:
                several = decode_all(frame, fragments)
                segment = several.pop() if several else None
                yield from several
            else:
                segment = decode(frame, fragments)
            if segment is not None:
                self._counting = False
                yield segment
                continue
            if self._counting:
                self.census.add(frame)
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
