"""A message that is read while it is sent: a file, a pipe, standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.echo.conversation import Chunks

_CHUNK = 256 * 2**10  # a thread's round trip for each, so larger than a socket's piece


def message_from(descriptor: int, name: str) -> Callable[[], Chunks]:
    """A message that reads a file descriptor, for ``exchange``.

    Each call of what it returns reads from where the descriptor stood at first, if it can seek;
    otherwise a second call finds nothing more (see ``read_all``).

    The reading happens in a thread, since no system can wait for a regular file to be readable and
    Windows not for a pipe either. On cancellation a thread blocked on a silent pipe is abandoned;
    it holds only this descriptor.

    Returns:
        The function for ``exchange``; what it yields raises TrioechoError when it cannot be read.
    """
    try:
        start: int | None = os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError:
        start = None

    async def chunks() -> Chunks:
        if start is not None:
            os.lseek(descriptor, start, os.SEEK_SET)
        while data := await _read(descriptor, name):
            yield data

    return chunks


async def read_all(descriptor: int, name: str) -> bytes:
    """All that can be read from a descriptor, for a message to be sent more than once.

    Returns:
        The bytes.

    Raises:
        TrioechoError: it cannot be read.
    """
    pieces = []
    while data := await _read(descriptor, name):
        pieces.append(data)
    return b"".join(pieces)


def size_left(descriptor: int) -> int | None:
    """How many bytes a file has left.

    Returns:
        The bytes of a regular file from where it stands; None for anything else.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return None
    return max(status.st_size - os.lseek(descriptor, 0, os.SEEK_CUR), 0)


async def read_line(descriptor: int) -> bytes:
    """One line typed at a terminal.

    Returns:
        The line with its end, and ``b""`` at the end of input.

    Raises:
        TrioechoError: it cannot be read.
    """
    return await _read(descriptor, "what is typed")


async def _read(descriptor: int, name: str) -> bytes:
    try:
        return await trio.to_thread.run_sync(os.read, descriptor, _CHUNK, abandon_on_cancel=True)
    except OSError as error:
        raise TrioechoError(f"Cannot read {name}: {error.strerror}") from None
