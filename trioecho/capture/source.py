"""What both file formats share: the bytes, read once and front to back, interfaces and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol, TypeAlias

from msgspec import Struct

from trioecho.model import Frame

CHUNK = 256 << 10  # bytes asked for at once: few calls, and still at home in a processor's cache

# No packet and no block that must be held whole is larger; Wireshark's bound for blocks. What
# claims to be is corrupt, or hostile.
LARGEST = 16 << 20


#: Whether a packet may be passed over: given the window, where in it the packet's bytes start and
#: end, and its link type (LINKTYPE_*).
Passing: TypeAlias = Callable[[bytes, int, int, int], bool]


class ToldFrames(list[Frame]):
    """A batch of frames from a file that says of some what became of them.

    Nobody has to look at each frame of other files to know that.
    """

    __slots__ = ()


class Readable(Protocol):
    """An open file, a pipe, or bytes in memory."""

    def read(self, size: int, /) -> bytes | None:
        """At most ``size`` bytes, and ``b""`` at the end."""

    def close(self) -> None:
        """Close it."""


class Interface(Struct, frozen=True):
    """An interface, as a capture file tells of it.

    Args:
        number: its place in the file, over all sections, from 0.
        name: its name as it stands in the file, not yet safe to show, or ``""``.
        link: the link type of its frames (LINKTYPE_*).
        resolution: how many ticks of its timestamps make a second.
        snaplen: to how many bytes its frames were cut, 0 for no limit.
    """

    number: int
    name: str
    link: int
    resolution: int
    snaplen: int = 0


class CaptureTrouble(Struct, frozen=True):
    """Why a capture file could not be read to its end.

    Args:
        offset: the byte at which the first thing that could not be read begins, from 0.
        what: what is wrong there.
        detail: what was expected and what was found, or ``""``.
        compressed: whether the file is compressed; ``offset`` counts the bytes inside.
    """

    offset: int
    what: str
    detail: str = ""
    compressed: bool = False

    def __str__(self) -> str:
        inside = " of the uncompressed data" if self.compressed else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.what} at byte {self.offset}{inside}{detail}"


class FormatError(Exception):
    """The bytes at an offset are not valid in a capture file."""

    def __init__(self, offset: int, what: str, detail: str = "") -> None:
        super().__init__(offset, what, detail)
        self.offset = offset
        self.what = what
        self.detail = detail


class SourceError(Exception):
    """The source failed before its end; the text says why."""


class Chunks:
    """The chunks of a readable, as they come: a pipe is not waited for to fill one.

    Attributes:
        position: bytes read so far.
    """

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        self.position = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._raw.read(CHUNK)
            except OSError as error:
                raise SourceError(f"reading failed ({error.strerror})") from error
            if chunk is None:
                raise SourceError("reading failed (it is set not to wait for data)")
            if not chunk:
                return
            self.position += len(chunk)
            yield chunk


class ByteReader:
    """A window onto the bytes of an iterator of chunks.

    A reader works on ``data`` from ``at`` on, moves ``at``, and asks for more when what is there
    does not suffice. So that a length field that lies costs nothing, no more memory is taken than
    there are bytes that have really come.

    Attributes:
        data: the window.
        at: where in the window the reader is.
        failure: why the source failed, once it has; ``""`` until then, and at a plain end.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._start = 0  # the offset of the window's first byte
        self.data = b""
        self.at = 0
        self.failure = ""

    @property
    def offset(self) -> int:
        """How many bytes have been consumed."""
        return self._start + self.at

    @property
    def left(self) -> int:
        """Bytes in the window that the reader has not consumed."""
        return len(self.data) - self.at

    def more(self, need: int) -> bool:
        """Read until ``need`` bytes are left in the window, and drop what was consumed."""
        if self.left >= need:
            return True
        # A bytearray grows in place: a thousand small reads from a pipe cost no thousand copies.
        window = bytearray(self.data[self.at :])
        self._start += self.at
        while len(window) < need and (chunk := self._next()):
            window += chunk
        self.data, self.at = bytes(window), 0
        return len(window) >= need

    def skip(self, count: int) -> bool:
        """Consume ``count`` bytes without keeping them; False if there were fewer."""
        while count > self.left:
            count -= self.left
            self._start += len(self.data)
            self.data, self.at = self._next(), 0
            if not self.data:
                return False
        self.at += count
        return True

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except SourceError as error:
            self.failure = str(error)
            self._chunks = iter(())
            return b""


def peek(chunks: Iterator[bytes], count: int) -> tuple[bytes, Iterator[bytes]]:
    """The first ``count`` bytes, or all if there are fewer, and all the chunks again."""
    reader = ByteReader(chunks)
    reader.more(count)
    rest = _failing(reader.failure) if reader.failure else chunks
    return reader.data[:count], chain([reader.data] if reader.data else [], rest)


def _failing(why: str) -> Iterator[bytes]:
    raise SourceError(why)
    yield b""
