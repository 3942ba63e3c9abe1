"""Frames of one capture -> segments: fragments, several in a frame, and what is no TCP."""

from __future__ import annotations

import frames
from msgspec.structs import replace
from wrapped import OUTER4, aggregate, ethernet, ip4, udp

from trioecho.model import Frame
from trioecho.packet.build import ip_packet
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
    assert replace(again, frame=segment.frame, earlier=segment.earlier) == segment
    assert [one.number for one in (*segment.earlier, *again.earlier)] == [1, 3]


def test_link_types_that_cannot_be_read_are_kept() -> None:
    decoder = Decoder()
    assert list(decoder.segments([frame(1, PACKET, link=189), frame(2, b"no IP")])) == []
    assert decoder.strangers == {189}


DNS = ethernet(ip_packet(*OUTER4, 17, udp(53, b"")))


def captured(*data: bytes, link: int = 1) -> list[Frame]:
    return [Frame(number, 0, one, link, len(one)) for number, one in enumerate(data, 1)]


def test_several_segments_of_one_frame_are_all_there() -> None:
    packets = aggregate(ip4(b"one"), ip4(b"two"), ip4(b"three"))
    found = list(Decoder().segments(captured(packets, aggregate(), aggregate(ip4(b"4")), link=105)))
    assert [segment.payload for segment in found] == [b"one", b"two", b"three", b"4"]
    assert [segment.frame.number for segment in found] == [1, 1, 1, 3]


def test_what_is_no_tcp_is_counted_until_the_first_segment() -> None:
    decoder = Decoder()
    assert list(decoder.segments(captured(DNS, DNS))) == []
    assert decoder.census.kinds == {"UDP": 2}
    assert len(list(decoder.segments(captured(DNS, ethernet(ip4()), DNS)))) == 1
    assert list(decoder.segments(captured(DNS))) == []
    assert decoder.census.kinds == {"UDP": 3}


def test_strangers() -> None:
    decoder = Decoder()
    assert list(decoder.segments(captured(bytes(64), link=189))) == []
    assert decoder.strangers == {189}
    assert decoder.census.kinds == {"USB_LINUX": 1}
