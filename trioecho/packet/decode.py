"""A frame's bytes -> a ``Segment``, or None when there is no TCP segment in it.

``network.py`` finds the innermost IP packet; here is what TCP has in it, and the way past all that
for the plainest frames. A frame cut off within a header makes ``struct`` or an index raise, and
that means: no segment. So any bytes at all give a Segment or None.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from trioecho.model import (
    ACK,
    AE,
    CWR,
    ECE,
    MARKED,
    OFFLOADED,
    SYN,
    URG,
    Endpoint,
    Frame,
    Options,
    Segment,
)
from trioecho.packet.fragments import Fragments
from trioecho.packet.layers import WIRELESS, WIRELESS_PADDED, Layer
from trioecho.packet.link import (
    ETHERNET,
    IPV4,
    IPV6,
    LOOP,
    NULL,
    RAW,
    RAW_BSD,
    RAW_OPENBSD,
    network,
)
from trioecho.packet.network import TCP, Packet, descend, innermost
from trioecho.packet.options import NO_OPTIONS, ONLY_TIMESTAMPS, decode_options
from trioecho.packet.tunnels import UDP, tunnel_ports
from trioecho.packet.wireless import aggregated

#: A frame of which too little was captured to tell what it is.
CUT = "frames cut off in a header"

# What makes a segment worth a closer look (marks.py): most are not.
_RARE_BITS = SYN | URG | ECE | CWR | AE
_ETHERNET_MSS = 1460
_NEAR_WRAP = (1 << 32) - (1 << 16)

_u16 = Layout("!H").unpack_from
_pair_of_u32 = Layout("!II").unpack_from
_tcp_header = Layout("!IIHHHH").unpack_from
# Both, from the byte behind version and length on: TOS, total length, identification, fragment,
# protocol; the TCP header behind the ports.
_plain = Layout("!BHHHxB10x4xIIHHHH").unpack_from
_PLAIN_SIZE = 54
_IP6 = b"\x86\xdd"
# Link types with nothing but IP in them, and where it starts.
_BARE = {RAW: 0, RAW_BSD: 0, RAW_OPENBSD: 0, IPV4: 0, IPV6: 0, NULL: 4, LOOP: 4}
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
            if fragment & 0x3FFF:
                pass
            elif protocol == TCP:
                there = frame.length - 14
                length = (total if 0 < total < there else there) - 20
                fields = (seq, ack, bits, window, checksum, urgent)
                return _segment(frame, data, 34, length, data[26:38], tos & 3, packet, fields)
            elif protocol == UDP and not tunnel_ports(data, 34):
                return None
        at = 14 if frame.link == ETHERNET and data[12:14] == _IP6 else _BARE.get(frame.link)
        if at is not None and (segment := _bare(frame, data, at)) is not None:
            return segment
        found = innermost(frame, fragments)
        return _tcp(frame, found) if isinstance(found, Packet) else None
    except (TooShort, IndexError):
        return None


def look(frame: Frame, fragments: Fragments | None = None) -> Segment | Packet | Layer | str | None:
    """As ``decode``, and what there is in place of a segment.

    Returns:
        The segment, or the last that could be read of the frame, as ``innermost`` gives it, or
        `CUT`.
    """
    try:
        found = innermost(frame, fragments)
    except (TooShort, IndexError):
        return CUT
    if isinstance(found, Packet):
        with suppress(TooShort, IndexError):
            return _tcp(frame, found) or found
    return found


def decode_all(frame: Frame, fragments: Fragments | None = None) -> list[Segment]:
    """Every TCP segment in a frame: 802.11 may put several into one, all others have one at most.

    Returns:
        The segments, in their order; of an aggregate that was cut, those before the cut.

    Source: IEEE 802.11-2020 §9.3.2.2 (A-MSDU).
    """
    found: list[Segment] = []
    try:
        outermost = network(frame.data, frame.link, frame.length)
        if outermost is not None and outermost.kind in (WIRELESS, WIRELESS_PADDED):
            for layer in aggregated(frame.data, outermost):
                inner = descend(frame, frame.data, layer, fragments)
                if isinstance(inner, Packet) and (segment := _tcp(frame, inner)) is not None:
                    found.append(segment)
    except (TooShort, IndexError):
        return found
    if not found and (segment := decode(frame, fragments)) is not None:
        found.append(segment)
    return found


def ports_at_a_glance(data: bytes, start: int, end: int, link: int) -> int | None:
    """The ports of a packet in a larger buffer, for a reader that may have no use for it.

    Returns:
        Both ports XORed, alike for both directions, or None for what is no TCP or is not plain:
        other than a whole IPv4 packet without options on Ethernet, which most are.
    """
    if link != ETHERNET or end - start < _GLANCED:
        return None
    plain, fragment, protocol, source, destination = _glance(data, start)
    if plain != _PLAIN or protocol != TCP or fragment & 0x3FFF:
        return None
    ports: int = source ^ destination
    return ports


def _bare(frame: Frame, data: bytes, at: int) -> Segment | None:
    """The segment in a whole IP packet without options or extensions, if this is one."""
    size, version = len(data) - at, data[at]
    there = frame.length - at
    if version == 0x45 and size >= 40:
        tos, total, packet, fragment, protocol, *fields = _plain(data, at + 1)
        if protocol == TCP and not fragment & 0x3FFF:
            length = (total if 0 < total < there else there) - 20
            return _segment(
                frame, data, at + 20, length, data[at + 12 : at + 24], tos & 3, packet, fields
            )
    elif version >> 4 == 6 and size >= 60 and data[at + 6] == TCP:
        (total,) = _u16(data, at + 4)
        length = total if 0 < total < there - 40 else there - 40
        rest = _tcp_header(data, at + 44)
        ecn = data[at + 1] >> 4 & 3
        return _segment(frame, data, at + 40, length, data[at + 8 : at + 44], ecn, 0, rest)
    return None


def _tcp(frame: Frame, packet: Packet) -> Segment | None:
    if packet.protocol != TCP:
        return None
    data, at, end, ecn = packet.data, packet.at, packet.end, packet.ecn
    key = packet.addresses + data[at : at + 4]
    fields = _tcp_header(data, at + 4)
    identification, tunnel = packet.identification, packet.tunnel
    rest = (identification, fields, tunnel, packet.earlier)
    return _segment(frame, data, at, end - at, key, ecn, *rest)


def _segment(
    frame: Frame,
    data: bytes,
    at: int,
    length: int,
    key: bytes,
    ecn: int,
    packet: int,
    fields: Sequence[int],
    tunnel: str = "",
    earlier: tuple[Frame, ...] = (),
) -> Segment | None:
    seq, ack, bits, window, checksum, urgent = fields
    header = bits >> 10 & 0x3C
    if header < 20 or header > length:
        return None
    pair = _pairs.get(key)
    if pair is None:
        pair = _pair(key)
    marked = bits & _RARE_BITS or ecn == 3 or seq > _NEAR_WRAP
    if header == 20:
        options = NO_OPTIONS
    elif header == 32 and data[at + 20 : at + 24] == ONLY_TIMESTAMPS and len(data) >= at + header:
        options = Options(None, None, False, _pair_of_u32(data, at + 24))
    else:
        options, marked = decode_options(data[at + 20 : at + header], header - 20), True
    start = at if data is frame.data else 0
    unfilled = checksum == ((pair[2] + length) % 0xFFFF or 0xFFFF)
    length -= header
    at += header
    offloaded = unfilled or length > _ETHERNET_MSS
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
        MARKED if marked else OFFLOADED if offloaded else 0,
        tunnel,
        start,
        earlier,
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
        int.from_bytes(key[:-4], "big") % 0xFFFF + TCP,
    )
    if len(_pairs) >= _MOST_PAIRS:
        _pairs.clear()
    _pairs[key] = pair
    return pair
