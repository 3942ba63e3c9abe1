"""Frames of a whole capture: fragments put together, and what cannot be read."""

from __future__ import annotations

import frames
from msgspec.structs import replace

from trioecho.model import Frame
from trioecho.packet.decoder import Decoder

PACKET = frames.tcp("client", 0x18, 1, 1, b"x" * 100)


def frame(number: int, data: bytes, link: int = frames.RAW) -> Frame:
    return Frame(number, number, data, link, len(data))


def test_a_segment_in_fragments_comes_with_the_last() -> None:
    one, two = frames.fragments(PACKET)
    decoder = Decoder()
    assert list(decoder.segments([frame(1, one)])) == []
    (segment,) = decoder.segments([frame(2, two)])
    assert (segment.frame.number, segment.payload) == (2, b"x" * 100)
    assert decoder.segment(frame(3, two)) is None
    again = decoder.segment(frame(4, one))
    assert again is not None
    assert replace(again, frame=segment.frame) == segment


def test_link_types_that_cannot_be_read_are_kept() -> None:
    decoder = Decoder()
    assert list(decoder.segments([frame(1, PACKET, link=105), frame(2, b"no IP")])) == []
    assert decoder.strangers == {105}
