"""Tunnels: what a packet carries that is no end of its own, by IP protocol and by UDP port.

What names a tunnel. Two connections may have the same ends in two tunnels, so a segment keeps what
tells its tenant: VXLAN's and GENEVE's network identifier (RFC 7348 §5, RFC 8926 §3.4), NVGRE's
(RFC 7637 §3.2), GRE's key (RFC 2890 §2.1), a provider bridge's service, the session of a mirror
(ERSPAN). These are the same in both directions as a rule; where they are not, the tracker joins
them. Of GTP-U and Teredo only the name is kept: a TEID belongs to one direction and changes with
each handover (3GPP TS 29.281 §5.1). Of MPLS, plain GRE and IP in IP not even that: a label belongs
to one direction and may be gone one hop before the end (RFC 3031 §3.16), and a balancer often sends
requests through a tunnel whose answers come back without one.

A port alone makes no tunnel of ordinary UDP. The header must be one that the RFC lets a sender
write, and the IP packet within must be sound (`sound`).
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from trioecho.packet.layers import ETHERNET, IP, IP4, IP6, MPLS, NSH, PPP, Layer

IPIP, UDP, IP6IN, GRE, ETHERIP, MPLS_IN_IP = 4, 17, 41, 47, 97, 137
#: The IP protocols by which a packet is a tunnel.
PROTOCOLS = frozenset((IPIP, IP6IN, GRE, ETHERIP, MPLS_IN_IP))

# EtherTypes of GRE alone: ERSPAN II (or I) and III, and the cache's redirection, WCCP.
_ERSPAN, _ERSPAN3, _WCCP = 0x88BE, 0x22EB, 0x883E
# GRE's first 16 bits (RFC 2784 §2.1, RFC 2890 §2, RFC 1701, RFC 2637 §4.1).
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACK = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
_LEAST_VSID = 0x1000  # RFC 7637 §3.2: those below are reserved, so it is a key of plain GRE
# VXLAN's flags: an identifier is there, a policy's group, what follows, several receivers.
_I, _POLICY, _P, _BROADCAST = 0x08, 0x80, 0x04, 0x02
_GPE_KINDS = {1: IP4, 2: IP6, 3: ETHERNET, 4: NSH, 5: MPLS}

_u16 = Layout("!H").unpack_from
_u32 = Layout("!I").unpack_from
_pair = Layout("!HH").unpack_from
_two_words = Layout("!II").unpack_from
_udp_header = Layout("!HHH").unpack_from
_gtp_header = Layout("!BBHI").unpack_from
_ip4_lengths = Layout("!BxH6xH").unpack_from
_ip6_lengths = Layout("!BxxxH").unpack_from


def through(data: bytes, at: int, end: int, protocol: int) -> Layer | None:
    """What is inside an IP packet that is one end of a tunnel.

    Returns:
        The layer inside, or None where the packet is no tunnel, or of a kind that is not known.

    Raises:
        struct.error, IndexError: the frame ends before that can be told.
    """
    if protocol == UDP:
        return _udp(data, at, end)
    if protocol in (IPIP, IP6IN):
        return Layer(IP, at, end)
    if protocol == GRE:
        return _gre(data, at, end)
    if protocol == MPLS_IN_IP:
        return Layer(MPLS, at, end)
    if protocol == ETHERIP and data[at] >> 4 == 3:  # RFC 3378 §3
        return Layer(ETHERNET, at + 2, end)
    return None


def sound(data: bytes, at: int, end: int) -> bool:
    """Whether an IP header tells of itself what it cannot tell by chance.

    Its length fills what is there, or is shorter (Ethernet pads) and IPv4's checksum is right. A
    checksum of 0 was left to the device.

    Raises:
        struct.error, IndexError: the frame ends before that can be told.
    """
    version = data[at] >> 4
    if version == 6:
        _, length = _ip6_lengths(data, at)
        return length in (0, end - at - 40)
    if version != 4:
        return False
    first, length, given = _ip4_lengths(data, at)
    size = (first & 15) * 4
    if size < 20 or length > end - at or 0 < length < size:
        return False
    if length == end - at:
        return True
    # The one's complement sum of a right header is 0, as a number modulo 65,535 (RFC 1071).
    return given == 0 or int.from_bytes(data[at : at + size], "big") % 0xFFFF == 0


def tunnel_ports(data: bytes, at: int) -> bool:
    """Whether a UDP header has a tunnel's port."""
    source, destination = _pair(data, at)
    return destination in _BY_PORT or source == _TEREDO


def _udp(data: bytes, at: int, end: int) -> Layer | None:
    """By the destination's port; either for Teredo, whose servers and relays answer from it."""
    try:
        source, destination, length = _udp_header(data, at)
        step = _BY_PORT.get(destination) or (_teredo if source == _TEREDO else None)
        if step is None or 0 < length < 8:
            return None
        return step(data, at + 8, min(end, at + length) if length else end)
    except (TooShort, IndexError):  # as ordinary UDP may be
        return None


