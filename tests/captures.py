"""Capture files in every variation, made field by field."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import lz4.frame

from trioecho.capture.compressed import compression
from trioecho.capture.files import CaptureFile
from trioecho.errors import TrioechoError
from trioecho.model import Frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ETHERNET = 1
SECOND = 1_700_000_000

zstd_compress = zstd.compress


def payload(number: int) -> bytes:
    """An Ethernet frame of an unused type; its length depends on the number."""
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\xb5" + bytes([number & 255]) * number


def pcap(
    *packets: tuple[int, int, bytes, int],
    order: str = "<",
    magic: int = 0xA1B2C3D4,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 65535,
    link: int = ETHERNET,
    swapped: bool = False,
) -> bytes:
    """A pcap file of packets: seconds, fraction, data and length on the wire."""
    file = struct.pack(order + "IHHIIII", magic, *version, 0, 0, snaplen, link)
    for seconds, fraction, data, length in packets:
        lengths = (length, len(data)) if swapped else (len(data), length)
        file += struct.pack(order + "IIII", seconds, fraction, *lengths)
        if magic == 0xA1B2CD34:
            file += struct.pack(order + "IHBB", 2, 0x0800, 0, 0)
        file += data
    return file


class Blocks:
    """The blocks of pcapng in one byte order."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def pack(self, fields: str, *values: int) -> bytes:
        return struct.pack(self.order + fields, *values)

    def options(self, *options: tuple[int, bytes]) -> bytes:
        packed = b"".join(self.pack("HH", code, len(value)) + pad(value) for code, value in options)
        return packed + self.pack("HH", 0, 0) if options else b""

    def block(self, kind: int, body: bytes = b"") -> bytes:
        length = self.pack("I", 12 + len(body))
        return self.pack("I", kind) + length + body + length

    def section(self, *options: tuple[int, bytes], version: tuple[int, int] = (1, 0)) -> bytes:
        fixed = self.pack("IHHq", 0x1A2B3C4D, *version, -1)
        return self.block(0x0A0D0D0A, fixed + self.options(*options))

    def interface(
        self, *options: tuple[int, bytes], link: int = ETHERNET, snaplen: int = 0
    ) -> bytes:
        return self.block(1, self.pack("HHI", link, 0, snaplen) + self.options(*options))

    def packet(
        self,
        ticks: int,
        data: bytes,
        *options: tuple[int, bytes],
        interface: int = 0,
        length: int | None = None,
    ) -> bytes:
        size = len(data) if length is None else length
        fixed = self.pack("IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), size)
        return self.block(6, fixed + pad(data) + self.options(*options))

    def obsolete(self, ticks: int, data: bytes, *, interface: int = 0) -> bytes:
        fixed = self.pack(
            "HHIIII", interface, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
        )
        return self.block(2, fixed + pad(data))

    def simple(self, data: bytes, length: int | None = None) -> bytes:
        return self.block(3, self.pack("I", len(data) if length is None else length) + pad(data))


def pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def some(count: int) -> Iterator[tuple[int, int, bytes, int]]:
    """Packets for `pcap`, whose fractions fit both microseconds and nanoseconds."""
    for number in range(count):
        yield SECOND + number, number * 7, payload(number), len(payload(number))


def variations() -> Iterable[tuple[str, bytes]]:
    """A name and a file for each variation that a reader must know."""
    for order, end in (("<", "little"), (">", "big")):
        blocks = Blocks(order)
        section, interface = blocks.section(), blocks.interface()
        yield f"micro-{end}", pcap(*some(5), order=order)
        yield f"nano-{end}", pcap(*some(5), order=order, magic=0xA1B23C4D)
        yield f"modified-{end}", pcap(*some(5), order=order, magic=0xA1B2CD34)
        cut = [(s, f, data[:10], length) for s, f, data, length in some(5)]
        yield f"version-2.2-{end}", pcap(*cut, order=order, version=(2, 2), swapped=True)
        yield f"version-2.3-{end}", pcap(*cut, order=order, version=(2, 3))
        yield (
            f"version-2.3-swapped-{end}",
            pcap(*cut, order=order, version=(2, 3), swapped=True),
        )
        yield f"version-543-{end}", pcap(*cut, order=order, version=(543, 0), swapped=True)
        yield f"snaplen-0-{end}", pcap(*some(5), order=order, snaplen=0)
        yield f"fcs-{end}", pcap(*some(5), order=order, link=0x24000001)
        yield f"no-packets-{end}", pcap(order=order)
        for name, resolution, units in (
            ("micro", 6, 10**6),
            ("nano", 9, 10**9),
            ("seconds", 0, 1),
            ("tenths", 1, 10),
            ("picoseconds", 12, 10**12),
            ("binary-20", 0x80 + 20, 2**20),
            ("binary-10", 0x80 + 10, 2**10),
            ("binary-32", 0x80 + 32, 2**32),
        ):
            described = blocks.interface((9, bytes([resolution])))
            ticks = [min(SECOND, 2**63 // units) * units + 7 * number for number in range(5)]
            packets = b"".join(blocks.packet(tick, payload(i)) for i, tick in enumerate(ticks))
            yield f"resolution-{name}-{end}", section + described + packets
        offset = blocks.interface((14, blocks.pack("q", 1_600_000_000)))
        yield (
            f"offset-{end}",
            section + offset + blocks.packet(10**14 + 7, payload(3)),
        )
        yield (
            f"simple-{end}",
            section
            + blocks.interface(snaplen=16)
            + blocks.simple(payload(2)[:16])
            + blocks.simple(payload(40)[:16], len(payload(40))),
        )
        yield f"obsolete-{end}", section + interface + blocks.obsolete(1 << 50, payload(9))
        others = b"".join(
            blocks.block(kind, bytes(size))
            for kind, size in ((4, 4), (5, 12), (10, 8), (77, 0), (0x80000001, 40))
        )
        yield (
            f"others-{end}",
            section
            + interface
            + blocks.packet(1, payload(1), (1, b"a comment"))
            + others
            + blocks.packet(2, payload(2)),
        )
    little, big = Blocks("<"), Blocks(">")
    yield (
        "sections",
        little.section((1, b"the first"))
        + little.interface((2, b"eth0"))
        + little.interface((2, b"eth1"), (9, b"\x09"), link=101)
        + little.packet(10, payload(1))
        + little.packet(20_000, payload(2), interface=1)
        + big.section((1, b"the second"), (4, b"a program"))
        + big.interface((2, b"eth2"))
        + big.packet(30, payload(3))
        + little.section()
        + little.interface((9, b"\x00"))
        + little.packet(40, payload(4)),
    )


def _halves(pack: Callable[[bytes], bytes], *around: bytes) -> Callable[[bytes], bytes]:
    """Compresses in two parts, with something before, between and behind them."""
    before, between, behind = around or (b"", b"", b"")

    def both(data: bytes) -> bytes:
        half = len(data) // 2
        return before + pack(data[:half]) + between + pack(data[half:]) + behind

    return both


#: Each way in which a file may come, plain and compressed, the latter also in two parts.
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip-members": _halves(gzip.compress, b"", b"", bytes(512)),
    "zstd": zstd_compress,
    "zstd-frames": _halves(zstd_compress, b"\x51\x2a\x4d\x18\x05\0\0\0hello", b"", b""),
    "xz": lzma.compress,
    "xz-streams": _halves(lzma.compress, b"", bytes(8), bytes(4)),
    "bzip2": partial(bz2.compress, compresslevel=1),
    "bzip2-streams": _halves(bz2.compress),
    "lz4": lz4.frame.compress,
    "lz4-frames": _halves(lz4.frame.compress),
}


def compressed(data: bytes) -> list[tuple[str, bytes]]:
    """A file in each of these ways."""
    return [(how, pack(data)) for how, pack in PACKERS.items()]


class Trickle(io.BytesIO):
    """A source that delivers one byte at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1)


def read(raw: io.BytesIO) -> tuple[list[Frame], str]:
    """A capture file's frames, and its trouble if any."""
    with CaptureFile(raw, "it") as file:
        frames = [frame for batch in file for frame in batch]
        return frames, str(file.trouble or "")


def read_hostile(data: bytes) -> int:
    """Reads any bytes as a capture file and checks the frames; returns their number."""
    try:
        file = CaptureFile(io.BytesIO(data), "it", len(data))
    except TrioechoError:
        return 0
    count = total = last = 0
    with file:
        for batch in file:
            assert 0 < len(batch) <= 1000
            for frame in batch:
                assert frame.number > last
                assert -(1 << 63) <= frame.time < 1 << 63
                assert 0 <= frame.link < 1 << 16
                assert 0 <= frame.length < 1 << 32
                assert 0 <= frame.interface < len(file.interfaces)
                assert len(frame.data) <= 16 << 20
                last = frame.number
                total += len(frame.data)
            count += len(batch)
        trouble = file.trouble
        assert file.position == len(data) or trouble is not None
        assert trouble is None or trouble.compressed or 0 <= trouble.offset <= len(data)
        packing = compression(data[:16])
        assert total < len(data) or packing is not None
    if len(data) < 4096 and count < 1000:
        # A window that holds one block at a time, and one that holds them all: the same, but for
        # what corrupt data takes with it.
        slow, fast = read(Trickle(data)), read(io.BytesIO(data))
        assert slow == fast or (packing is not None and slow[0][: len(fast[0])] == fast[0])
    return count
