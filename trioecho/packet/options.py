"""The options of a TCP header (RFC 9293 §3.2)."""

from __future__ import annotations

from struct import Struct as Layout

from trioecho.model import Options

END, NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
MPTCP, FAST_OPEN, EXPERIMENT = 30, 34, 254

# RFC 8684 §9.
MPTCP_SUBTYPES = (
    *("MP_CAPABLE", "MP_JOIN", "DSS", "ADD_ADDR", "REMOVE_ADDR", "MP_PRIO", "MP_FAIL"),
    *("MP_FASTCLOSE", "MP_TCPRST"),
)

NO_OPTIONS = Options()

_u16 = Layout("!H").unpack_from
_pair = Layout("!II").unpack_from

# Fast Open before it had a kind of its own (RFC 6994, RFC 7413 §4.1.1 and its drafts).
_FAST_OPEN_EXPERIMENT = b"\xf9\x89"
# Nearly every segment of a modern connection carries exactly this: two NOPs and the timestamps.
ONLY_TIMESTAMPS = b"\x01\x01\x08\x0a"


def decode_options(data: bytes, size: int | None = None) -> Options:
    """The options in the bytes between the fixed TCP header and the payload.

    Returns:
        What could be read. ``malformed`` is set when a length is below 2 or runs past the end on
        the wire, ``cut`` when options follow that were not captured.

    Source: RFC 9293 §3.2 (MSS), RFC 7323 §2 and §3, RFC 2018, RFC 7413 §2.
    """
    mss = scale = timestamps = cookie = None
    multipath: list[str] = []
    permitted = malformed = cut = False
    sack: tuple[tuple[int, int], ...] = ()
    other: list[int] = []
    at, there = 0, len(data)
    size = there if size is None else size
    while at < size:
        if at >= there:
            cut = True
            break
        kind = data[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        cut = at + 1 >= there and at + 1 < size
        length = data[at + 1] if at + 1 < there else 0
        if not cut and (length < 2 or at + length > size):
            malformed = True
            break
        if cut or at + length > there:
            cut = True
            if kind == SACK and length % 8 == 2:  # the blocks before the cut are whole
                whole = range(at + 2, there - 7, 8)
                sack = tuple(_pair(data, edge) for edge in whole)
            break
        if kind == MSS and length == 4:
            (mss,) = _u16(data, at + 2)
        elif kind == WINDOW_SCALE and length == 3:
            scale = min(data[at + 2], 14)  # RFC 7323 §2.3: more than 14 counts as 14
        elif kind == SACK_PERMITTED and length == 2:
            permitted = True
        elif kind == SACK and length % 8 == 2:
            sack = tuple(_pair(data, edge) for edge in range(at + 2, at + length, 8))
        elif kind == TIMESTAMPS and length == 10:
            timestamps = _pair(data, at + 2)
        elif kind == MPTCP and length > 2:
            subtype = data[at + 2] >> 4
            multipath.append(MPTCP_SUBTYPES[subtype] if subtype < 9 else f"subtype {subtype}")
        elif kind == FAST_OPEN:
            cookie = data[at + 2 : at + length]
        elif kind == EXPERIMENT and data[at + 2 : at + 4] == _FAST_OPEN_EXPERIMENT:
            cookie = data[at + 4 : at + length]
        else:
            other.append(kind)
        at += length
    names = tuple(multipath)
    rest = tuple(other), malformed, cut
    return Options(mss, scale, permitted, timestamps, sack, cookie, names, *rest)