def _gre(data: bytes, at: int, end: int) -> Layer | None:
    bits, kind = _pair(data, at)
    if bits & 7:
        return _pptp(data, at, end) if bits & 7 == 1 and kind == PPP else None
    inner = at + 4 + 4 * bool(bits & (_CHECKSUM | _ROUTING))
    tunnel = ""
    if bits & _KEY:
        key = _u32(data, inner)[0]
        tunnel = f"GRE key {key}"
        if kind == ETHERNET and not bits & (_CHECKSUM | _SEQUENCE) and key >> 8 >= _LEAST_VSID:
            tunnel = f"NVGRE {key >> 8}"  # the rest names a flow, and differs by direction
        inner += 4
    inner += 4 * bool(bits & _SEQUENCE)
    if bits & _ROUTING:
        while size := data[inner + 3]:
            inner += size + 4
        inner += 4
    if kind == _ERSPAN:
        return _erspan(data, inner, end) if bits & _SEQUENCE else Layer(ETHERNET, inner, end)
    if kind == _ERSPAN3:
        return _erspan3(data, inner, end)
    if kind == _WCCP:
        return Layer(IP, inner if data[inner] >> 4 == 4 else inner + 4, end)
    return Layer(kind, inner, end, tunnel)


def _pptp(data: bytes, at: int, end: int) -> Layer | None:
    """GRE's version 1: PPP, with a length in the key's first half (RFC 2637 §4.1)."""
    bits = _u16(data, at)[0]
    if not bits & _KEY:
        return None
    length = _u16(data, at + 4)[0]
    at += 8 + 4 * bool(bits & _SEQUENCE) + 4 * bool(bits & _ACK)
    return Layer(PPP, at, min(end, at + length))


def _erspan(data: bytes, at: int, end: int) -> Layer | None:
    """A mirrored frame: version 1, which is type II (draft-foschiano-erspan-03 §4.2)."""
    head = _u32(data, at)[0]
    return Layer(ETHERNET, at + 8, end, f"ERSPAN {head & 0x3FF}") if head >> 28 == 1 else None


def _erspan3(data: bytes, at: int, end: int) -> Layer | None:
    """Version 2, which is type III (§4.3): of a frame or of IP, with 8 bytes more if O is set."""
    head, bits = _u32(data, at)[0], _u16(data, at + 10)[0]
    kind = {0: ETHERNET, 2: IP}.get(bits >> 10 & 31)
    if head >> 28 != 2 or kind is None:
        return None
    return Layer(kind, at + 12 + 8 * (bits & 1), end, f"ERSPAN {head & 0x3FF}")


def _vxlan(data: bytes, at: int, end: int) -> Layer | None:
    """A network's identifier, without reserved bits (RFC 7348 §5), of a frame or what P tells.

    The generic extension tells what follows (draft-ietf-nvo3-vxlan-gpe-12 §3; version 0, and none
    for its maintenance); a group policy takes the bits between (draft-smith-vxlan-group-policy-05).
    """
    head, rest = _two_words(data, at)
    flags, bits, kind = head >> 24, head & 0xFFFFFF, ETHERNET
    if flags & _P:
        inner = _GPE_KINDS.get(bits & 0xFF)
        if flags & ~(_I | _P | _BROADCAST) or bits >> 8 or inner is None:
            return None
        kind = inner
    elif flags & ~(_I | _POLICY) or (bits and not flags & _POLICY):
        return None
    if not flags & _I or rest & 0xFF:
        return None
    return Layer(kind, at + 8, end, f"VXLAN {rest >> 8}")


def _geneve(data: bytes, at: int, end: int) -> Layer | None:
    """RFC 8926 §3.4: version 0, no control packet, options that fill the length told."""
    bits, rest = _two_words(data, at)
    if bits >> 30 or bits & 0x00BF0000 or rest & 0xFF:
        return None
    inner = at + 8
    stop = inner + (bits >> 24 & 0x3F) * 4
    while inner < stop:
        inner += 4 + (data[inner + 3] & 0x1F) * 4
    return Layer(bits & 0xFFFF, inner, end, f"GENEVE {rest >> 8}") if inner == stop else None


def _gtp(data: bytes, at: int, end: int) -> Layer | None:
    """A G-PDU of version 1 (3GPP TS 29.281 §5.1), behind its extension headers (§5.2)."""
    flags, kind, length, _ = _gtp_header(data, at)
    if flags & 0xF8 != 0x30 or kind != 255 or at + 8 + length > end:
        return None
    inner, end = at + 8, at + 8 + length
    if flags & 7:
        following = data[inner + 3] if flags & 4 else 0
        inner += 4
        while following:
            size = data[inner] * 4
            if not size:
                return None
            inner += size
            following = data[inner - 1]
    return Layer(IP, inner, end, "GTP-U")


def _teredo(data: bytes, at: int, end: int) -> Layer | None:
    """IPv6 behind what a server tells of itself and of its client's address (RFC 4380 §5.1.1)."""
    if data[at : at + 2] == b"\0\1":
        at += 13 + data[at + 2] + data[at + 3]
    if data[at : at + 2] == b"\0\0":
        at += 8
    return Layer(IP6, at, end, "Teredo") if data[at] >> 4 == 6 else None


def _mpls_in_udp(data: bytes, at: int, end: int) -> Layer:
    return Layer(MPLS, at, end)


_TEREDO = 3544
_BY_PORT: dict[int, Callable[[bytes, int, int], Layer | None]] = {
    2152: _gtp,
    _TEREDO: _teredo,
    4754: _gre,  # RFC 8086
    4789: _vxlan,
    4790: _vxlan,  # with the generic extension
    6081: _geneve,
    6635: _mpls_in_udp,  # RFC 7510
    8472: _vxlan,  # Linux's, from before there was a number
}
#: The destination ports by which UDP may be a tunnel.
PORTS = frozenset(_BY_PORT)
