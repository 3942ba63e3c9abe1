"""Standard output: a line at a time, flushed, and with an end that is not a traceback."""

from __future__ import annotations

import errno
import os
import sys

from trioecho.errors import TrioechoError


class OutputClosed(Exception):  # noqa: N818 - nobody's error: the reader has had enough
    """Whoever read standard output has gone away.

    It is not an ``OSError``, so that it is never taken for one of a socket.
    """


def say(line: str) -> None:
    """Print one line on standard output at once.

    Characters that the terminal's encoding lacks are escaped.

    Args:
        line: the line, without its end.

    Raises:
        OutputClosed: the reader has gone away.
        TrioechoError: it cannot be written, for instance because the disk is full.
    """
    if sys.stdout is None:  # closed by the shell
        return
    try:
        try:
            sys.stdout.write(line + "\n")
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding
            sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError as error:
        abandon_output()
        if error.errno in (errno.EPIPE, errno.EINVAL):  # EINVAL: what Windows says
            raise OutputClosed from None
        raise TrioechoError(f"Cannot write to standard output: {error.strerror}") from None


def say_json(value: dict[str, object]) -> None:
    """Print one object as one line of JSON; raises as ``say`` does."""
    import msgspec

    say(msgspec.json.encode(value).decode())


def abandon_output() -> None:
    """Let what is still in the buffer go nowhere, else Python tries again at exit and complains."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
