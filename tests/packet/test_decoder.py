"""Frames of one capture -> segments, and what there was instead."""

from __future__ import annotations

from formats import OUTER4, aggregate, ethernet, ip4, udp

from trioecho.model import Frame
from trioecho.packet.build import ip_packet
from trioecho.packet.decoder import Decoder

DNS = ethernet(ip_packet(*OUTER4, 17, udp(53, b"")))


def frames(*data: bytes, link: int = 1) -> list[Frame]:
    return [Frame(number, 0, one, link, len(one)) for number, one in enumerate(data, 1)]


def test_several_segments_of_one_frame_are_all_there() -> None:
    packets = aggregate(ip4(b"one"), ip4(b"two"), ip4(b"three"))
    found = list(Decoder().segments(frames(packets, aggregate(), aggregate(ip4(b"4")), link=105)))
    assert [segment.payload for segment in found] == [b"one", b"two", b"three", b"4"]
    assert [segment.frame.number for segment in found] == [1, 1, 1, 3]


def test_what_is_no_tcp_is_counted_until_the_first_segment() -> None:
    decoder = Decoder()
    assert list(decoder.segments(frames(DNS, DNS))) == []
    assert decoder.census.kinds == {"UDP": 2}
    assert len(list(decoder.segments(frames(DNS, ethernet(ip4()), DNS)))) == 1
    assert list(decoder.segments(frames(DNS))) == []
    assert decoder.census.kinds == {"UDP": 3}


def test_strangers() -> None:
    decoder = Decoder()
    assert list(decoder.segments(frames(bytes(64), link=189))) == []
    assert decoder.strangers == {189}
    assert decoder.census.kinds == {"USB_LINUX": 1}
