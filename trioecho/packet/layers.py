"""Layers between a link header and IP: tags, LLC, PPP, labels, provider bridges.

A layer is named by its EtherType, or by a number of our own where it has none. One function for
each kind takes its header off and gives the layer inside. No layer reaches beyond the end of the
one around it: padding and what a device appends belong to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct as Layout

from msgspec import Struct

# https://www.iana.org/assignments/ieee-802-numbers, and Cisco's for VN-Tag, FabricPath and CMD.
IP4, IP6 = 0x0800, 0x86DD
ETHERNET = 0x6558  # a whole frame, as within GRE
PPP, PPPOE = 0x880B, 0x8864
MPLS, MPLS_MULTICAST = 0x8847, 0x8848
FABRICPATH, I_TAG, NSH = 0x8903, 0x88E7, 0x894F
# Of these nothing but the size of their tag matters: the next EtherType stands behind it.
_TAGS = {
    0x8100: 2,  # 802.1Q
    0x88A8: 2,  # 802.1ad
    0x9100: 2,  # its forerunners
    0x9200: 2,
    0x8926: 4,  # VN-Tag
    0x893F: 6,  # E-TAG, 802.1BR
    0x8909: 6,  # Cisco's metadata, a security group
}
#: Layers that have no EtherType: IP of whichever version its first four bits tell, LLC, 802.11,
#: and 802.11 whose header was padded to a multiple of 4.
IP, LLC, WIRELESS, WIRELESS_PADDED = 0x10000, 0x10001, 0x10002, 0x10003

_MOST_LENGTH = 1500  # up to here an Ethernet frame's type is a length (802.3), and LLC follows
_PPP_KINDS = {0x21: IP4, 0x57: IP6, 0x281: MPLS, 0x283: MPLS_MULTICAST}
_NSH_KINDS = {1: IP4, 2: IP6, 3: ETHERNET, 4: NSH, 5: MPLS}
_BRIDGED = b"\x00\x80\xc2"

#: Layers of a frame at most, from its link header to TCP. Every one takes 2 bytes at least, and no
#: honest frame has so many: what has more was made to keep its reader busy.
MOST_LAYERS = 32

_u16 = Layout("!H").unpack_from
_u32 = Layout("!I").unpack_from
_pppoe_header = Layout("!HxxH").unpack_from


class Layer(Struct, frozen=True, gc=False):
    """A layer that is still to be read.

    Args:
        kind: its EtherType, or one of those above 16 bits.
        at: where in the frame it starts, possibly beyond what was captured.
        end: where it ended on the wire.
        tunnel: what names the tunnel or tenant it was in, ``""`` where nothing does.
    """

    kind: int
    at: int
    end: int
    tunnel: str = ""


def after_type(data: bytes, at: int, end: int) -> Layer:
    """What follows the EtherType, or the length, at ``at``."""
    kind: int = _u16(data, at)[0]
    at += 2
    return Layer(LLC, at, min(end, at + kind)) if kind <= _MOST_LENGTH else Layer(kind, at, end)


def _ethernet(data: bytes, at: int, end: int) -> Layer:
    return after_type(data, at + 12, end)


def _llc(data: bytes, at: int, end: int) -> Layer | None:
    """SNAP (RFC 1042, 802.1H, bridged frames as in RFC 2427 §4.2), or IP by its own number."""
    if data[at : at + 3] == b"\x06\x06\x03":
        return Layer(IP, at + 3, end)
    if data[at : at + 3] != b"\xaa\xaa\x03":
        return None
    return snap(data, at + 3, end)


def snap(data: bytes, at: int, end: int) -> Layer | None:
    """What follows an organization and its protocol number."""
    organization, kind = data[at : at + 3], _u16(data, at + 3)[0]
    if organization in (b"\0\0\0", b"\0\0\xf8"):
        return Layer(kind, at + 5, end)
    if organization == _BRIDGED and kind in (1, 7):
        return Layer(ETHERNET, at + 5, end)
    return None


def _ppp(data: bytes, at: int, end: int) -> Layer | None:
    """The protocol may be squeezed to one byte (RFC 1661 §2), and stand behind FF 03 (RFC 1662)."""
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    size = 1 if data[at] & 1 else 2
    number = data[at] if size == 1 else _u16(data, at)[0]
    kind = _PPP_KINDS.get(number)
    return None if kind is None else Layer(kind, at + size, end)


def _pppoe(data: bytes, at: int, end: int) -> Layer | None:
    """A session packet, version and type 1 (RFC 2516 §4)."""
    head, length = _pppoe_header(data, at)
    return Layer(PPP, at + 6, min(end, at + 6 + length)) if head == 0x1100 else None


def _mpls(data: bytes, at: int, end: int) -> Layer | None:
    """Behind the label at the bottom of the stack (RFC 3032 §2.1).

    Nothing says what follows: a 4 or a 6 is an IP version, and a 0 begins a control word, behind
    which a whole Ethernet frame stands (RFC 4448 §4.6).
    """
    for _ in range(MOST_LAYERS):
        label = _u32(data, at)[0]
        at += 4
        if label & 0x100:
            version = data[at] >> 4
            if version in (4, 6):
                return Layer(IP, at, end)
            return Layer(ETHERNET, at + 4, end) if version == 0 else None
    return None


def _i_tag(data: bytes, at: int, end: int) -> Layer:
    """A customer's frame in a provider's, with its service (802.1ah, now 802.1Q §9.7)."""
    return Layer(ETHERNET, at + 4, end, f"PBB {_u32(data, at)[0] & 0xFFFFFF}")


def _fabricpath(data: bytes, at: int, end: int) -> Layer:
    """A frame behind a tree's number and a TTL."""
    return Layer(ETHERNET, at + 2, end)


def _nsh(data: bytes, at: int, end: int) -> Layer | None:
    """A packet on a service path (RFC 8300 §2.2)."""
    head = _u32(data, at)[0]
    length = (head >> 16 & 0x3F) * 4
    kind = _NSH_KINDS.get(head & 0xFF)
    if head >> 29 or kind is None or length < 8:  # another version, or one for its maintenance
        return None
    return Layer(kind, at + length, end)


_STEPS: dict[int, Callable[[bytes, int, int], Layer | None]] = {
    ETHERNET: _ethernet,
    LLC: _llc,
    PPP: _ppp,
    PPPOE: _pppoe,
    MPLS: _mpls,
    MPLS_MULTICAST: _mpls,
    I_TAG: _i_tag,
    FABRICPATH: _fabricpath,
    NSH: _nsh,
}
#: The kinds of layers between a link header and IP.
KINDS = frozenset((*_TAGS, *_STEPS))


def inside(data: bytes, layer: Layer) -> Layer | None:
    """The layer within one that is not IP.

    Returns:
        The next layer, or None where the kind is not known or does not hold another.

    Raises:
        struct.error, IndexError: the frame ends before that can be told.
    """
    size = _TAGS.get(layer.kind)
    if size is not None:
        return after_type(data, layer.at + size, layer.end)
    step = _STEPS.get(layer.kind)
    return None if step is None else step(data, layer.at, layer.end)
