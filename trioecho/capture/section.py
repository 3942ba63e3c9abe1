"""A pcapng section: the byte order of its blocks, and its interfaces.

Source: draft-ietf-opsawg-pcapng, §3.5 (options), §4.1 (section header), §4.2 (interface).

    section     u32 byte-order mark 1a2b3c4d, u16 major, u16 minor version, i64 length of the
                section (not needed), options
    interface   u16 link type, u16 reserved, u32 snaplen (0: no limit), options
    option      u16 code, u16 length, value, padding to 4 bytes; code 0 is the last

    code   of a section   of an interface
    1      comment        comment
    2      hardware       name
    3                     description
    9                     resolution: a second has 10 ** n ticks, or 2 ** n with the top bit set
    14                    i64 seconds to add to each timestamp

    code   of statistics                    of a packet
    4                                       u64 packets dropped since the one before
    5      u64 dropped by the interface
    7      u64 dropped by the system
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from struct import Struct
from typing import NamedTuple

from trioecho.capture.source import Interface
from trioecho.model import Way
from trioecho.model.way import TOLD, read_way

MARKS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}  # the byte-order mark, as it stands
END, COMMENT, NAME, DESCRIPTION, RESOLUTION, OFFSET = 0, 1, 2, 3, 9, 14
DROPPED_SINCE, DROPPED_BY = 4, (5, 7)

LONGEST_COMMENT = 1024  # bytes kept of a comment
LONGEST_NAME = 128  # and of an interface's name: Linux has 15, Windows 50, a remote one some more
EARLIEST, LATEST = -(1 << 63), (1 << 63) - 1  # times that fit in 64 bits: until the year 2262


class Layout:
    """The fixed fields of every block in one byte order, as offsets from the block's start."""

    def __init__(self, order: str) -> None:
        self.word = Struct(order + "I")
        self.head = Struct(order + "II")  # type, total length
        self.version = Struct(order + "12xHH")
        self.interface = Struct(order + "8xH2xI")
        self.packet = Struct(order + "7I")  # its head too: one call takes a whole packet apart
        self.obsolete = Struct(order + "8xH")
        self.option = Struct(order + "HH")
        self.seconds = Struct(order + "q")
        self.count = Struct(order + "Q")


LAYOUTS = {mark: Layout(order) for mark, order in MARKS.items()}


class Port(NamedTuple):
    """What is needed of an interface to read its packets.

    Its time is ``ticks * factor // divisor + offset`` nanoseconds, and surely within 64 bits when
    the upper half of the ticks is no more than ``highest``. ``told``: whether the comments of its
    packets say what became of them.
    """

    number: int
    link: int
    factor: int
    divisor: int
    offset: int
    highest: int
    snaplen: int
    told: bool


def read_interface(layout: Layout, block: bytes, number: int) -> tuple[Interface, Port]:
    """Read an interface description, given without the length at its end."""
    link, snaplen = layout.interface.unpack_from(block)
    name, resolution, offset, told = "", 10**6, 0, False
    for code, value in options(layout, block, 16):
        if code == NAME:
            name = text(value, LONGEST_NAME)
        elif code == DESCRIPTION:
            told = value == TOLD.encode()
        elif code == RESOLUTION and len(value) == 1:
            resolution = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == OFFSET and len(value) == 8:
            offset = layout.seconds.unpack(value)[0] * 10**9
    common = gcd(10**9, resolution)
    factor, divisor = 10**9 // common, resolution // common
    highest = ((LATEST - offset) * divisor // factor >> 32) - 1 if offset >= EARLIEST else -1
    port = Port(number, link, factor, divisor, offset, highest, snaplen, told)
    return Interface(number, name, link, resolution, snaplen), port


class Drops:
    """What a file says of packets that were dropped while it was captured."""

    def __init__(self) -> None:
        self._since: int | None = None  # by packets
        self._by: dict[int, int] = {}  # by an interface's last statistics

    @property
    def count(self) -> int | None:
        """How many, None where nothing is said."""
        return self._since if not self._by else sum(self._by.values())

    def packet(self, layout: Layout, block: bytes, at: int) -> None:
        """Take a packet's options, which begin at ``at``."""
        for code, value in options(layout, block, at):
            if code == DROPPED_SINCE and len(value) == 8:
                self._since = (self._since or 0) + layout.count.unpack(value)[0]

    def statistics(self, layout: Layout, block: bytes, ports: list[Port]) -> None:
        """Take an interface's statistics, given without the length at their end."""
        if len(block) < 20:
            return
        (interface,) = layout.word.unpack_from(block, 8)
        told = [
            layout.count.unpack(value)[0]
            for code, value in options(layout, block, 20)
            if code in DROPPED_BY and len(value) == 8
        ]
        if told and interface < len(ports):
            self._by[ports[interface].number] = sum(told)


def read_comments(layout: Layout, block: bytes) -> Iterator[str]:
    """The comments of a section header, given without the length at its end."""
    found = options(layout, block, 24)
    return (text(value, LONGEST_COMMENT) for code, value in found if code == COMMENT)


def read_way_of(layout: Layout, block: bytes, at: int) -> Way | None:
    """What the comments of a packet say became of it; its options begin at ``at``."""
    said = (
        read_way(value) for code, value in options(layout, block, at + 3 & ~3) if code == COMMENT
    )
    return next(filter(None, said), None)


def options(layout: Layout, block: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Each option's code and value, until they end or one runs past the block."""
    while at + 4 <= len(block):
        code, size = layout.option.unpack_from(block, at)
        at += 4
        if code == END or at + size > len(block):
            return
        yield code, block[at : at + size]
        at += size + 3 & ~3


def text(value: bytes, longest: int) -> str:
    """The text of an option, cut to so many bytes."""
    return value[:longest].decode(errors="replace")
