"""Standard error: warnings, and the output of programs that run beside the ladder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trioecho.cli.stdout import is_terminal, width, write_all
from trioecho.text import printable

if TYPE_CHECKING:
    from trioecho.programs import ProgramLine


def warn(sentence: str) -> None:
    """Print a sentence to standard error, with control characters escaped.

    It is one line, for other programs; a terminal gets it wrapped between words.
    """
    text = f"trioecho: {printable(sentence)}"
    if is_terminal(sys.stderr):
        from textwrap import wrap

        lines = wrap(text, width(), break_long_words=False, break_on_hyphens=False)
        text = "\n".join(lines)
    print(text, file=sys.stderr)


class ProgramLines:
    """Shows what programs print, each line with its time and its end.

    Attributes:
        start: time zero, as in the ladder; nanoseconds since the epoch.
    """

    def __init__(self) -> None:
        self.start = 0
        self._closed = False

    async def show(self, lines: Sequence[ProgramLine]) -> None:
        """Show lines; a slow terminal slows down the program that prints them."""
        import trio

        if sys.stderr is None or self._closed:
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
            self._closed = True  # the ladder goes on without it
