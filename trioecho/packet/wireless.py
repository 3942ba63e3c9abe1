"""802.11: the radio's header that a capture puts before a frame, and the data frames themselves.

Source: IEEE 802.11-2020 §9.2 and §9.3.2, https://www.radiotap.org, and tcpdump.org's LINKTYPE_
pages. An encrypted frame tells nothing, and a fragment of one is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct as Layout

from trioecho.packet.layers import ETHERNET, LLC, WIRELESS, WIRELESS_PADDED, Layer

_u16 = Layout("<H").unpack_from
_u32 = Layout("<I").unpack_from
_length = Layout("!H").unpack_from
_ppi_header = Layout("<BBHI").unpack_from
_avs_header = Layout("!II").unpack_from

# Of a frame's first 16 bits, the first byte being the lower: version and type; "null", which has
# no data; QoS; to and from the distribution system; more fragments; protected; +HTC.
_VERSION_AND_TYPE, _DATA = 0x000F, 0x0008
_NULL, _QOS, _BOTH, _MORE, _PROTECTED, _HT = 0x0040, 0x0080, 0x0300, 0x0400, 0x4000, 0x8000
_AGGREGATE = 0x80  # of the QoS control's first byte: an A-MSDU

_TSFT, _FLAGS, _EXTENDED = 1 << 0, 1 << 1, 1 << 31
_FCS, _PADDED = 0x10, 0x20  # of radiotap's flags
_AVS = frozenset((0x80211001, 0x80211002))
_PRISM_SIZE = 144


def radiotap(data: bytes, at: int, end: int) -> Layer | None:
    """The frame behind a radiotap header, without its frame check sequence."""
    if data[at] != 0:
        return None
    size, present = _u16(data, at + 2)[0], _u32(data, at + 4)[0]
    field, more = 8, present
    while more & _EXTENDED:
        more = _u32(data, at + field)[0]
        field += 4
    flags = 0
    if present & _FLAGS:
        if present & _TSFT:
            field = (field + 7 & ~7) + 8  # aligned as in memory, counted from the header
        flags = data[at + field]
    kind = WIRELESS_PADDED if flags & _PADDED else WIRELESS
    return Layer(kind, at + size, end - 4 * bool(flags & _FCS))


def prism(data: bytes, at: int, end: int) -> Layer:
    """The frame behind a Prism header, or AVS's, which came after it with the same number."""
    if _avs_header(data, at)[0] in _AVS:
        return avs(data, at, end)
    return Layer(WIRELESS, at + _PRISM_SIZE, end)


def avs(data: bytes, at: int, end: int) -> Layer:
    """The frame behind an AVS header."""
    return Layer(WIRELESS, at + _avs_header(data, at)[1], end)


def ppi(data: bytes, at: int) -> tuple[int, int] | None:
    """Of a PPI header, the link type of what follows and where that starts."""
    version, _, size, link = _ppi_header(data, at)
    return (link, at + size) if version == 0 and size >= 8 else None


def wireless(data: bytes, layer: Layer) -> Layer | None:
    """What a data frame of 802.11 holds.

    Returns:
        LLC, or the first frame of an A-MSDU; None of other frames, encrypted ones, fragments.
    """
    body = _body(data, layer)
    if body is None:
        return None
    at, end, aggregate = body
    if not aggregate:
        return Layer(LLC, at, end)
    return next(_subframes(data, at, end), None)


def aggregated(data: bytes, layer: Layer) -> Iterator[Layer]:
    """Every frame within an A-MSDU; nothing of any other frame."""
    body = _body(data, layer)
    if body is not None and body[2]:
        yield from _subframes(data, body[0], body[1])


def _body(data: bytes, layer: Layer) -> tuple[int, int, bool] | None:
    """Where a data frame's body starts and ends, and whether it is an A-MSDU."""
    at, end = layer.at, layer.end
    control = _u16(data, at)[0]
    if control & _VERSION_AND_TYPE != _DATA or control & (_NULL | _MORE | _PROTECTED):
        return None
    if data[at + 22] & 15:  # a later fragment
        return None
    size = 24 + 6 * (control & _BOTH == _BOTH)
    aggregate = False
    if control & _QOS:
        aggregate = bool(data[at + size] & _AGGREGATE)
        size += 2 + 4 * bool(control & _HT)
    if layer.kind == WIRELESS_PADDED:
        size += -size % 4
    return at + size, end, aggregate


def _subframes(data: bytes, at: int, end: int) -> Iterator[Layer]:
    """Each is two addresses, a length and that many bytes, padded to a multiple of 4."""
    while at + 14 <= min(end, len(data)):
        length = _length(data, at + 12)[0]
        yield Layer(ETHERNET, at, min(end, at + 14 + length))
        at += 14 + length + (-(14 + length) % 4)
