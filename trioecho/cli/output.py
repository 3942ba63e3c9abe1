"""Standard output: written at once, past Python's buffer, and with an end that is no traceback.

Beside it, what is said of troubles on standard error.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Protocol

from trioecho.errors import TrioechoError
from trioecho.text import printable

WHOLE = 4096  # bytes that a pipe takes whole or not at all (PIPE_BUF, pipe(7))


class OutputClosed(Exception):  # noqa: N818 - nobody's error: the reader has had enough
    """Whoever read standard output has gone away.

    It is not an ``OSError``, so that it is never taken for one of a socket.
    """


class Raw(Protocol):
    """A file without a buffer."""

    def write(self, data: memoryview, /) -> int | None:
        """Write what can be written at once; None when a file that does not block takes nothing."""

    def fileno(self) -> int:
        """Its descriptor."""


def say(line: str) -> None:
    """Print one line on standard output at once.

    Args:
        line: the line, without its end.

    Raises:
        OutputClosed: the reader has gone away.
        TrioechoError: it cannot be written, for instance because the disk is full.
    """
    write_bytes(encoded(line))


def warn(sentence: str) -> None:
    """Print a sentence on standard error.

    Args:
        sentence: it may quote a file or a peer; what could steer a terminal is escaped here.
    """
    print(f"trioecho: {printable(sentence)}", file=sys.stderr)


def encoded(line: str) -> bytes:
    """A line as bytes for standard output.

    Args:
        line: the line, without its end.

    Returns:
        The line with its end, and with what the terminal's encoding lacks escaped.
    """
    encoding = "utf-8" if sys.stdout is None else sys.stdout.encoding
    return (line + os.linesep).encode(encoding, "backslashreplace")


def write_bytes(data: bytes) -> None:
    """Write bytes to standard output at once.

    Python's buffer is passed by: what a write that failed or was interrupted leaves in it, Python
    writes again at exit, and complains, or blocks.

    Args:
        data: the bytes.

    Raises:
        OutputClosed: the reader has gone away.
        TrioechoError: they cannot be written, for instance because the disk is full.
    """
    if sys.stdout is None:  # closed by the shell
        return
    buffer = sys.stdout.buffer
    try:
        write_all(getattr(buffer, "raw", buffer), data)
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.EINVAL):  # EINVAL: what Windows says
            raise OutputClosed from None
        raise TrioechoError(f"Cannot write to standard output: {error.strerror}") from None


def write_all(file: Raw, data: bytes) -> None:
    """Write bytes to a file without a buffer, in as many calls as it takes.

    Args:
        file: the file. Another program that shares it may have set it not to block; then it is
            waited for.
        data: the bytes.

    Raises:
        OSError: they cannot be written.
    """
    view = memoryview(data)
    while view:
        count = file.write(view)
        if count is None:
            import select

            select.select([], [file], [])
        else:
            view = view[count:]
