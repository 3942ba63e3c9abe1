"""Beside the ladder: what other programs write, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from trioecho.cli.output import write_all

if TYPE_CHECKING:
    from trioecho.programs import ProgramLine


class Margin:
    """Shows lines on standard error, each with its end and its time.

    Attributes:
        start: the time that counts as zero, nanoseconds since the epoch: the ladder's.
    """

    def __init__(self) -> None:
        self.start = 0
        self._gone = False

    async def tell(self, lines: Sequence[ProgramLine]) -> None:
        """Show lines; a screen that is slow holds up the program that writes them."""
        if sys.stderr is None or self._gone:
            return
        encoding = sys.stderr.encoding
        text = "".join(map(self._row, lines)).encode(encoding, "backslashreplace")
        await trio.to_thread.run_sync(self._write, text, abandon_on_cancel=True)

    def _row(self, line: ProgramLine) -> str:
        bar = "" if line.remark else "| "
        return f"{(line.time - self.start) / 1e6:9.3f} {line.end} {bar}{line.text}\n"

    def _write(self, text: bytes) -> None:
        buffer = sys.stderr.buffer
        try:
            write_all(getattr(buffer, "raw", buffer), text)
        except OSError:
            self._gone = True  # nobody reads it any more; the ladder goes on
