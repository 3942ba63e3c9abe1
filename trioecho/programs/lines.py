"""A program's output, as lines that are safe to show."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from trioecho.model import End
from trioecho.text import printable

#: The longest line in bytes; a longer one comes in pieces.
LONGEST = 1000

_BREAK = re.compile(rb"\r\n|\n|\r")


class ProgramLine(Struct, frozen=True):
    """A line of a program's output, or a remark on the program itself.

    Args:
        time: when its first byte arrived, nanoseconds since the epoch.
        end: whose it is.
        text: the line, safe to show.
        remark: whether it is a remark.
    """

    time: int
    end: End
    text: str
    remark: bool = False


Tell: TypeAlias = Callable[[Sequence[ProgramLine]], Awaitable[None]]


class Lines:
    """Splits one program's output into lines.

    A line ends with LF, CR LF, or CR alone, as a progress bar does.
    """

    def __init__(self, end: End) -> None:
        self._end = end
        self._rest = b""
        self._begun = 0

    @property
    def waiting(self) -> bool:
        """Whether there is an unfinished line."""
        return bool(self._rest)

    def feed(self, time: int, data: bytes) -> list[ProgramLine]:
        """Add what has been read."""
        if not self._rest:
            self._begun = time
        rest = self._rest + data
        held = b"\r" if rest.endswith(b"\r") else b""  # LF may follow
        *whole, rest = _BREAK.split(rest[: len(rest) - len(held)])
        lines: list[ProgramLine] = []
        for one in whole:
            lines += self._pieces(one)
            self._begun = time
        while len(rest) > LONGEST:
            lines.append(self._line(rest[:LONGEST]))
            rest = rest[LONGEST:]
        self._rest = rest + held
        return lines

    def flush(self) -> list[ProgramLine]:
        """Take the unfinished line as it is."""
        rest, self._rest = self._rest, b""
        return self._pieces(rest.removesuffix(b"\r")) if rest else []

    def _pieces(self, text: bytes) -> list[ProgramLine]:
        return [self._line(text[at : at + LONGEST]) for at in range(0, len(text) or 1, LONGEST)]

    def _line(self, text: bytes) -> ProgramLine:
        return ProgramLine(
            self._begun, self._end, printable(text.decode("utf-8", "backslashreplace"))
        )
