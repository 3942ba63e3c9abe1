"""Bytes -> Segment: every link type, and no bytes at all that make it stumble."""

from __future__ import annotations

import struct

import pytest
from crafted import as_ip6
from frames import frames as ladder_frames
from frames import tcp
from hypothesis import given
from hypothesis import strategies as st

from trioecho.model import (
    ACK,
    CWR,
    FIN,
    MARKED,
    OFFLOADED,
    PSH,
    SYN,
    Endpoint,
    Frame,
    Options,
    Segment,
)
from trioecho.packet import link as links
from trioecho.packet.decode import decode
from trioecho.packet.options import decode_options

IP4 = tcp("client", PSH | ACK, 1000, 2000, b"hello")
ETHER = b"\0" * 12
LINKS = [
    *(
        0,
        1,
        9,
        12,
        14,
        50,
        51,
        101,
        104,
        105,
        107,
        108,
        113,
        119,
        127,
        163,
        166,
        192,
        204,
        205,
        206,
    ),
    *(219, 228, 229, 239, 258, 276, 147),
]


def frame(data: bytes, link: int, length: int | None = None) -> Frame:
    return Frame(1, 0, data, link, len(data) if length is None else length)


def test_link_types_are_those_of_the_registry() -> None:
    """https://www.tcpdump.org/linktypes.html"""
    assert set(links.LINKS) == set(LINKS) - {147}


def ip6(payload: bytes, following: int = 6) -> bytes:
    return (
        struct.pack("!IHBB16s16s", 6 << 28, len(payload), following, 64, b"\1" * 16, b"\2" * 16)
        + payload
    )


def authenticated(packet: bytes) -> bytes:
    """An IPv4 packet with an authentication header of 24 bytes in it."""
    length = int.from_bytes(packet[2:4], "big") + 24
    head = packet[:2] + length.to_bytes(2, "big") + packet[4:9] + b"\x33" + packet[10:20]
    return head + b"\x06\x04" + b"\0" * 22 + packet[20:]


@pytest.mark.parametrize(
    ("name", "data", "link"),
    [
        ("Ethernet", ETHER + b"\x08\x00" + IP4, links.ETHERNET),
        ("VLAN", ETHER + b"\x81\x00\x00\x05\x08\x00" + IP4, links.ETHERNET),
        ("QinQ", ETHER + b"\x88\xa8\0\1\x81\0\0\2\x08\0" + IP4, links.ETHERNET),
        ("Ethernet padding", ETHER + b"\x08\x00" + IP4 + b"\0\0\0\0", links.ETHERNET),
        ("raw", IP4, links.RAW),
        ("authenticated (RFC 4302)", authenticated(IP4), links.RAW),
        ("NULL", b"\x02\0\0\0" + IP4, links.NULL),
        ("LOOP", b"\0\0\0\x02" + IP4, links.LOOP),
        ("cooked", b"\0" * 14 + b"\x08\x00" + IP4, links.LINUX_SLL),
        ("cooked v2", b"\x08\x00" + b"\0" * 18 + IP4, links.LINUX_SLL2),
        ("PPP", b"\x00\x21" + IP4, links.PPP),
        ("PPP in HDLC framing", b"\xff\x03\x00\x21" + IP4, links.PPP),
        ("PPP with a squeezed protocol", b"\x21" + IP4, links.PPP),
        *((f"IP alone, {link}", IP4, link) for link in (12, 14, 228)),
    ],
)
def test_links(name: str, data: bytes, link: int) -> None:
    segment = decode(frame(data, link))
    assert segment is not None, name
    assert segment.source == Endpoint("10.0.0.1", 40000)
    assert segment.destination == Endpoint("10.0.0.2", 7)
    assert (segment.seq, segment.ack, segment.flags) == (1000, 2000, PSH | ACK)
    assert (segment.payload, segment.length) == (b"hello", 5)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain", ip6(IP4[20:])),
        ("hop-by-hop", ip6(b"\x06\0" + b"\0" * 6 + IP4[20:], 0)),
        ("two extensions", ip6(b"\x3c\0" + b"\0" * 6 + b"\x06\1" + b"\0" * 14 + IP4[20:], 0)),
        ("an atomic fragment (RFC 6946)", ip6(b"\x06\0\0\0" + b"\0" * 4 + IP4[20:], 44)),
    ],
)
def test_ipv6(name: str, data: bytes) -> None:
    segment = decode(frame(data, links.RAW))
    assert segment is not None, name
    assert segment.source.ip == "101:101:101:101:101:101:101:101"
    assert (segment.seq, segment.payload) == (1000, b"hello")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", b""),
        ("UDP", IP4[:9] + b"\x11" + IP4[10:]),
        ("a later fragment", IP4[:6] + b"\0\1" + IP4[8:]),
        ("a first fragment", IP4[:6] + b"\x20\0" + IP4[8:]),
        ("IP header of 16 bytes", b"\x44" + IP4[1:]),
        ("cut in the TCP header", IP4[:39]),
        ("TCP header longer than the packet", IP4[:32] + b"\xf0" + IP4[33:]),
        ("TCP header of 16 bytes", IP4[:32] + b"\x40" + IP4[33:]),
        ("a later IPv6 fragment", ip6(b"\x06\0\0\x08" + b"\0" * 4 + IP4[20:], 44)),
        ("IPv6 cut in an extension", ip6(b"\x06", 0)),
    ],
)
def test_nothing_there(name: str, data: bytes) -> None:
    assert decode(frame(data, links.RAW)) is None, name


