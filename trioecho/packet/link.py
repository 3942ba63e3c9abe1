"""A frame's outermost layer, by its link type (https://www.tcpdump.org/linktypes.html).

A new link type is a number and a row of ``LINKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from struct import Struct as Layout
from typing import NamedTuple

from trioecho.packet import layers, wireless
from trioecho.packet.layers import Layer, after_type, snap

NULL, ETHERNET, PPP, RAW, LOOP, LINUX_SLL = 0, 1, 9, 101, 108, 113
RAW_BSD, RAW_OPENBSD, IPV4, IPV6, LINUX_SLL2 = 12, 14, 228, 229, 276
PPP_HDLC, PPP_ETHER, C_HDLC, FRELAY, MPLS, NFLOG = 50, 51, 104, 107, 219, 239
PPP_PPPD, PPP_WITH_DIR, C_HDLC_WITH_DIR, FRELAY_WITH_DIR = 166, 204, 205, 206
IEEE802_11, PRISM, RADIOTAP, AVS, PPI, PKTAP = 105, 119, 127, 163, 192, 258

_ETH_P_802_2 = 4
_NFLOG_PAYLOAD = 9
_NLPID_IP4, _NLPID_IP6, _NLPID_SNAP, _NLPID_PPP = 0xCC, 0x8E, 0x80, 0xCF
NESTED = 4  # PPI and PKTAP hold a frame of any link type, and so each other

_u16 = Layout("!H").unpack_from
_pair = Layout("!HH").unpack_from
_little_pair = Layout("<HH").unpack_from
_pktap_header = Layout("<III").unpack_from

_Start = Callable[[bytes, int, int], Layer | None]
_Nested = Callable[[bytes, int], tuple[int, int] | None]


class Link(NamedTuple):
    """A link type.

    Args:
        start: the layer behind its header, or the one a frame starts with: given the frame, where
            the header starts, and where the frame ended on the wire.
        layer: its header's class in scapy, or ``""`` where a frame begins with IP.
        nested: for a header that tells the link type of what follows it, that and where it starts;
            it takes the place of ``start``.
    """

    start: _Start
    layer: str = "packet.Raw"
    nested: _Nested | None = None


def network(data: bytes, link: int, end: int) -> Layer | None:
    """The layer that a frame starts with, or that follows its link header.

    Returns:
        The layer, which may start beyond what was captured, or None where the link type is not
        known.

    Raises:
        struct.error, IndexError: the frame ends before that can be told.
    """
    at = 0
    for _ in range(NESTED):
        known = LINKS.get(link)
        if known is None:
            return None
        if known.nested is None:
            return known.start(data, at, end)
        nested = known.nested(data, at)
        if nested is None:
            return None
        link, at = nested
    return None


def _behind(kind: int, size: int, data: bytes, at: int, end: int) -> Layer:
    """A layer of one kind behind a header of one size."""
    return Layer(kind, at + size, end)


def _typed(size: int, data: bytes, at: int, end: int) -> Layer:
    """What an EtherType tells that stands behind so many bytes."""
    return after_type(data, at + size, end)


def _cooked(data: bytes, at: int, end: int) -> Layer:
    return _linux(_u16(data, at + 14)[0], at + 16, end)


def _cooked2(data: bytes, at: int, end: int) -> Layer:
    return _linux(_u16(data, at)[0], at + 20, end)


def _linux(kind: int, at: int, end: int) -> Layer:
    """By an EtherType, or one of Linux's own numbers, which are not lengths."""
    return Layer(layers.LLC if kind == _ETH_P_802_2 else kind, at, end)


def _hdlc(data: bytes, at: int, end: int) -> Layer:
    """PPP, or Cisco's HDLC, which is addressed to one or to all (RFC 1547 §4.3.1)."""
    if data[at] in (0x0F, 0x8F):
        return after_type(data, at + 2, end)
    return Layer(layers.PPP, at, end)


