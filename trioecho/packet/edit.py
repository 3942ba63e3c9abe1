"""Packets as a router or middlebox changes them, with checksums that stay as right as they were.

PURE. Only a TCP segment right behind its IP header is changed, not one within a tunnel.
"""

from __future__ import annotations

from collections.abc import Iterator

NOP, MSS = 1, 2  # kinds of options (RFC 9293 §3.1)


def marked(data: bytes) -> bytes | None:
    """A packet with the ECN mark CE; None if its sender has no ECN (RFC 3168 §5)."""
    at, unit = (1, 1) if data[0] >> 4 == 4 else (1, 16)  # IPv6: above the flow label (RFC 8200 §3)
    if not data[at] // unit & 3:
        return None
    changed = data[:at] + bytes((data[at] | 3 * unit,)) + data[at + 1 :]
    return _summed(data, changed, 0, 20, 10) if unit == 1 else changed


def without(data: bytes, at: int, kind: int) -> bytes | None:
    """A segment with NOPs for the options of a kind; None if it has none."""
    changed = bytearray(data)
    for start, end in _options(data, at):
        if data[start] == kind:
            changed[start:end] = bytes((NOP,)) * (end - start)
    return _tcp(data, bytes(changed), at)


def clamped(data: bytes, at: int, size: int) -> tuple[bytes, int] | None:
    """A segment with an MSS of ``size``, and the one it had; None if it has no larger one."""
    for start, end in _options(data, at):
        had = int.from_bytes(data[start + 2 : end])
        if data[start] == MSS and end - start == 4 and had > size:
            changed = data[: start + 2] + size.to_bytes(2) + data[end:]
            return _summed(data, changed, at, _header(data, at), 16), had
    return None


def is_plain(data: bytes, at: int) -> bool:
    """Whether the TCP header at ``at`` follows the IP header."""
    return at == (40 if data[0] >> 4 == 6 else (data[0] & 15) * 4)


def _header(data: bytes, at: int) -> int:
    return data[at + 12] >> 2 & 0x3C


def _options(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Where the options of a segment begin and end, up to one that is malformed."""
    start, stop = at + 20, at + _header(data, at)
    while start < stop and data[start]:
        end = start + 1
        if data[start] != NOP:
            end = start + data[start + 1] if end < stop else stop + 1
            if not start + 2 <= end <= stop:
                return
            yield start, end
        start = end


def _tcp(data: bytes, changed: bytes, at: int) -> bytes | None:
    return None if changed == data else _summed(data, changed, at, _header(data, at), 16)


def _summed(data: bytes, changed: bytes, at: int, size: int, field: int) -> bytes:
    """The changed packet, with the checksum of a header at ``at`` brought up to date (RFC 1624)."""
    before, after = (int.from_bytes(one[at : at + size]) for one in (data, changed))
    place = at + field
    had = int.from_bytes(data[place : place + 2])
    total = (0xFFFF - had + after - before) % 0xFFFF
    return changed[:place] + (0xFFFF - total).to_bytes(2) + changed[place + 2 :]
