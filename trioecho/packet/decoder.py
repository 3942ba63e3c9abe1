"""Frames -> segments, with IP fragments put together: the one way from bytes to the engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trioecho.model import Frame, Segment
from trioecho.packet.decode import decode
from trioecho.packet.fragments import Fragments
from trioecho.packet.link import LINKS


class Decoder:
    """Decodes the frames of one capture, in their order.

    Attributes:
        strangers: the link types of frames that cannot be read.
    """

    def __init__(self) -> None:
        self.strangers: set[int] = set()
        self._fragments = Fragments()

    def segments(self, frames: Iterable[Frame]) -> Iterator[Segment]:
        """The TCP segments in some frames; one in fragments comes with the last of them.

        Args:
            frames: the frames, in the order of the capture.

        Returns:
            The segments, decoded one by one as they are asked for.
        """
        fragments = self._fragments
        for frame in frames:
            segment = decode(frame, fragments)
            if segment is not None:
                yield segment
            elif frame.link not in LINKS:
                self.strangers.add(frame.link)

    def segment(self, frame: Frame) -> Segment | None:
        """The TCP segment that is whole with a frame, or None.

        Args:
            frame: the next frame.

        Returns:
            The segment.
        """
        return decode(frame, self._fragments)
