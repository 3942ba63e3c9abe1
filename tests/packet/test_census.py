"""What a capture holds that is not TCP."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrapped import OUTER4, OUTER6, ethernet, ip4, udp, wireless

from trioecho.model import Frame, Segment
from trioecho.packet.build import ip_packet
from trioecho.packet.census import MOST_PORTS, Census
from trioecho.packet.decode import CUT, look
from trioecho.packet.decoder import Decoder
from trioecho.packet.link import LINKS

VXLAN = pack("!II", 1 << 27, 9 << 8)


def counted(*frames: tuple[bytes, int]) -> Census:
    return census_of(Frame(at, 0, data, link, len(data)) for at, (data, link) in enumerate(frames))


def census_of(frames: Iterable[Frame]) -> Census:
    decoder = Decoder()
    assert not list(decoder.segments(frames))
    return decoder.census


def over_ip(protocol: int, payload: bytes = bytes(20)) -> bytes:
    return ethernet(ip_packet(*OUTER4, protocol, payload))


@pytest.mark.parametrize(
    ("kind", "data", "link"),
    [
        ("UDP", over_ip(17, udp(53, b"")), 1),
        ("UDP", ethernet(ip_packet(*OUTER6, 17, udp(53, b""))), 1),
        (
            "UDP",
            over_ip(17, udp(4789, pack("!II", 1 << 27, 9 << 8) + over_ip(17, udp(53, b"")))),
            1,
        ),
        ("UDP", over_ip(17, udp(4789, b"no tunnel")), 1),
        ("ICMP", over_ip(1), 1),
        ("SCTP", over_ip(132), 1),
        ("ICMPv6", ethernet(ip_packet(*OUTER6, 58, bytes(8))), 1),
        ("ICMP", over_ip(47, pack("!HH", 0, 0x800) + ip_packet(*OUTER4, 1, bytes(8))), 1),
        ("GRE", over_ip(47, b"\0\7" + bytes(20)), 1),
        ("IP protocol 253", over_ip(253), 1),
        ("IP fragments", over_ip(17)[:20] + b"\0\1" + over_ip(17)[22:], 1),
        ("TCP cut off in its header", over_ip(6, bytes(20)), 1),
        ("malformed IP", ethernet(b"\x42" + bytes(40), b"\x08\0"), 1),
        ("malformed IP", ethernet(b"\x15" + bytes(40), b"\x08\0"), 1),
        ("malformed IP", b"\x15" + bytes(40), 101),
        ("ARP", ethernet(bytes(28), b"\x08\x06"), 1),
        ("ARP", ethernet(b"\0\5\x08\x06" + bytes(28), b"\x81\0"), 1),
        ("LLDP", ethernet(bytes(28), b"\x88\xcc"), 1),
        ("EtherType 0x88b5", ethernet(bytes(28), b"\x88\xb5"), 1),
        ("LLC", ethernet(b"\x42\x42\x03" + bytes(35), b"\0\x26"), 1),
        ("802.11 management", wireless(b"", 0x0080, body=bytes(40)), 105),
        ("802.11 control", b"\xd4\0" + bytes(8), 105),
        ("802.11 data", wireless(b"", 0x0148, body=b""), 105),
        ("encrypted 802.11", wireless(ip4(), 0x4108), 105),
        ("USB_LINUX", bytes(64), 189),
        ("link type 65000", bytes(64), 65000),
        (CUT, over_ip(17)[:20], 1),
        (CUT, b"", 1),
    ],
)
def test_kinds(kind: str, data: bytes, link: int) -> None:
    census = counted((data, link))
    assert census.frames == 1
    assert dict(census.kinds) == {kind: 1}


@pytest.mark.parametrize(("dns", "port"), [(2, None), (3, 53)])
def test_the_port_of_most(dns: int, port: int | None) -> None:
    """More than half of them, whichever of the two ports is the service's."""
    frames = [over_ip(17, udp(53, b"", 50_000 + number)) for number in range(dns - 1)]
    frames += [over_ip(17, udp(50_000, b"", 53)), over_ip(17, udp(123, b"", 123))]
    frames += [over_ip(17, udp(5353, b"")), over_ip(1)]
    census = counted(*((data, 1) for data in frames))
    assert census.port == port
    assert census.kinds == {"UDP": dns + 2, "ICMP": 1}


def test_no_udp_no_port() -> None:
    assert Census().port is None
    assert counted((over_ip(1), 1)).port is None


def test_udp_cut_before_its_ports_is_udp() -> None:
    data = over_ip(17, udp(53, b""))
    census = census_of([Frame(1, 0, data[:36], 1, len(data))])
    assert census.kinds == {"UDP": 1}
    assert census.port is None


def test_ports_beyond_the_bound_are_not_kept() -> None:
    census = counted(
        *((over_ip(17, udp(60_000, b"", port)), 1) for port in range(10_000, 10_001 + MOST_PORTS)),
        (over_ip(17, udp(60_000, b"", 10_000)), 1),
    )
    assert len(census.ports) == MOST_PORTS
    assert census.ports[10_000] == 2
    assert census.kinds["UDP"] == MOST_PORTS + 2


@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=120), st.integers(0, 200))
def test_any_bytes_at_all(link: int, data: bytes, length: int) -> None:
    decoder = Decoder()
    found = list(decoder.segments([Frame(1, 0, data, link, length)]))
    assert bool(found) != bool(decoder.census.frames)
    assert sum(decoder.census.kinds.values()) == decoder.census.frames


@pytest.mark.parametrize("cut", [*range(36, 39), 100])
@pytest.mark.parametrize(
    "data",
    [
        over_ip(17, udp(53, b"more")),
        over_ip(17, udp(5, b"", 4789)),
        over_ip(17, udp(4789, VXLAN + over_ip(17, udp(53, b"")))),
        over_ip(17, udp(5, b"", 3544)),
        over_ip(17, udp(53, b""))[:20] + b"\x20\0" + over_ip(17, udp(53, b""))[22:],
        over_ip(1),
        ethernet(ip_packet(*OUTER6, 17, udp(53, b""))),
    ],
)
def test_a_glance_counts_what_a_closer_look_would(data: bytes, cut: int) -> None:
    frame = Frame(1, 0, data[:cut], 1, len(data))
    glanced, looked = Census(), Census()
    found = look(frame)
    assert not isinstance(found, Segment)
    looked.add(frame, found)
    if glanced.glance(frame):
        assert (glanced.kinds, glanced.ports) == (looked.kinds, looked.ports)
    else:
        assert not glanced.frames


def test_ordinary_udp_is_known_at_a_glance() -> None:
    data = over_ip(17, udp(53, b""))
    assert Census().glance(Frame(1, 0, data, 1, len(data)))
