"""A frame's bytes -> a ``Segment``, or None when there is no TCP segment in it.

Layers are peeled from the outside in: link (``link.py``), IPv4 or IPv6 with whatever is tunnelled
in them, TCP. What is cut off before a header's end makes ``struct`` or an index raise, and that
means: no segment. So any bytes at all give a Segment or None.
"""

from __future__ import annotations

from collections.abc import Sequence
from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from trioecho.model import ACK, AE, CWR, ECE, URG, Endpoint, Frame, Options, Segment
from trioecho.packet.fragments import Fragments
from trioecho.packet.link import DEEPEST, ETHERNET, network, tagged
from trioecho.packet.options import NO_OPTIONS, ONLY_TIMESTAMPS, decode_options

_TCP, _IPIP, _IP6IN, _GRE = 6, 4, 41, 47
# IPv6 extension headers that may stand before TCP: hop-by-hop, routing, destination options
# (RFC 8200 §4.1); authentication counts its length in other units (RFC 4302 §2.2).
_EXTENSIONS = frozenset((0, 43, 60))
_FRAGMENT, _AUTHENTICATION = 44, 51

# What makes a segment worth a closer look (marks.py): most are not.
_RARE_BITS = URG | ECE | CWR | AE
_ETHERNET_MSS = 1460
_NEAR_WRAP = (1 << 32) - (1 << 16)

_u16 = Layout("!H").unpack_from
_ip4_header = Layout("!BBHHHBB").unpack_from
_ip6_header = Layout("!IHBB").unpack_from
_pair_of_u32 = Layout("!II").unpack_from
_tcp_header = Layout("!IIHHHH").unpack_from
# Both, from the byte behind version and length on: TOS, total length, identification, fragment,
# protocol; the TCP header behind the ports.
_plain = Layout("!BHHHxB10x4xIIHHHH").unpack_from
_PLAIN_SIZE = 54
_PLAIN = b"\x08\x00\x45"  # EtherType IPv4, version 4, header of 20 bytes
# Of the same frame: those three bytes, fragment, protocol, both ports.
_glance = Layout("!12x3s5xHxB10xHH").unpack_from
_GLANCED = 38

# The same few pairs of endpoints come again and again; making their text each time would cost more
# than all the rest of decoding. Bounded: emptied when full, since what is hot comes back at once.
_pairs: dict[bytes, tuple[Endpoint, Endpoint, int]] = {}
_MOST_PAIRS = 65_536


def decode(frame: Frame, fragments: Fragments | None = None) -> Segment | None:
    """The TCP segment in a frame.

    Args:
        frame: a captured frame of any link type.
        fragments: keeps IP fragments until their datagram is whole; without it they are
            skipped. A datagram's segment comes with the frame that completes it.

    Returns:
        The segment, or None for a frame that is not TCP, is a fragment of a datagram that is not
        whole, or is cut off before the end of the TCP header's fixed part.

    Source: RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1.
    """
    data = frame.data
    try:
        if frame.link == ETHERNET and data[12:15] == _PLAIN and len(data) >= _PLAIN_SIZE:
            # Nearly every frame is IPv4 without options on Ethernet: one unpack for both headers.
            tos, total, packet, fragment, protocol, seq, ack, bits, window, checksum, urgent = (
                _plain(data, 15)
            )
            if protocol == _TCP and not fragment & 0x3FFF:
                there = frame.length - 14
                length = (total if 0 < total < there else there) - 20
                fields = (seq, ack, bits, window, checksum, urgent)
                return _segment(frame, data, 34, length, data[26:38], tos & 3, packet, fields)
        at = network(data, frame.link)
        if at is None:
            return None
        return _ip(frame, data, at, frame.length - at, fragments, 0)
    except (TooShort, IndexError):
        return None


def ports_at_a_glance(data: bytes, start: int, end: int, link: int) -> int | None:
    """The ports of a packet in a larger buffer, for a reader that may have no use for it.

    Args:
        data, start, end: where the packet's bytes are.
        link: its link type.

    Returns:
        Both ports XORed, alike for both directions, or None for what is no TCP or is not plain:
        other than a whole IPv4 packet without options on Ethernet, which most are.
    """
    if link != ETHERNET or end - start < _GLANCED:
        return None
    plain, fragment, protocol, source, destination = _glance(data, start)
    if plain != _PLAIN or protocol != _TCP or fragment & 0x3FFF:
        return None
    ports: int = source ^ destination
    return ports


def _ip(
    frame: Frame, data: bytes, at: int, there: int, fragments: Fragments | None, depth: int
) -> Segment | None:
    """An IP packet at ``at``, of which at most ``there`` bytes were on the wire."""
    version = data[at] >> 4
    if version == 4:
        return _ip4(frame, data, at, there, fragments, depth)
    if version == 6:
        return _ip6(frame, data, at, there, fragments, depth)
    return None


