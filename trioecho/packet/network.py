"""From a frame's first byte down to the innermost IP packet that can be read."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout

from msgspec import Struct

from trioecho.model import Frame
from trioecho.packet.fragments import Fragments
from trioecho.packet.layers import IP, IP4, IP6, MOST_LAYERS, WIRELESS, WIRELESS_PADDED, Layer
from trioecho.packet.layers import inside as below
from trioecho.packet.link import NFLOG, network, unpadded
from trioecho.packet.tunnels import UDP, sound, through
from trioecho.packet.wireless import wireless

#: Where a packet's protocol would be: what is there is a part of a datagram.
FRAGMENT = -1
TCP, _FRAGMENT_HEADER, _AUTHENTICATION = 6, 44, 51
# IPv6 extension headers that may stand before TCP: hop-by-hop, routing, destination options
# (RFC 8200 §4.1); authentication counts its length in other units (RFC 4302 §2.2).
_EXTENSIONS = frozenset((0, 43, 60))

_u16 = Layout("!H").unpack_from
_ip4_header = Layout("!BBHHHBB").unpack_from
_ip6_header = Layout("!IHBB").unpack_from


class Packet(Struct, frozen=True, gc=False):
    """An IP packet.

    Args:
        protocol: what its payload is (IPv6's last next header), or `FRAGMENT`.
        data: the frame, or the datagram put together from fragments.
        at, end: where its payload starts, and where it ended on the wire.
        addresses: source and destination, as in the header.
        ecn: the two ECN bits.
        identification: IPv4's; 0 for IPv6.
        tunnel: names the tunnels it was in.
        earlier: the frames of its other fragments.
    """

    protocol: int
    data: bytes
    at: int
    end: int
    addresses: bytes
    ecn: int
    identification: int
    tunnel: str
    earlier: tuple[Frame, ...] = ()


class _Around(Struct, frozen=True, gc=False):
    """What an IP packet came in: its frame, those of its earlier fragments, its tunnel; and what
    keeps fragments."""

    frame: Frame
    earlier: tuple[Frame, ...]
    tunnel: str
    fragments: Fragments | None


def innermost(frame: Frame, fragments: Fragments | None = None) -> Packet | Layer | None:
    """The last that can be read of a frame: its innermost IP packet, as a rule.

    Returns:
        An IP packet that is not one end of a tunnel; the layer where reading stopped when it was
        none of IP's; None where the link type is not known.

    Raises:
        struct.error, IndexError: the frame was cut off, or ends, within a header.
    """
    data = unpadded(frame.data) if frame.link == NFLOG else frame.data
    layer = network(data, frame.link, frame.length)
    return None if layer is None else descend(frame, data, layer, fragments)


def descend(frame: Frame, data: bytes, layer: Layer, fragments: Fragments | None) -> Packet | Layer:
    """As `innermost`, from a layer of the frame on."""
    tunnel = ""
    earlier: tuple[Frame, ...] = ()
    outer: Packet | None = None  # UDP that is believed to be a tunnel only if IP is found in it
    for _ in range(MOST_LAYERS):
        kind = layer.kind
        if layer.tunnel:
            tunnel = f"{tunnel} / {layer.tunnel}" if tunnel else layer.tunnel
        if kind in (IP, IP4, IP6):
            at, end = layer.at, layer.end
            if outer is not None and not sound(data, at, end):
                return outer
            read = _IP.get(data[at] >> 4)  # the version overrules an EtherType
            around = _Around(frame, earlier, tunnel, fragments)
            packet = None if read is None else read(around, data, at, end)
            if packet is None:
                return layer
            data, earlier = packet.data, packet.earlier
            inner = through(data, packet.at, packet.end, packet.protocol)
            if inner is None:
                return packet
            outer = packet if packet.protocol == UDP else None
        else:
            step = wireless if kind in (WIRELESS, WIRELESS_PADDED) else below
            inner = step(data, layer)
            if inner is None:
                return outer or layer
        layer = inner
    return outer or layer


def _ip4(around: _Around, data: bytes, at: int, end: int) -> Packet | None:
    first, tos, total, identification, fragment, _, protocol = _ip4_header(data, at)
    header = (first & 15) * 4
    if header < 20:
        return None
    # A total length of 0 is what a sender that leaves the splitting to its device puts there (TSO).
    if 0 < total < end - at:
        end = at + total
    addresses, earlier, tunnel = data[at + 12 : at + 20], around.earlier, around.tunnel
    at += header
    if fragment & 0x3FFF:
        key = addresses + bytes((protocol,)) + identification.to_bytes(2, "big")
        offset, more = (fragment & 0x1FFF) * 8, bool(fragment & 0x2000)
        whole = _whole(around, data[at:end], end - at, key + tunnel.encode(), offset, more)
        if whole is None:
            return Packet(FRAGMENT, data, at, end, addresses, tos & 3, identification, tunnel)
        data, earlier = whole
        at, end = 0, len(data)
    while protocol == _AUTHENTICATION:
        protocol, size = data[at], data[at + 1] * 4 + 8
        at += size
    return Packet(protocol, data, at, end, addresses, tos & 3, identification, tunnel, earlier)


def _ip6(around: _Around, data: bytes, at: int, end: int) -> Packet:
    first, length, following, _ = _ip6_header(data, at)
    ecn, addresses = first >> 20 & 3, data[at + 8 : at + 40]
    earlier, tunnel = around.earlier, around.tunnel
    at += 40
    if 0 < length < end - at:  # 0: a jumbogram, or splitting left to do
        end = at + length
    while following != TCP:
        if following in _EXTENSIONS:
            size = data[at + 1] * 8 + 8
        elif following == _AUTHENTICATION:
            size = data[at + 1] * 4 + 8
        elif following == _FRAGMENT_HEADER:
            bits = _u16(data, at + 2)[0]
            following, key = data[at], addresses + data[at + 4 : at + 8] + tunnel.encode()
            at += 8
            if bits & 0xFFF9:
                offset, more = bits & 0xFFF8, bool(bits & 1)
                whole = _whole(around, data[at:end], end - at, key, offset, more)
                if whole is None:
                    return Packet(FRAGMENT, data, at, end, addresses, ecn, 0, tunnel)
                data, earlier = whole
                at, end = 0, len(data)
            continue
        else:
            break
        following = data[at]
        at += size
    return Packet(following, data, at, end, addresses, ecn, 0, tunnel, earlier)


_IP: dict[int, Callable[[_Around, bytes, int, int], Packet | None]] = {4: _ip4, 6: _ip6}


def _whole(
    around: _Around, data: bytes, length: int, key: bytes, offset: int, more: bool
) -> tuple[bytes, tuple[Frame, ...]] | None:
    """The datagram that a fragment completes, and the frames of its earlier ones."""
    fragments, frame = around.fragments, around.frame
    if fragments is None or len(data) != length:
        return None
    whole = fragments.add(key, frame.time, offset, more, data, (*around.earlier, frame))
    return None if whole is None else (whole, fragments.whole[:-1])
