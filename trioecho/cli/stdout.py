"""Standard output: what it can show, and writing to it.

Only this module asks what the terminal can do: its width, its encoding, colours.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Protocol, TextIO

from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.render.colors import Style

PIPE_BUF = 4096  # bytes that a pipe takes in one piece or not at all (pipe(7))


class OutputClosed(Exception):  # noqa: N818 - not an error: the reader has seen enough
    """The reader of standard output has closed it.

    Not an ``OSError``, so that it is never mistaken for one from a socket.
    """


class Raw(Protocol):
    """An unbuffered file."""

    def write(self, data: memoryview, /) -> int | None:
        """Write as much as possible now; None when a non-blocking file takes nothing."""

    def fileno(self) -> int:
        """The file's descriptor."""


# ---- what the terminal can do --------------------------------------------------------------------


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; one that the shell has closed is None."""
    return stream is not None and stream.isatty()


def redraws() -> bool:
    """Whether standard output is a terminal that can move its cursor."""
    return is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"


def has_colors() -> bool:
    """Whether standard output shows ANSI colours, and the user wants them (no-color.org)."""
    return redraws() and sys.platform != "win32" and not os.environ.get("NO_COLOR")


def has_unicode() -> bool:
    """Whether standard output's encoding has arrows and lines."""
    return _encoding().lower().replace("-", "").startswith("utf")


def width() -> int:
    """The terminal's columns; 80 when there is none."""
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).columns


def height() -> int | None:
    """The lines of the terminal that standard output is; None where it is none."""
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).lines if is_terminal(sys.stdout) else None


def styled(text: str, style: Style) -> str:
    """Text in a style of ``render.colors``, where standard output has colours."""
    if not has_colors():
        return text
    from trioecho.render.colors import paint

    return paint(text, style)


# ---- writing -------------------------------------------------------------------------------------


def say(line: str) -> None:
    """Print a line to standard output at once; raises as `write_bytes` does."""
    write_bytes(encoded(line))


def encoded(line: str) -> bytes:
    """A line and its end as bytes; characters that the terminal's encoding lacks are escaped."""
    return (line + os.linesep).encode(_encoding(), "backslashreplace")


def write_bytes(data: bytes) -> None:
    """Write bytes to standard output at once.

    This bypasses Python's buffer: after a failed or interrupted write Python would write the
    buffer's rest again at exit, and complain, or block.

    Raises:
        OutputClosed: the reader has closed it.
        TrioechoError: the write failed, for instance because the disk is full.
    """
    if sys.stdout is None:  # closed by the shell
        return
    buffer = sys.stdout.buffer
    try:
        write_all(getattr(buffer, "raw", buffer), data)
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.EINVAL):  # EINVAL on Windows
            raise OutputClosed from None
        raise TrioechoError(f"Cannot write to standard output: {error.strerror}") from None


def write_all(file: Raw, data: bytes) -> None:
    """Write all bytes to an unbuffered file, in as many calls as it takes.

    Another program that shares the file may have made it non-blocking; then this waits.
    """
    view = memoryview(data)
    while view:
        count = file.write(view)
        if count is None:
            import select

            select.select([], [file], [])
        else:
            view = view[count:]


def _encoding() -> str:
    return "utf-8" if sys.stdout is None else sys.stdout.encoding
