"""The rows of a drawn connection, in words: calls, segments and what was folded."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from textwrap import wrap
from typing import TypeAlias

from trioecho.model import FIN, RST, SYN, Call, End, Process, Rung, Stopped
from trioecho.render.calls import call_text, spinning, together
from trioecho.render.canvas import LINE, SMALL
from trioecho.render.words import troubled

# Characters in a line of calls, of the rest of a header, and of a sentence.
_CALLS: dict[End, int] = {"client": 25, "server": 28}
_REST, _SENTENCE = 55, 57
FLAT, STEEP = 15.0, 46.0  # how much lower an arrow's head is than its tail: least and most


class CallRow:
    """What one end did between two segments: calls on one socket, or the process it is."""

    def __init__(self, time: int, end: End, lines: list[str], calls: Sequence[Call] = ()) -> None:
        self.time, self.end, self.lines = time, end, lines
        self._calls = list(calls)
        self._said = 0  # lines at the end on what is wrong

    @classmethod
    def of(cls, call: Call) -> CallRow:
        """The row of a call."""
        row = cls(call.time, call.end, [])
        row.add(call)
        return row

    def joins(self, call: Call) -> bool:
        """Whether a call belongs in this row."""
        last = self._calls[-1] if self._calls else None
        return last is not None and together(last, call)

    def add(self, call: Call) -> None:
        """Add a call that belongs here."""
        self._calls.append(call)
        del self.lines[len(self.lines) - self._said :]
        if call.end == "server" and not self.lines:
            self.lines.append(f"{call.socket}:")
        text = call_text([call]).removeprefix(f"{call.socket}: ")
        self.lines += wrap(text, _CALLS[self.end])
        said = wrap(spinning(self._calls), _CALLS[self.end]) if call.times > 1 else []
        self.lines += said
        self._said = len(said)

    @property
    def listens(self) -> bool:
        """Whether a socket listens from here on."""
        return any(call.name == "listen" and call.error is None for call in self._calls)

    @property
    def height(self) -> float:
        """How much room the row takes."""
        return (len(self.lines) + self.listens) * LINE + 8


def remark_lines(remark: Process | Stopped) -> list[str]:
    """What is said of a program, as the lines of a `CallRow`."""
    return wrap(str(remark), _CALLS[remark.end])


class RungRow:
    """A segment."""

    def __init__(self, rung: Rung, label: list[str], rest: str, sentences: list[str]) -> None:
        self.rung, self.label = rung, label
        self.time, self.arrived = rung.time, rung.arrived
        self.rest = wrap(rest, _REST)
        self.sentences = [line for one in sentences for line in wrap(one, _SENTENCE)]
        self.title = "; ".join(sentences)

    @property
    def slant(self) -> float:
        """How much lower the head stands than the tail when nothing happens in between."""
        if self.arrived is None or self.arrived <= self.time:
            return FLAT
        tenths = log10((self.arrived - self.time) / 1e5)  # from 0.1 ms on it gets steeper
        return min(max(FLAT, FLAT + 9 * tenths), STEEP)

    @property
    def height(self) -> float:
        """How much room the row takes below the arrow's tail."""
        below = len(self.rest) * LINE + len(self.sentences) * SMALL
        return self.slant + below + (22 if below else 16)

    @property
    def kind(self) -> str:
        """The style of the arrow."""
        flags = self.rung.segment.flags
        if flags & RST or troubled(self.rung):
            return "bad"
        if flags & SYN:
            return "open"
        if flags & FIN:
            return "close"
        return "data" if self.rung.segment.length else "ack"


class FoldRow:
    """Counts what is not drawn here."""

    def __init__(self, text: str) -> None:
        self.lines = wrap(text, _SENTENCE)

    @property
    def height(self) -> float:
        """How much room the row takes."""
        return len(self.lines) * SMALL + 14


Row: TypeAlias = CallRow | RungRow | FoldRow
