"""Capture files: pcap and pcapng, plain or compressed, from a file or from a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from io import FileIO
from typing import Self

from trioecho.capture.compressed import COMPRESSIONS, compression
from trioecho.capture.pcap import MAGICS, PcapReader
from trioecho.capture.pcapng import MAGIC as PCAPNG_MAGIC
from trioecho.capture.pcapng import PcapngReader
from trioecho.capture.source import (
    ByteReader,
    CaptureTrouble,
    Chunks,
    FormatError,
    Interface,
    Passing,
    Readable,
    peek,
)
from trioecho.errors import TrioechoError
from trioecho.model import Frame
from trioecho.text import preview, printable

__all__ = ["CaptureFile", "CaptureTrouble", "Interface", "open_capture_file"]

PEEK = 16
HINT = "It must be a pcap or pcapng file, plain or compressed by gzip, zstd, xz, bzip2 or lz4"

# What a file that is not a capture may be, by its first bytes.
STRANGERS = {
    b"PK\x03\x04": "a zip archive",
    b"\x02\x21\x4c\x18": "data of lz4's legacy format",
    b"\x1f\x9d": "data of compress(1)",
    **{one.magic: f"{one.name} data" for one in COMPRESSIONS},
    b"snoop\0\0\0": "a snoop capture of Solaris",
    b"GMBU": "a capture of Microsoft Network Monitor",
    b"XCP\0": "a capture of NetXRay",
    b"TRSNIFF data": "a capture of the Sniffer",
    b"\x7fELF": "a program",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
}
REPACK = {"a zip archive", "data of compress(1)", "data of lz4's legacy format"}


class CaptureFile:
    """A capture file, read once from front to back::

        with open_capture_file("trace.pcapng.gz") as file:
            for batch in file:
                ...
        if file.trouble:
            print(file.trouble)

    Whatever the file claims, reading it takes no more memory than its largest packet (at most 16
    MiB), a few chunks, and its interfaces (at most 65,536, or 60 MB). A compressed file also takes
    its window: usually 8 MiB, at most 128.

    Args:
        raw: where its bytes come from; anything with ``read`` and ``close``. It need not be
            seekable, and a read may give less than was asked for. It is closed with the file.
        name: how errors name it, safe to show.
        size: its size in bytes, or None when it is not known, as of a pipe.
        passing: which packets may be skipped, which saves the time that a frame takes. Some are
            delivered all the same, and each keeps its number.

    Attributes:
        name: the same.
        size: the same; of a compressed file, the compressed size.
        trouble: why it could not be read to its end, once the iteration has ended; None when it
            could be. Everything before that has been delivered.

    Raises:
        TrioechoError: it is empty, or is not the beginning of a capture file.
    """

    def __init__(
        self,
        raw: Readable,
        name: str,
        size: int | None = None,
        *,
        passing: Passing | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self.trouble: CaptureTrouble | None = None
        self._raw = raw
        self._chunks = Chunks(raw)
        head, chunks = peek(iter(self._chunks), PEEK)
        packing = compression(head)
        self._compressed = packing is not None
        if packing is not None:
            head, chunks = peek(packing.unpack(chunks), PEEK)
        self._reader = ByteReader(chunks)
        self._format = self._begin(head, passing)

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces seen so far: of pcap the one, and more as they come in pcapng."""
        return self._format.interfaces

    @property
    def comments(self) -> list[str]:
        """The comments on the capture seen so far, as they stand in the file: not safe to show."""
        return self._format.comments

    @property
    def dropped(self) -> int | None:
        """How many packets were dropped while it was captured, as far as it has told by now; None
        where it has not."""
        return self._format.dropped

    @property
    def position(self) -> int:
        """How many bytes of the file have been read; of a compressed one, compressed bytes."""
        return self._chunks.position

    def __iter__(self) -> Iterator[list[Frame]]:
        """The frames in batches, none of them empty, numbered from 1 over the whole file."""
        try:
            yield from self._format.batches()
        except FormatError as error:
            self.trouble = self._trouble(error)
        if self._reader.failure:
            offset = self._reader.offset + self._reader.left
            self.trouble = self._trouble(FormatError(offset, self._reader.failure))

    def _trouble(self, error: FormatError) -> CaptureTrouble:
        return CaptureTrouble(error.offset, error.what, error.detail, self._compressed)

    def _begin(self, head: bytes, passing: Passing | None) -> PcapReader | PcapngReader:
        name = self.name
        try:
            if head[:4] in MAGICS:
                return PcapReader(self._reader, passing)
            if head[:4] == PCAPNG_MAGIC:
                return PcapngReader(self._reader, passing)
        except FormatError as error:
            trouble = self._reader.failure or str(self._trouble(error))
            raise TrioechoError(f"{name} has nothing to read: {trouble}") from error
        self._reader.more(PEEK)
        if self._reader.failure:
            raise TrioechoError(f"{name} has nothing to read: {self._reader.failure}")
        inside = f"{name} is compressed, and what is inside" if self._compressed else name
        if not head:
            raise TrioechoError(f"{inside} is empty", HINT)
        look = _look(head)
        hint = "Unpack it, or pack it with gzip or zstd" if look in REPACK else HINT
        raise TrioechoError(f"{inside} is no capture file: it looks like {look}", hint)

    def close(self) -> None:
        """Close what it reads from."""
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_capture_file(
    path: str | os.PathLike[str], *, passing: Passing | None = None
) -> CaptureFile:
    """Open a capture file and read as much of it as tells that it is one.

    Raises:
        TrioechoError: there is no such file, it may not be read, it is empty, or it is not the
            beginning of a capture file.
    """
    path = os.fspath(path)
    name = "standard input" if path == "-" else printable(path)
    try:
        raw = FileIO(0, closefd=False) if path == "-" else FileIO(path)
    except FileNotFoundError as error:
        raise TrioechoError(f"There is no file {name or repr(name)}") from error
    except IsADirectoryError as error:
        raise TrioechoError(f"{name} is a directory", "Name the capture files in it") from error
    except PermissionError as error:
        raise TrioechoError(f"{name} may not be read by this user") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TrioechoError(f"{name} cannot be read: {why}") from error
    try:
        if raw.isatty():
            hint = "Pipe a capture into it, as in: tcpdump -w - | trioecho read - (or why -)"
            raise TrioechoError(f"{name} is a terminal and no capture file", hint)
        status = os.fstat(raw.fileno())
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        return CaptureFile(raw, name, size, passing=passing)
    except BaseException:
        raw.close()
        raise


def _look(head: bytes) -> str:
    """What a file that is not a capture seems to be."""
    for magic, look in STRANGERS.items():
        if head.startswith(magic):
            return look
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        return f"text that begins with {preview(head)[1:]}"
    return f"bytes that begin with {head[:8].hex(' ')}"
