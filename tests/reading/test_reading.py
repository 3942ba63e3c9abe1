"""A capture -> connections: those in tunnels, and what there is without any."""

from __future__ import annotations

from struct import pack

from wrapped import OUTER4, aggregate, ethernet, ip4, udp

from trioecho.model import Frame
from trioecho.packet.build import ip_packet
from trioecho.reading.reading import Reading


def frames(*data: bytes, link: int = 1) -> list[Frame]:
    return [Frame(number, 0, one, link, len(one)) for number, one in enumerate(data, 1)]


def vxlan(network: int) -> bytes:
    head = pack("!II", 0x08000000, network << 8)
    return ethernet(ip_packet(*OUTER4, 17, udp(4789, head + ethernet(ip4()))))


def test_the_same_ends_in_two_networks_are_two_connections() -> None:
    reading = Reading()
    reading.notice(frames(vxlan(1), vxlan(2), ethernet(ip4())))
    assert [one.tunnel for one in reading.connections()] == ["VXLAN 1", "VXLAN 2", ""]
    assert [one.retransmissions for one in reading.connections()] == [0, 0, 0]
    assert reading.tracker.rungs == 3


def test_segments_that_share_a_frame_share_its_number() -> None:
    rungs = Reading().rungs(frames(aggregate(ip4(port=1000), ip4(port=1001)), link=105))
    assert [(rung.number, rung.connection) for rung in rungs] == [(1, 1), (1, 2)]


def test_a_capture_without_tcp() -> None:
    reading = Reading()
    reading.notice(frames(ethernet(ip_packet(*OUTER4, 1, bytes(8)))))
    assert (reading.start, reading.tracker.rungs) == (0, 0)
    assert reading.census.kinds == {"ICMP": 1}