def test_total_length_0_is_offload() -> None:
    data = IP4[:2] + b"\0\0" + IP4[4:]
    segment = decode(frame(data, links.RAW))
    assert segment is not None
    assert segment.payload == b"hello"


def test_a_cut_frame_counts_what_is_missing() -> None:
    segment = decode(frame(IP4[:-3], links.RAW, len(IP4)))
    assert segment is not None
    assert (segment.length, segment.payload) == (5, b"he")


def test_checksum_that_was_left_to_the_device() -> None:
    # The pseudo header: 10.0.0.1, 10.0.0.2, protocol 6, length 25.
    unfinished = 0x0A00 + 0x0001 + 0x0A00 + 0x0002 + 6 + 25
    data = IP4[:36] + struct.pack("!H", unfinished) + IP4[38:]
    segment = decode(frame(data, links.RAW))
    assert segment is not None
    assert segment.checksum_unfilled
    other = decode(frame(IP4, links.RAW))
    assert other is not None
    assert not other.checksum_unfilled


SYN_OPTIONS = bytes.fromhex("020405b40402080a0000000100000002") + b"\x01\x03\x03\x07"


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("a SYN's", SYN_OPTIONS, Options(1460, 7, True, (1, 2))),
        ("timestamps alone", b"\1\1\x08\x0a" + bytes(7) + b"\5", Options(timestamps=(0, 5))),
        ("SACK", b"\1\1\5\x0a" + b"\0\0\0\1\0\0\0\2", Options(sack=((1, 2),))),
        ("end of list", b"\0\2\4\5\xb4", Options()),
        ("a scale of 99 counts as 14", b"\3\3\x63", Options(window_scale=14)),
        ("length 0", b"\x08\0\0\0", Options(malformed=True)),
        ("length past the end", b"\2\x08\0\0", Options(malformed=True)),
        ("a kind without a length", b"\1\1\1\x08", Options(malformed=True)),
        ("Fast Open, asking", b"\x22\2\1\1", Options(fast_open=b"")),
        ("unknown kinds", b"\x1e\4\0\0\xfd\2\1\1", Options(mptcp=("MP_CAPABLE",), other=(253,))),
        (
            "two of Multipath TCP's",
            b"\x1e\4\x40\0" + b"\x1e\x08\x20\1" + bytes(4),
            Options(mptcp=("REMOVE_ADDR", "DSS")),
        ),
        ("MSS of a wrong length", b"\2\3\1\1", Options(other=(2,))),
    ],
)
def test_options(name: str, data: bytes, options: Options) -> None:
    assert decode_options(data) == options, name


@given(st.binary(max_size=120), st.sampled_from(LINKS), st.integers(0, 200))
def test_any_bytes_at_all(data: bytes, link: int, length: int) -> None:
    segment = decode(frame(data, link, length))
    assert segment is None or isinstance(segment, Segment)


@given(st.data(), st.sampled_from(["ip4", "ip6"]))
def test_any_mutation_of_a_segment(data: st.DataObject, kind: str) -> None:
    whole = bytearray(IP4 if kind == "ip4" else ip6(b"\x06\0" + b"\0" * 6 + IP4[20:], 0))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    segment = decode(frame(bytes(whole[:cut]), links.RAW, len(whole)))
    assert segment is None or len(segment.payload) <= max(segment.length, 0)


