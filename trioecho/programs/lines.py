"""What a program writes, as lines that are safe to show."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from trioecho.model import End
from trioecho.text import printable

#: Bytes of a line at the most; a longer one comes in pieces.
LONGEST = 1000

_BREAK = re.compile(rb"\r\n|\n|\r")


class ProgramLine(Struct, frozen=True):
    """A line that a program has written, or a remark on the program itself.

    Args:
        time: when its first byte came, nanoseconds since the epoch.
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
    """Cuts what one program writes into lines.

    A line ends with LF, CR LF, or CR alone, with which a progress bar begins again.
    """

    def __init__(self, end: End) -> None:
        self._end = end
        self._rest = b""
        self._begun = 0

    @property
    def waiting(self) -> bool:
        """Whether the beginning of a line is there that has not ended."""
        return bool(self._rest)

    def feed(self, time: int, data: bytes) -> list[ProgramLine]:
        """Take what has come."""
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
        """Take the line that has not ended as it is."""
        rest, self._rest = self._rest, b""
        return self._pieces(rest.removesuffix(b"\r")) if rest else []

    def _pieces(self, text: bytes) -> list[ProgramLine]:
        return [self._line(text[at : at + LONGEST]) for at in range(0, len(text) or 1, LONGEST)]

    def _line(self, text: bytes) -> ProgramLine:
        return ProgramLine(
            self._begun, self._end, printable(text.decode("utf-8", "backslashreplace"))
        )
