"""The pcap format: a header, and then packet after packet.

Source: draft-ietf-opsawg-pcap, §4 (header) and §5 (packet record), and libpcap for what is older
than the draft. All fields stand in the byte order of the magic number.

    header, 24 bytes   u32 magic, u16 major version, u16 minor version, 8 bytes that say nothing,
                       u32 snaplen (0: no limit), u32 link type
    packet, 16 bytes   u32 seconds, u32 fraction of a second, u32 bytes captured, u32 bytes on the
                       wire; then the captured bytes

    magic      fraction       packet header
    a1b2c3d4   microseconds   16 bytes
    a1b23c4d   nanoseconds    16 bytes
    a1b2cd34   microseconds   24 bytes: u32 interface index, u16 protocol, u8 packet type, u8
                              padding behind the usual ones (the libpcap of Linux distributions
                              of 1999)

Until version 2.2, and in DG/UX's 543.0, the two lengths of a packet stand the other way round; in
2.3 the order varies, and the larger one is the length on the wire.

The link type takes the lower 16 bits of its field. The upper four may tell that each frame ends in
a frame check sequence, and how long that is. It stays on the frame, as in tshark: the IP header's
length keeps it out of every payload.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from trioecho.capture.source import LARGEST, ByteReader, FormatError, Interface, Passing
from trioecho.model import Frame

HEADER = 24
BATCH = 1000  # frames handed over at once

MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34

# The first bytes of a file -> its byte order and its magic number.
MAGICS = {
    Struct(order + "I").pack(magic): (order, magic)
    for magic in (MICROSECONDS, NANOSECONDS, MODIFIED)
    for order in "<>"
}


class PcapReader:
    """The frames of a pcap file.

    Attributes:
        interfaces: the one interface, whose name a pcap file does not tell.
        comments: none; pcap has no place for them.
        dropped: None; pcap has no place for it either.

    Raises:
        FormatError: the header is cut short, or of a version before 2.0.
    """

    def __init__(self, reader: ByteReader, passing: Passing | None = None) -> None:
        if not reader.more(HEADER):
            raise FormatError(
                0, "truncated in the pcap header", f"{HEADER} bytes due, {reader.left} there"
            )
        order, magic = MAGICS[reader.data[:4]]
        major, minor, snaplen, link = Struct(order + "4xHH8xII").unpack_from(reader.data)
        if major < 2:
            raise FormatError(4, f"unsupported pcap version {major}.{minor}")
        reader.at = HEADER
        resolution = 10**9 if magic == NANOSECONDS else 10**6
        self.interfaces = [Interface(0, "", link & 0xFFFF, resolution, snaplen)]
        self.comments: list[str] = []
        self.dropped: int | None = None
        self._reader = reader
        self._passing = passing
        self._number = 1
        self._header = 24 if magic == MODIFIED else 16
        self._fields = Struct(order + "4I")
        self._swapped = (major == 2 and minor < 3) or major == 543
        self._unsure = (major, minor) == (2, 3)

    def batches(self) -> Iterator[list[Frame]]:
        """The frames, in batches of at most 1,000 that never wait for a pipe to fill one.

        Raises:
            FormatError: the file is truncated or corrupt; all frames before have been delivered.
        """
        while True:
            if batch := self._packets():
                yield batch
            elif not self._more():
                return

    def _packets(self) -> list[Frame]:
        """The packets in the window, at most 1,000, without those to be skipped.

        This loop runs for each packet of a file and its speed is the reader's. Hence the local
        names, no call but those that take the header apart and make the frame, and no frame made
        of what is passed over.
        """
        reader, interface = self._reader, self.interfaces[0]
        data, at, link = reader.data, reader.at, interface.link
        size, header = len(data), self._header
        odd = self._swapped or self._unsure
        unpack, frame, nanoseconds = self._fields.unpack_from, Frame, 10**9 // interface.resolution
        batch: list[Frame] = []
        append = batch.append
        passing, passed = self._passing, 0
        for number in range(self._number, self._number + BATCH):
            start = at + header
            if start > size:
                break
            second, fraction, captured, length = unpack(data, at)
            if odd and (self._swapped or captured > length):
                captured, length = length, captured
            end = start + captured
            if end > size:
                break
            at = end
            if passing is not None and passing(data, start, end, link):
                passed += 1
                continue
            time = second * 1_000_000_000 + fraction * nanoseconds
            append(frame(number, time, data[start:end], link, length))
        reader.at = at
        self._number += len(batch) + passed
        return batch

    def _more(self) -> bool:
        """Read until the next packet is there; False at the end of the file."""
        reader, header = self._reader, self._header
        if not reader.more(header):
            if reader.left == 0:
                return False
            detail = f"{header} bytes due, {reader.left} there"
            raise FormatError(reader.offset, "truncated in the middle of a packet's header", detail)
        _, _, captured, length = self._fields.unpack_from(reader.data, reader.at)
        if self._swapped or (self._unsure and captured > length):
            captured = length
        if captured > LARGEST:
            detail = f"it claims {captured} bytes, and no packet has more than {LARGEST}"
            raise FormatError(reader.offset, "corrupt packet header", detail)
        if not reader.more(header + captured):
            detail = f"{captured} bytes promised, {reader.left - header} there"
            raise FormatError(reader.offset, "truncated in the middle of a packet", detail)
        return True