def _frame_relay(size: int, data: bytes, at: int, end: int) -> Layer | None:
    """Behind the address, whose last byte is odd: RFC 2427 §3, or Cisco's EtherType."""
    at += size
    while not data[at] & 1:
        at += 1
    at += 1
    if data[at] != 3:
        return after_type(data, at, end)
    at += 1
    at += data[at] == 0  # a byte that aligns what follows
    number = data[at]
    at += 1
    if number == _NLPID_SNAP:
        return snap(data, at, end)
    kinds = {_NLPID_IP4: layers.IP, _NLPID_IP6: layers.IP, _NLPID_PPP: layers.PPP}
    return Layer(kinds[number], at, end) if number in kinds else None


def _nflog(data: bytes, at: int, end: int) -> Layer | None:
    """The payload, possibly cut (``iptables --nflog-size``); IP tells how much there was."""
    found = _nflog_payload(data, at)
    if found is None:
        return None
    at, stop = found
    return Layer(layers.IP, at, max(stop, at + _ip_length(data, at)))


def _nflog_payload(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """Where the payload stands among a netlink message's attributes.

    They are in the byte order of the machine that wrote them; a kind is below 256 and not 0, so its
    zero byte tells which that is.
    """
    at += 4
    while at + 4 <= len(data):
        size, kind = (_little_pair if data[at + 3] == 0 else _pair)(data, at)
        if size < 4:
            return None
        if kind == _NFLOG_PAYLOAD:
            return at + 4, at + size
        at += size + -size % 4
    return None


def unpadded(data: bytes) -> bytes:
    """An NFLOG message without what pads its payload, which a cut packet would take for its own."""
    found = _nflog_payload(data)
    return data if found is None else data[: found[1]]


def _ip_length(data: bytes, at: int) -> int:
    """What an IP packet tells of its own length."""
    if data[at] >> 4 == 6:
        return 40 + int(_u16(data, at + 4)[0])
    return int(_u16(data, at + 2)[0])


def _pktap(data: bytes, at: int) -> tuple[int, int] | None:
    """Of Apple's header: the link type of what follows and where that starts."""
    size, kind, link = _pktap_header(data, at)
    return (link, at + size) if kind == 1 and size >= 12 else None


def _none(data: bytes, at: int, end: int) -> None:
    return None


_IP, _PPP = partial(_behind, layers.IP, 0), partial(_behind, layers.PPP, 0)
_FAMILY = partial(_behind, layers.IP, 4)  # BSD's loopback: four bytes of address family

#: Those that are understood here.
LINKS = {
    ETHERNET: Link(partial(_typed, 12), "layers.l2.Ether"),
    LINUX_SLL: Link(_cooked, "layers.l2.CookedLinux"),
    LINUX_SLL2: Link(_cooked2, "layers.l2.CookedLinuxV2"),
    NULL: Link(_FAMILY, "layers.l2.Loopback"),
    LOOP: Link(_FAMILY, "layers.l2.Loopback"),
    **dict.fromkeys((RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6), Link(_IP, "")),
    PPP: Link(_PPP, "layers.ppp.PPP"),
    PPP_HDLC: Link(_hdlc, "layers.ppp.HDLC"),
    PPP_PPPD: Link(partial(_behind, layers.PPP, 2)),
    PPP_WITH_DIR: Link(partial(_behind, layers.PPP, 1)),
    PPP_ETHER: Link(partial(_behind, layers.PPPOE, 0), "layers.ppp.PPPoE"),
    C_HDLC: Link(partial(_typed, 2)),
    C_HDLC_WITH_DIR: Link(partial(_typed, 3)),
    FRELAY: Link(partial(_frame_relay, 0)),
    FRELAY_WITH_DIR: Link(partial(_frame_relay, 1)),
    MPLS: Link(partial(_behind, layers.MPLS, 0)),
    NFLOG: Link(_nflog),
    IEEE802_11: Link(partial(_behind, layers.WIRELESS, 0), "layers.dot11.Dot11"),
    RADIOTAP: Link(wireless.radiotap, "layers.dot11.RadioTap"),
    PRISM: Link(wireless.prism, "layers.dot11.PrismHeader"),
    AVS: Link(wireless.avs),
    PPI: Link(_none, nested=wireless.ppi),
    PKTAP: Link(_none, nested=_pktap),
}
#: Those whose frames may hold several segments.
MANY = frozenset((IEEE802_11, PRISM, RADIOTAP, AVS, PPI))
