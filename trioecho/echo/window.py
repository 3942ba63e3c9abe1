"""The bytes sent and not echoed yet."""

from __future__ import annotations

from collections import deque
from typing import IO

from trioecho.errors import TrioechoError

IN_MEMORY = 8 * 2**20
_PIECE = 64 * 2**10


class EchoDiffers(TrioechoError):  # noqa: N818 - a sentence, as its base is
    """The first byte of the echo that differs."""

    def __init__(self, offset: int, expected: int | None, received: int) -> None:
        if expected is None:
            what = (
                f"The server sent back more than it received: {_shown(received)} at offset {offset}"
            )
        else:
            sent, got = _shown(expected), _shown(received)
            what = f"The echo differs at offset {offset}: sent {sent}, received {got}"
        super().__init__(what, "It is not an echo server, or something on the path changes bytes")
        self.offset = offset
        self.expected = expected
        self.received = received


def differ(sent: bytes, echoed: bytes, offset: int) -> None:
    """Find the first byte of an echo that differs from what was sent, or goes beyond it.

    Args:
        sent, echoed: both from the same place on.
        offset: of that place.

    Raises:
        EchoDiffers: there is one.
    """
    for place, byte in enumerate(echoed):
        expected = sent[place] if place < len(sent) else None
        if byte != expected:
            raise EchoDiffers(offset + place, expected, byte)


class Window:
    """The bytes in flight, first in, first out, each to be compared with its echo.

    A stream can be of any size, so only what has not come back is kept. That is little with a
    server that echoes as it reads, at most what the sockets' buffers hold; but a server may read
    to the end before it answers, and then it is everything. So the window keeps a few MiB in
    memory and the rest in a temporary file, which is only made when it is needed. To read the
    source a second time instead would not do for a pipe, and would blame the server when a file
    changes while it is sent.

    The file is used without a thread: it is written in small pieces that go to the page cache.

    Attributes:
        checked: how many bytes came back unchanged.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit = in_memory
        self._pieces: deque[bytes] = deque()
        self._used = 0  # of the first piece
        self._held = 0  # in memory, with what is used of the first piece
        self._size = 0
        self._file: IO[bytes] | None = None
        self._written = 0
        self._read = 0
        self.checked = 0

    def __len__(self) -> int:
        return self._size

    def push(self, data: bytes) -> None:
        """Add bytes that are about to be sent.

        Raises:
            TrioechoError: they fit neither into memory nor onto the disk.
        """
        self._size += len(data)
        if self._written == self._read and self._held + len(data) <= self._limit:
            self._keep(data)
            return
        try:
            if self._file is None:
                from tempfile import TemporaryFile

                self._file = TemporaryFile()  # noqa: SIM115 - lives as long as the window
            self._file.seek(self._written)
            self._file.write(data)
        except OSError as error:
            raise TrioechoError(
                f"The server holds back {self._size:,} bytes of its echo, and they cannot be kept "
                f"in a temporary file: {error.strerror}",
                "Set TMPDIR to a directory with more room",
            ) from None
        self._written += len(data)

    def check(self, echoed: bytes) -> None:
        """Compare bytes that came back with those sent, and forget them.

        Raises:
            EchoDiffers: at the first byte that is another, or that was never sent.
        """
        start = 0
        while start < len(echoed):
            if not self._size:
                raise EchoDiffers(self.checked, None, echoed[start])
            piece = self._first()
            count = min(len(piece) - self._used, len(echoed) - start)
            # Slices of bytes, not of memoryviews: copying and memcmp beat a view's comparison.
            sent = piece[self._used : self._used + count]
            got = echoed[start : start + count]
            if sent != got:
                differ(sent, got, self.checked)
            start += count
            self._used += count
            self._size -= count
            self.checked += count
            if self._used == len(piece):
                self._held -= len(self._pieces.popleft())
                self._used = 0

    def close(self) -> None:
        """Close the temporary file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _keep(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._held += len(data)

    def _first(self) -> bytes:
        if not self._pieces:
            assert self._file is not None
            self._file.seek(self._read)
            piece = self._file.read(min(_PIECE, self._written - self._read))
            self._read += len(piece)
            self._keep(piece)
            if self._read == self._written:
                self._file.seek(0)
                self._file.truncate()
                self._read = self._written = 0
        return self._pieces[0]


def _shown(byte: int) -> str:
    return f"0x{byte:02x} {bytes([byte])!r}"