@given(st.binary(max_size=44))
def test_any_options_at_all(data: bytes) -> None:
    assert isinstance(decode_options(data), Options)


def test_flags_of_a_syn() -> None:
    segment = decode(frame(tcp("client", SYN, 7, options=SYN_OPTIONS), links.RAW))
    assert segment is not None
    assert segment.ack is None
    assert segment.space == 1
    assert segment.options.mss == 1460


@pytest.mark.parametrize(
    ("flags", "seq", "size", "rare"),
    [
        (ACK, 1000, 1460, 0),
        (ACK, 1000, 1461, OFFLOADED),
        (ACK, 0xFFFF0000, 1, 0),
        (ACK, 0xFFFF0001, 1, MARKED),
        (ACK, 0xFFFF0001, 1461, MARKED),
        (ACK | FIN, 1000, 0, 0),
        (ACK | CWR, 1000, 0, MARKED),
        (SYN, 1000, 0, MARKED),
    ],
)
def test_what_is_rare(flags: int, seq: int, size: int, rare: int) -> None:
    packet = bytearray(tcp("client", flags, seq, 1, bytes(size)))
    packet[36:38] = b"\x12\x34"  # a checksum that was filled in
    segment = decode(frame(bytes(packet), links.RAW))
    assert segment is not None
    assert segment.rare == rare


def test_a_checksum_is_verified_where_the_capture_allows_it() -> None:
    for size in (0, 5, 100):  # odd, too
        for wrong, sound in ((0, True), (1, False)):
            ladder = f"+0 > P. 1:{1 + size}({size}) ack 1 <sum {wrong}>"
            ((_, frame),) = ladder_frames(ladder)
            segment = decode(frame)
            assert segment is not None
            assert segment.sound() is sound
            cut = decode(Frame(1, 1, frame.data[:-1], frame.link, frame.length))
            assert cut is None or cut.sound() is None or not size
    for ladder in ("+0 > . 1:1461(1460) ack 1", "+0 > . 1:1(0) ack 1 <offload 0>"):
        ((_, frame),) = ladder_frames(ladder)
        segment = decode(frame)
        assert segment is not None
        assert segment.sound() is None
    ((_, frame),) = ladder_frames("+0 > . 1:1462(1461) ack 1 <sum 1>")
    segment = decode(frame)
    assert segment is not None
    assert segment.sound() is None  # split later, or merged before
    six = as_ip6(next(iter(ladder_frames("+0 > P. 1:6(5) ack 1")))[1].data)
    assert (segment := decode(Frame(1, 1, six, links.RAW, len(six)))) is not None
    assert segment.sound() is None  # it is 0: nobody has filled it in


def by_chance(cut: int = 0) -> Segment:
    """A segment with a right checksum, which is also the sum of its pseudo header alone."""
    ((_, one),) = ladder_frames("+0 > P. 1:3(2) ack 1 <byte 0,offload 0>")
    pseudo = one.data[12:20] + struct.pack("!HH", 6, len(one.data) - 20)
    total = int.from_bytes(pseudo + one.data[20:])
    data = one.data[:-2] + (-total % 0xFFFF).to_bytes(2, "big")
    segment = decode(Frame(1, 1, data[: len(data) - cut], one.link, len(data)))
    assert segment is not None
    assert segment.checksum_unfilled
    return segment


def test_a_right_checksum_that_is_the_pseudo_headers() -> None:
    assert by_chance().sound() is True
    assert not by_chance().unfilled()
    assert by_chance(cut=1).sound() is None
    assert not by_chance(cut=1).unfilled()
    ((_, other),) = ladder_frames("+0 > P. 1:3(2) ack 1 <offload 0>")
    segment = decode(other)
    assert segment is not None
    assert segment.sound() is None
    assert segment.unfilled()


def test_a_checksum_behind_options_that_were_cut() -> None:
    ((_, one),) = ladder_frames("+0 > . 1:1(0) ack 1 <sack 5:9,sum 0>")
    for length in range(len(one.data) - 12, len(one.data)):
        segment = decode(Frame(1, 1, one.data[:length], one.link, len(one.data)))
        assert segment is not None
        assert segment.sound() is None
