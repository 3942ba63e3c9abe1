"""The pcapng format: block after block.

Source: draft-ietf-opsawg-pcapng, §3.1 (blocks), §4.3 (enhanced packet), §4.4 (simple packet),
§4.6 (interface statistics), appendix A (the obsolete packet block). `trioecho.capture.section` has
the rest.

    block       u32 type, u32 total length, body, u32 total length again; a multiple of 4 bytes

    type        body
    0a0d0d0a    a section begins
    1           an interface
    6           a packet: u32 interface, u32 + u32 ticks (upper half first), u32 bytes captured, u32
                bytes on the wire, the captured bytes, padding, options
    3           a simple packet: u32 bytes on the wire, the captured bytes; of the section's first
                interface, cut at its snaplen, and of no time of its own
    5           statistics: u32 interface, u32 + u32 ticks, options
    2           an obsolete packet: as 6, but u16 interface, u16 drops in place of the interface

Every other type (names, secrets, journal entries, custom ones) is skipped by its
length. Journal entries and custom blocks have a number all the same, so that a frame's number is
the one that Wireshark shows. A section sets the byte order of its own blocks and counts its
interfaces from 0; frames number them on over all sections.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from trioecho.capture.pcap import BATCH
from trioecho.capture.section import (
    EARLIEST,
    LATEST,
    LAYOUTS,
    Drops,
    Port,
    read_comments,
    read_interface,
    read_way_of,
)
from trioecho.capture.source import LARGEST, ByteReader, FormatError, Interface, Passing, ToldFrames
from trioecho.model import Frame

MAGIC = b"\x0a\x0d\x0d\x0a"  # a section's type; it reads the same in both byte orders
SECTION, INTERFACE, OBSOLETE, SIMPLE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 2, 3, 5, 6
NUMBERED = {OBSOLETE, SIMPLE, PACKET, 9, 0xBAD, 0x40000BAD}  # 9: journal; the others: custom

# The types that are not skipped, and the smallest length that each may have.
SMALLEST = {SECTION: 28, INTERFACE: 20, OBSOLETE: 32, SIMPLE: 16, STATISTICS: 12, PACKET: 32}

# Bounds on what is kept, lest a small compressed file fill the memory.
MOST_INTERFACES, MOST_COMMENTS = 65_536, 100


class PcapngReader:
    """The frames of a pcapng file.

    Attributes:
        interfaces: those seen so far, over all sections.
        comments: the sections' comments seen so far, as they stand in the file, not yet safe to
            show; at most 100, and of each the first 1,024 bytes.

    Raises:
        FormatError: the first section's header is not whole or not sound.
    """

    def __init__(self, reader: ByteReader, passing: Passing | None = None) -> None:
        self.interfaces: list[Interface] = []
        self.comments: list[str] = []
        self._drops = Drops()
        self._reader = reader
        self._passing = passing
        self._ports: list[Port] = []  # this section's
        self._number = 1
        self._time = 0
        self._told = False  # whether an interface is described as one whose packets tell
        self._more()
        self._block([])

    @property
    def dropped(self) -> int | None:
        """How many packets were dropped, as far as the file has told; None where it has not."""
        return self._drops.count

    def batches(self) -> Iterator[list[Frame]]:
        """The frames, in batches of at most 1,000 that never wait for a pipe to fill one.

        Raises:
            FormatError: the file is truncated or corrupt; all frames before have been delivered.
        """
        batch: list[Frame] = []
        try:
            while True:
                self._packets(batch)
                if len(batch) < BATCH and self._here():
                    self._block(batch)
                elif batch:
                    yield ToldFrames(batch) if self._told else batch
                    batch = []
                elif not self._more():
                    return
        except FormatError:
            if batch:
                yield ToldFrames(batch) if self._told else batch
            raise

    def _packets(self, batch: list[Frame]) -> None:
        """Add the packets that are next in the window, at most as many as the batch lacks to 1,000.

        This loop runs for each packet of a file and its speed is the reader's. Hence the local
        names, and that it leaves to `_block` whatever is rare or unsound.
        """
        reader, layout, ports = self._reader, self._layout, self._ports
        data, at, size = reader.data, reader.at, len(reader.data)
        unpack, trailer = layout.packet.unpack_from, layout.word.unpack_from
        frame, append, before, time, known = Frame, batch.append, len(batch), self._time, -1
        number = link = factor = divisor = offset = highest = 0
        passing, passed = self._passing, 0
        for serial in range(self._number, self._number + BATCH - before):
            if at + 28 > size:
                break
            kind, total, interface, high, low, captured, length = unpack(data, at)
            end = at + total
            if kind != PACKET or captured > total - 32 or total & 3 or end > size:
                break
            if interface != known:
                if interface >= len(ports) or ports[interface].told:
                    break
                number, link, factor, divisor, offset, highest, *_ = ports[known := interface]
            if high > highest or trailer(data, end - 4)[0] != total:
                break
            time = (high << 32 | low) * factor // divisor + offset  # a simple packet may ask for it
            start = at + 28
            if total - captured > 35:  # more than padding stands behind the packet: options
                self._drops.packet(self._layout, data[at : end - 4], 28 + (captured + 3 & ~3))
            at = end
            if passing is not None and passing(data, start, start + captured, link):
                passed += 1
                continue
            append(frame(serial, time, data[start : start + captured], link, length, number))
        reader.at, self._time = at, time
        self._number += len(batch) - before + passed

    def _here(self) -> bool:
        """Whether the next block is in the window."""
        return self._reader.left >= 12 and self._reader.left >= self._head()[1]

    def _more(self) -> bool:
        """Read until the next block is there, or has been skipped; False at the end of the file."""
        reader = self._reader
        if not reader.more(12):
            if reader.left == 0:
                return False
            detail = f"12 bytes or more due, {reader.left} there"
            raise FormatError(reader.offset, "truncated in the middle of a block's header", detail)
        (kind, total), offset = self._head(), reader.offset
        if kind not in SMALLEST:
            whole = reader.skip(total - 4) and reader.more(4)
            if whole:
                self._trailer(kind, total, offset)
        elif total > LARGEST:
            detail = f"it claims {total} bytes, and none has more than {LARGEST}"
            raise FormatError(offset, f"corrupt block of type {kind}", detail)
        else:
            whole = reader.more(total)
        if not whole:
            what = "packet" if kind in (PACKET, SIMPLE, OBSOLETE) else f"block of type {kind}"
            there = reader.offset + reader.left - offset
            detail = f"a block of {total} bytes promised, {there} there"
            raise FormatError(offset, f"truncated in the middle of a {what}", detail)
        return True

    def _head(self) -> tuple[int, int]:
        """The type and the length of the next block, of which 12 bytes are in the window."""
        reader = self._reader
        if reader.data.startswith(MAGIC, reader.at):
            mark = reader.data[reader.at + 8 : reader.at + 12]
            if mark not in LAYOUTS:
                detail = f"its byte-order mark is {mark.hex()}"
                raise FormatError(reader.offset, "corrupt section header", detail)
            self._layout = LAYOUTS[mark]
        kind, total = self._layout.head.unpack_from(reader.data, reader.at)
        least = SMALLEST.get(kind, 12)
        if total < least or total % 4:
            detail = f"its length is {total}, which is no multiple of 4 from {least} on"
            raise FormatError(reader.offset, f"corrupt block of type {kind}", detail)
        return kind, total

    def _trailer(self, kind: int, total: int, offset: int) -> None:
        """Consume the length at a block's end, which must be the one at its start; number it."""
        reader = self._reader
        (again,) = self._layout.word.unpack_from(reader.data, reader.at)
        if again != total:
            detail = f"its two lengths are {total} and {again}"
            raise FormatError(offset, f"corrupt block of type {kind}", detail)
        reader.at += 4
        self._number += kind in NUMBERED

    def _block(self, batch: list[Frame]) -> None:
        """Read the next block, of any kind, which is in the window."""
        reader, (kind, total), offset = self._reader, self._head(), self._reader.offset
        block = reader.data[reader.at : reader.at + total - 4]
        reader.at += total - 4
        self._trailer(kind, total, offset)
        if kind == SECTION:
            major, minor = self._layout.version.unpack_from(block)
            if major != 1:
                raise FormatError(offset, f"pcapng section of unsupported version {major}.{minor}")
            self._ports = []
            room = MOST_COMMENTS - len(self.comments)
            self.comments += islice(read_comments(self._layout, block), room)
        elif kind == INTERFACE:
            if len(self.interfaces) == MOST_INTERFACES:
                raise FormatError(offset, f"more than {MOST_INTERFACES} interfaces")
            interface, port = read_interface(self._layout, block, len(self.interfaces))
            self.interfaces.append(interface)
            self._ports.append(port)
            self._told |= port.told
        elif kind == STATISTICS:
            self._drops.statistics(self._layout, block, self._ports)
        elif kind in SMALLEST:
            batch.append(self._packet(kind, block, offset))

    def _packet(self, kind: int, block: bytes, offset: int) -> Frame:
        """A packet of any of the three kinds, with every check."""
        if kind == SIMPLE:
            interface, start = 0, 12
            (length,) = self._layout.word.unpack_from(block, 8)
            captured = length
        else:
            start = 28
            _, _, interface, high, low, captured, length = self._layout.packet.unpack_from(block)
            if kind == OBSOLETE:
                (interface,) = self._layout.obsolete.unpack_from(block)
        if interface >= len(self._ports):
            detail = f"it is of interface {interface}, and the section has {len(self._ports)}"
            raise FormatError(offset, "corrupt packet", detail)
        port = self._ports[interface]
        if kind != SIMPLE:
            time = (high << 32 | low) * port.factor // port.divisor + port.offset
            self._time = max(EARLIEST, min(time, LATEST))
        elif port.snaplen:
            captured = min(length, port.snaplen)
        if captured > len(block) - start:
            detail = f"{captured} bytes promised in a block with room for {len(block) - start}"
            raise FormatError(offset, "corrupt packet", detail)
        data = block[start : start + captured]
        way = read_way_of(self._layout, block, start + captured) if port.told else None
        return Frame(self._number - 1, self._time, data, port.link, length, port.number, way)
