"""Netlink messages: the framing that inet_diag and rtnetlink share. Standard library only."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from trioecho.errors import TrioechoError

HEADER = struct.Struct("=IHHII")  # netlink(7): length, type, flags, sequence number, port
NUMBER = struct.Struct("=i")  # the body of NLMSG_ERROR and NLMSG_DONE begins with 0 or -errno
ATTRIBUTE = struct.Struct("=HH")  # length, this header included, and type; then the value

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x2, 0x4, 0x10, 0x300


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A request."""
    return HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | flags, sequence, 0) + body


def messages(data: bytes, sequence: int, least: int) -> Iterator[tuple[int, int, bytes]]:
    """Type, flags and body of each answer to request ``sequence``; answers to others are skipped.

    A body has at least ``least`` bytes, unless it is that of NLMSG_ERROR or NLMSG_DONE.
    """
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEADER.size:
            raise cut_short()
        length, kind, flags, answers, _ = HEADER.unpack_from(data, offset)
        needed = NUMBER.size if kind in (NLMSG_ERROR, NLMSG_DONE) else least
        if not HEADER.size + needed <= length <= len(data) - offset:
            raise cut_short()
        if answers == sequence:
            yield kind, flags, data[offset + HEADER.size : offset + length]
        offset += _aligned(length)


def error_number(body: bytes) -> int:
    """The errno in an NLMSG_ERROR or NLMSG_DONE, 0 for none."""
    return -int(NUMBER.unpack_from(body)[0])


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute whose value is a multiple of four bytes long."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute."""
    offset = 0
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if not ATTRIBUTE.size <= length <= len(data) - offset:
            raise cut_short()
        yield kind, data[offset + ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def cut_short() -> TrioechoError:
    """The error for a length that is wrong."""
    return TrioechoError("The kernel's netlink answer is cut short")


def _aligned(length: int) -> int:
    return length + 3 & ~3
