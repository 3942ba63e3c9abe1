"""Where in a frame the IP packet starts: behind which link header, tags, labels and tunnels.

A new link type is a number and a row of ``LINKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout
from typing import NamedTuple

# Link types, https://www.tcpdump.org/linktypes.html
NULL, ETHERNET, PPP, RAW, LOOP, LINUX_SLL = 0, 1, 9, 101, 108, 113
RAW_BSD, RAW_OPENBSD, IPV4, IPV6, LINUX_SLL2 = 12, 14, 228, 229, 276

# EtherTypes and the like. VLAN tags are 802.1Q, 802.1ad and its forerunner.
IP4, IP6 = 0x0800, 0x86DD
_VLAN = frozenset((0x8100, 0x88A8, 0x9100))
_MPLS = frozenset((0x8847, 0x8848))
_PPPOE = 0x8864
_BRIDGED = 0x6558
_MOST_LENGTH = 1500  # up to here the field is a length (802.3), and LLC follows
_SNAP = b"\xaa\xaa\x03\0\0\0"

_PPP_IP = frozenset((0x0021, 0x0057))
# A tag, a label, a tunnel takes at least 4 bytes, so this is deeper than any honest frame.
DEEPEST = 32

_u16 = Layout("!H").unpack_from
_u32 = Layout("!I").unpack_from


class Link(NamedTuple):
    """A link type.

    Args:
        start: where in a frame IP starts; as for `network`.
        layer: its header's class in ``scapy.layers.l2``, or ``""`` where a frame begins with IP.
    """

    start: Callable[[bytes], int | None]
    layer: str = ""


def network(data: bytes, link: int) -> int | None:
    """Where the IP header starts, perhaps beyond the end; None when it is not IP.

    Raises:
        struct.error, IndexError: the frame ends before that can be told.
    """
    known = LINKS.get(link)
    return None if known is None else known.start(data)


def ethernet(data: bytes) -> int | None:
    return after_type(data, 12)


def linux_cooked(data: bytes) -> int | None:
    return after_type(data, 14)


def linux_cooked_2(data: bytes) -> int | None:
    return tagged(data, 20, _u16(data, 0)[0])


def ppp(data: bytes) -> int | None:
    return after_ppp(data, 2 if data[:2] == b"\xff\x03" else 0)


def family_first(data: bytes) -> int | None:
    """BSD's loopback: four bytes of address family."""
    return 4


def ip_first(data: bytes) -> int | None:
    return 0


#: Those that are understood here.
LINKS = {
    ETHERNET: Link(ethernet, "Ether"),
    LINUX_SLL: Link(linux_cooked, "CookedLinux"),
    LINUX_SLL2: Link(linux_cooked_2, "CookedLinuxV2"),
    NULL: Link(family_first, "Loopback"),
    LOOP: Link(family_first, "Loopback"),
    PPP: Link(ppp),
    **dict.fromkeys((RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6), Link(ip_first)),
}


def after_type(data: bytes, at: int) -> int | None:
    """Where IP starts behind the EtherType (or the length) at ``at``."""
    kind = _u16(data, at)[0]
    if kind <= _MOST_LENGTH:
        if data[at + 2 : at + 8] != _SNAP:
            return None
        at += 8
        kind = _u16(data, at)[0]
    return tagged(data, at + 2, kind)


def tagged(data: bytes, at: int, kind: int) -> int | None:
    """Where IP starts in a payload of a given EtherType: behind VLAN tags, MPLS labels, PPPoE."""
    for _ in range(DEEPEST):
        if kind in (IP4, IP6):
            return at
        if kind in _VLAN:
            kind = _u16(data, at + 2)[0]
            at += 4
        elif kind in _MPLS:
            return _after_labels(data, at)
        elif kind == _PPPOE:
            return after_ppp(data, at + 6)
        elif kind == _BRIDGED:
            at += 14
            kind = _u16(data, at - 2)[0]
        else:
            return None
    return None


def after_ppp(data: bytes, at: int) -> int | None:
    """Where IP starts behind PPP's protocol field, which may be squeezed to one byte (RFC 1661)."""
    if data[at] & 1:
        return at + 1 if data[at] in _PPP_IP else None
    return at + 2 if _u16(data, at)[0] in _PPP_IP else None


def _after_labels(data: bytes, at: int) -> int | None:
    """Behind the MPLS label at the bottom of the stack (RFC 3032 §2.1).

    Nothing says what follows: a 4 or a 6 is an IP version, and a 0 begins a control word, behind
    which a whole Ethernet frame stands (RFC 4448 §4.6).
    """
    for _ in range(DEEPEST):
        label = _u32(data, at)[0]
        at += 4
        if label & 0x100:
            version = data[at] >> 4
            if version in (4, 6):
                return at
            return after_type(data, at + 16) if version == 0 else None
    return None
