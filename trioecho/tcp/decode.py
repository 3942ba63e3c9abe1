"""A frame's bytes -> a ``Segment``, or None when there is no TCP segment in it.

Layers are peeled one function each: link, then IPv4 or IPv6, then TCP. Every length is checked
against the bytes that are there before it is used: any bytes at all give a Segment or None.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct as Layout

from trioecho.model import ACK, URG, Endpoint, Frame, Options, Segment
from trioecho.tcp.options import NO_OPTIONS, decode_options

# Link types, https://www.tcpdump.org/linktypes.html
NULL, ETHERNET, PPP, RAW, LOOP, LINUX_SLL = 0, 1, 9, 101, 108, 113
RAW_BSD, RAW_BSD_OPENBSD, IPV4, IPV6, LINUX_SLL2 = 12, 14, 228, 229, 276

_IP4, _IP6 = 0x0800, 0x86DD
_TAGS = frozenset((0x8100, 0x88A8, 0x9100))
_TCP = 6
# IPv6 extension headers that may stand before TCP: hop-by-hop, routing, destination options
# (RFC 8200 §4.1). Fragments are not put together here.
_EXTENSIONS = frozenset((0, 43, 60))
_FRAGMENT = 44

_u16 = Layout("!H").unpack_from
_ip4_header = Layout("!BBHHHBBH").unpack_from
_ip6_header = Layout("!IHBB").unpack_from
_tcp_header = Layout("!HHIIHHHH").unpack_from

# The same few endpoints come again and again; making their text each time would cost more than all
# the rest of decoding. Bounded: emptied when full, since what is hot comes back at once.
_endpoints: dict[bytes, Endpoint] = {}
_MOST_ENDPOINTS = 65_536


def decode(frame: Frame) -> Segment | None:
    """The TCP segment in a frame.

    Args:
        frame: a captured frame of any link type.

    Returns:
        The segment, or None for whatever is not TCP, is a later IP fragment, or is cut off before
        the end of the TCP header's fixed part.

    Source: RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1.
    """
    at = _network(frame.data, frame.link)
    if at is None or at >= len(frame.data):
        return None
    version = frame.data[at] >> 4
    if version == 4:
        return _ip4(frame, at)
    if version == 6:
        return _ip6(frame, at)
    return None


def _network(data: bytes, link: int) -> int | None:
    """Where the IP header starts, or None when it is no IP."""
    if link == ETHERNET:
        at, size = 12, len(data)
        while at + 2 <= size:
            kind = data[at] << 8 | data[at + 1]
            if kind in (_IP4, _IP6):
                return at + 2
            if kind not in _TAGS:
                return None
            at += 4
        return None
    if link in (RAW, RAW_BSD, RAW_BSD_OPENBSD, IPV4, IPV6):
        return 0
    if link in (NULL, LOOP):
        return 4
    if link == LINUX_SLL:
        return 16 if data[14:16] in (b"\x08\x00", b"\x86\xdd") else None
    if link == LINUX_SLL2:
        return 20 if data[0:2] in (b"\x08\x00", b"\x86\xdd") else None
    return None


def _ip4(frame: Frame, at: int) -> Segment | None:
    data = frame.data
    if len(data) < at + 20:
        return None
    first, tos, total, _, fragment, _, protocol, _ = _ip4_header(data, at)
    header = (first & 15) * 4
    if protocol != _TCP or header < 20 or fragment & 0x1FFF:
        return None
    # A total length of 0 is what a sender that leaves the splitting to its device puts there (TSO).
    length = (total or frame.length - at) - header
    return _tcp(frame, at + header, length, data[at + 12 : at + 20], tos & 3)


def _ip6(frame: Frame, at: int) -> Segment | None:
    data = frame.data
    if len(data) < at + 40:
        return None
    first, length, following, _ = _ip6_header(data, at)
    addresses = data[at + 8 : at + 40]
    if not length:  # a jumbogram, or splitting left to the device
        length = frame.length - at - 40
    at += 40
    while following != _TCP:
        if following not in _EXTENSIONS and following != _FRAGMENT or len(data) < at + 8:
            return None
        if following == _FRAGMENT and _u16(data, at + 2)[0] & 0xFFF8:
            return None
        size = 8 if following == _FRAGMENT else data[at + 1] * 8 + 8
        following = data[at]
        at += size
        length -= size
    return _tcp(frame, at, length, addresses, first >> 20 & 3)


def _tcp(frame: Frame, at: int, length: int, addresses: bytes, ecn: int) -> Segment | None:
    data = frame.data
    if len(data) < at + 20 or length < 20:
        return None
    source, destination, seq, ack, bits, window, checksum, urgent = _tcp_header(data, at)
    header = (bits >> 12) * 4
    if header < 20 or header > length:
        return None
    flags = bits & 0x1FF
    end = at + length
    options = NO_OPTIONS if header == 20 else decode_options(data[at + 20 : at + header])
    half = len(addresses) // 2
    return Segment(
        frame,
        _endpoint(addresses[:half], source),
        _endpoint(addresses[half:], destination),
        seq,
        ack if flags & ACK else None,
        flags,
        window,
        options,
        length - header,
        data[at + header : end],
        urgent if flags & URG else 0,
        ecn,
        checksum == _pseudo_sum(addresses, length),
    )


def _endpoint(address: bytes, port: int) -> Endpoint:
    key = address + port.to_bytes(2, "big")
    endpoint = _endpoints.get(key)
    if endpoint is None:
        if len(_endpoints) >= _MOST_ENDPOINTS:
            _endpoints.clear()
        endpoint = Endpoint(inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address), port)
        _endpoints[key] = endpoint
    return endpoint


def _pseudo_sum(addresses: bytes, length: int) -> int:
    """What Linux leaves in the checksum field for the device to finish.

    The one's complement sum of the pseudo header, not inverted (RFC 9293 §3.1).
    """
    total = int.from_bytes(addresses, "big") % 0xFFFF + _TCP + length
    return total % 0xFFFF or 0xFFFF
