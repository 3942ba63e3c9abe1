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


def decode_options(data: bytes) -> Options:
    """The options in the bytes between the fixed TCP header and the payload.

    Args:
        data: the bytes, possibly cut short or nonsense.

    Returns:
        What could be read; ``malformed`` is set when a length is below 2 or runs past the end.

    Source: RFC 9293 §3.2 (MSS), RFC 7323 §2 and §3, RFC 2018, RFC 7413 §2.
    """
    mss = scale = timestamps = cookie = None
    multipath: list[str] = []
    permitted = malformed = False
    sack: tuple[tuple[int, int], ...] = ()
    other: list[int] = []
    at, size = 0, len(data)
    while at < size:
        kind = data[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        length = data[at + 1] if at + 1 < size else 0
        if length < 2 or at + length > size:
            malformed = True
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
    return Options(mss, scale, permitted, timestamps, sack, cookie, names, tuple(other), malformed)