def _ip4(
    frame: Frame, data: bytes, at: int, there: int, fragments: Fragments | None, depth: int
) -> Segment | None:
    first, tos, total, identification, fragment, _, protocol = _ip4_header(data, at)
    header = (first & 15) * 4
    if header < 20:
        return None
    # A total length of 0 is what a sender that leaves the splitting to its device puts there (TSO).
    length = (total if 0 < total < there else there) - header
    addresses = data[at + 12 : at + 20]
    at += header
    if fragment & 0x3FFF:
        if fragments is None or len(data) < at + length or length < 0:
            return None
        key = addresses + bytes((protocol,)) + identification.to_bytes(2, "big")
        offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
        whole = fragments.add(key, frame.time, offset, more, data[at : at + length])
        if whole is None:
            return None
        data, at, length = whole, 0, len(whole)
    while protocol == _AUTHENTICATION:
        protocol, size = data[at], data[at + 1] * 4 + 8
        at += size
        length -= size
    if protocol == _TCP:
        return _tcp(frame, data, at, length, addresses, tos & 3, identification)
    return _tunnel(frame, data, at, length, protocol, fragments, depth)


def _ip6(
    frame: Frame, data: bytes, at: int, there: int, fragments: Fragments | None, depth: int
) -> Segment | None:
    first, length, following, _ = _ip6_header(data, at)
    addresses = data[at + 8 : at + 40]
    at += 40
    there -= 40
    length = length if 0 < length < there else there  # 0: a jumbogram, or splitting left to do
    while following != _TCP:
        if following in _EXTENSIONS:
            size = data[at + 1] * 8 + 8
        elif following == _AUTHENTICATION:
            size = data[at + 1] * 4 + 8
        elif following == _FRAGMENT:
            bits = _u16(data, at + 2)[0]
            following, key = data[at], addresses + data[at + 4 : at + 8]
            at += 8
            length -= 8
            if bits & 0xFFF9:
                if fragments is None or len(data) < at + length or length < 0:
                    return None
                piece = data[at : at + length]
                whole = fragments.add(key, frame.time, bits & 0xFFF8, bool(bits & 1), piece)
                if whole is None:
                    return None
                data, at, length = whole, 0, len(whole)
            continue
        else:
            return _tunnel(frame, data, at, length, following, fragments, depth)
        following = data[at]
        at += size
        length -= size
    return _tcp(frame, data, at, length, addresses, first >> 20 & 3)


def _tunnel(
    frame: Frame,
    data: bytes,
    at: int,
    there: int,
    protocol: int,
    fragments: Fragments | None,
    depth: int,
) -> Segment | None:
    """Look through a packet within a packet: 4in4, 6in4, 4in6, 6in6 and GRE (RFC 2784, 2890)."""
    if depth >= DEEPEST:
        return None
    inner: int | None = at
    if protocol == _GRE:
        bits, kind = _u16(data, at)[0], _u16(data, at + 2)[0]
        if bits & 7:
            return None
        optional = bool(bits & 0xC000) + bool(bits & 0x2000) + bool(bits & 0x1000)
        inner = tagged(data, at + 4 + 4 * optional, kind)
        if inner is None:
            return None
    elif protocol not in (_IPIP, _IP6IN):
        return None
    assert inner is not None
    return _ip(frame, data, inner, there - (inner - at), fragments, depth + 1)


def _tcp(
    frame: Frame, data: bytes, at: int, length: int, addresses: bytes, ecn: int, packet: int = 0
) -> Segment | None:
    key = addresses + data[at : at + 4]
    return _segment(frame, data, at, length, key, ecn, packet, _tcp_header(data, at + 4))


def _segment(
    frame: Frame,
    data: bytes,
    at: int,
    length: int,
    key: bytes,
    ecn: int,
    packet: int,
    fields: Sequence[int],
) -> Segment | None:
    seq, ack, bits, window, checksum, urgent = fields
    header = bits >> 10 & 0x3C
    if header < 20 or header > length:
        return None
    pair = _pairs.get(key)
    if pair is None:
        pair = _pair(key)
    rare = bits & _RARE_BITS or ecn == 3
    if header == 20:
        options = NO_OPTIONS
    elif header == 32 and data[at + 20 : at + 24] == ONLY_TIMESTAMPS:
        options = Options(None, None, False, _pair_of_u32(data, at + 24))
    else:
        options, rare = decode_options(data[at + 20 : at + header]), True
    unfilled = checksum == ((pair[2] + length) % 0xFFFF or 0xFFFF)
    length -= header
    at += header
    return Segment(
        frame,
        pair[0],
        pair[1],
        seq,
        ack if bits & ACK else None,
        bits & 0xFFF,
        window,
        options,
        length,
        data[at : at + length],
        urgent if bits & URG else 0,
        ecn,
        packet,
        unfilled,
        bool(rare or unfilled or length > _ETHERNET_MSS or seq > _NEAR_WRAP),
    )


def _pair(key: bytes) -> tuple[Endpoint, Endpoint, int]:
    """Both endpoints, and what Linux leaves in the checksum field for the device to finish.

    That is the one's complement sum of the pseudo header, not inverted (RFC 9293 §3.1), here still
    without the length. A number modulo 65,535 is the one's complement sum of its 16-bit digits.
    """
    half = (len(key) - 4) // 2
    family = AF_INET if half == 4 else AF_INET6
    pair = (
        Endpoint(inet_ntop(family, key[:half]), int.from_bytes(key[-4:-2], "big")),
        Endpoint(inet_ntop(family, key[half:-4]), int.from_bytes(key[-2:], "big")),
        int.from_bytes(key[:-4], "big") % 0xFFFF + _TCP,
    )
    if len(_pairs) >= _MOST_PAIRS:
        _pairs.clear()
    _pairs[key] = pair
    return pair
