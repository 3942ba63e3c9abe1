"""Runs a command on a terminal of a size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Sequence

from programs import TRIOECHO

#: The sizes at which people look: columns and rows.
SIZES = [(40, 30), (80, 24), (80, 50), (200, 24), (200, 50)]


def on_a_terminal(words: Sequence[str], columns: int, rows: int, *, code: int = 0) -> str:
    """What a command shows on a terminal of this size, without its colours."""
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execve(sys.executable, [*TRIOECHO, *words], {**env, "NO_COLOR": "1"})
    seen = b""
    while chunk := read(terminal):
        seen += chunk
    os.close(terminal)
    text = seen.decode().replace("\r\n", "\n")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code, text
    return text


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # its other end has closed
        return b""


def without_their_lines(text: str) -> list[str]:
    """The same without what the programs of ``run`` have written."""
    theirs = re.compile(r" *-?\d+\.\d{3} (client|server) \| ").match
    return [line for line in text.splitlines() if not theirs(line)]
