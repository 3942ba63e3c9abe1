"""One connection drawn: two lifelines, what happens on them from top to bottom, and the arrows.

::

        ms rung             client                                    server
                                                                      ▒ socket, bind, listen
     0.131    1   SYN-SENT  ▓ ────── SYN seq 0 ───────────────────▶   ▓ SYN-RECEIVED
                              why, more quietly, below the arrow

Each row has its place on the paper; the paper is not a scale of time. An arrow's head stands lower
than its tail, and where the wire tells when the segment arrived, between the rows of that time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import atan2, degrees, hypot, log10
from textwrap import wrap
from typing import TypeAlias

from trioecho.model import FIN, RST, SYN, Call, End, Rung, State
from trioecho.render.calls import call_text
from trioecho.render.canvas import LINE, MARGIN, SMALL, WIDTH, Canvas

CLIENT, SERVER = 288.0, 652.0  # where the lifelines are
_SIDES: tuple[tuple[End, float, int], ...] = (("client", CLIENT, -1), ("server", SERVER, 1))
_MIDDLE = (CLIENT + SERVER) / 2
_BAND = 9.0
_EDGE = _BAND / 2 + 3  # an arrow starts and ends so far from its lifeline
_TEXT = _BAND / 2 + 9  # and what an end does stands so far from it, on the other side
_TIME, _RUNG = 72.0, 106.0  # where those columns end
_CALLS: dict[End, int] = {"client": 25, "server": 28}  # letters in a line of calls,
_REST, _SAID = 55, 57  # of what else a header says, and of a sentence
_SLANT, _STEEPEST = 15.0, 46.0  # how much lower a head is than its tail, with nothing between
_APART = 13.0  # how far two lines of text beside a lifeline must stand apart

_COLORS = {
    State.CLOSED: "idle",
    State.LISTEN: "listen",
    State.SYN_SENT: "opening",
    State.SYN_RECEIVED: "opening",
    State.ESTABLISHED: "up",
    State.TIME_WAIT: "wait",
}


class Calls:
    """What one end did, between two segments: socket calls on one socket, or who it is."""

    def __init__(self, time: int, end: End, lines: list[str], calls: Sequence[Call] = ()) -> None:
        self.time, self.end, self.lines = time, end, lines
        self._calls = list(calls)

    @classmethod
    def of(cls, call: Call) -> Calls:
        """The row of a call."""
        row = cls(call.time, call.end, [], [])
        row.add(call)
        return row

    def joins(self, call: Call) -> bool:
        """Whether a call belongs in this row."""
        last = self._calls[-1] if self._calls else None
        return last is not None and (last.end, last.fd) == (call.end, call.fd)

    def add(self, call: Call) -> None:
        """Take in a call that joins."""
        self._calls.append(call)
        whose = f"{call.socket}:" if call.end == "server" and not self.lines else ""
        text = call_text([call]).removeprefix(f"{call.socket}: ")
        self.lines += [whose] * bool(whose) + wrap(text, _CALLS[self.end], subsequent_indent="\xa0")

    @property
    def listens(self) -> bool:
        """Whether a socket listens from here on."""
        return any(call.name == "listen" and call.error is None for call in self._calls)


class Step:
    """A rung, in words.

    Args:
        rung: the rung.
        label: what stands on the arrow; its first word says what it is.
        rest: what else the header says.
        sentences: why.
    """

    def __init__(self, rung: Rung, label: list[str], rest: str, sentences: list[str]) -> None:
        self.rung, self.label = rung, label
        self.said = [line for one in sentences for line in wrap(one, _SAID)]
        self.title = "; ".join(sentences)
        self.time = rung.time
        self.arrived = rung.arrived
        self.rest = wrap(rest, _REST)

    @property
    def slant(self) -> float:
        """How much lower the head stands, when nothing happens in between."""
        if self.arrived is None or self.arrived <= self.time:
            return _SLANT
        tenths = log10((self.arrived - self.time) / 1e5)  # from 0.1 ms on it gets steeper
        return min(max(_SLANT, _SLANT + 9 * tenths), _STEEPEST)

    @property
    def kind(self) -> str:
        """The style of its arrow."""
        flags = self.rung.segment.flags
        if self.rung.lost or flags & RST or any(note.trouble for note in self.rung.notes):
            return "bad"
        if flags & SYN:
            return "open"
        if flags & FIN:
            return "close"
        return "data" if self.rung.segment.length else "ack"


class Passed:
    """What is not drawn here, in words."""

    def __init__(self, text: str) -> None:
        self.lines = wrap(text, _SAID)


Item: TypeAlias = Calls | Step | Passed


class Lifelines:
    """Draws one connection.

    Args:
        canvas: what it is drawn on.
        items: the rows, in order of time.
        start: the time from which the times count, nanoseconds since the epoch.
    """

    def __init__(self, canvas: Canvas, items: Sequence[Item], start: int) -> None:
        self._canvas, self._items, self._start = canvas, items, start
        self._changes: dict[End, list[tuple[float, State]]] = {"client": [], "server": []}

    def draw(self, top: float, name: str = "") -> float:
        """Draw it.

        Args:
            top: where there is room from.
            name: what to call the connection, where there are several.

        Returns:
            Where there is room again.
        """
        if name:
            self._canvas.line(MARGIN, top, WIDTH - MARGIN, top, "life")
            self._canvas.text(MARGIN, top + 24, name, "strong")
            top += 34
        head = top + 12
        self._canvas.text(_TIME, head, "ms", "head right")
        self._canvas.text(_RUNG, head, "rung", "head right")
        self._canvas.text(CLIENT, head, "client", "end middle")
        self._canvas.text(SERVER, head, "server", "end middle")
        top = head + 12
        tails, bottom = self._places(top + 20)
        heads = self._heads(tails)
        self._changes_of(tails, heads)
        for end, x, _ in _SIDES:
            self._lifeline(x, top, bottom, self._changes[end])
        rows = list(zip(self._items, tails, heads, strict=True))
        for item, tail, tip in rows:  # arrows first: words stand in front of them
            if isinstance(item, Step):
                self._arrow(item, tail, tip)
        for item, tail, tip in rows:
            match item:
                case Step():
                    self._words(item, tail, tip)
                case Calls():
                    self._calls(item, tail)
                case Passed():
                    self._passed(item, tail)
        for end, x, side in _SIDES:
            style = "state halo" + (" right" if side < 0 else "")
            taken = self._lines_of_calls(tails, end)
            for y, state in self._changes[end]:
                taken.append(_free(y, taken))
                self._canvas.text(x + side * _TEXT, taken[-1] + 4, str(state), style)
        return bottom + 30

    # ---- places ----------------------------------------------------------------------------------

    def _places(self, y: float) -> tuple[list[float], float]:
        """Where each row has its first line, or its arrow's tail, and where the last one ends."""
        tails = []
        for item in self._items:
            match item:
                case Step():
                    y += 12
                    tails.append(y)
                    below = len(item.rest) * LINE + len(item.said) * SMALL
                    y += item.slant + below + (22 if below else 16)
                case Calls():
                    tails.append(y)
                    y += (len(item.lines) + item.listens) * LINE + 8
                case Passed():
                    tails.append(y)
                    y += len(item.lines) * SMALL + 14
        return tails, y

    def _heads(self, tails: Sequence[float]) -> list[float]:
        """How low each arrow ends: below what happened before its segment arrived.

        Those that arrive at one end do so one below the other, in the order in which they did.
        """
        times, latest = [], self._start
        for item in self._items:
            latest = latest if isinstance(item, Passed) else max(latest, item.time)
            times.append(latest)
        heads = list(tails)
        flying = []
        for at, item in enumerate(self._items):
            if isinstance(item, Step):
                heads[at] += item.slant
                if item.arrived is not None:
                    flying.append((item.arrived, at, item.rung.sender))
        lowest: dict[End, float] = {"client": 0.0, "server": 0.0}
        for arrived, at, sender in sorted(flying):
            last = bisect_right(times, arrived) - 1
            below = tails[last] + _SLANT if last > at else 0.0
            heads[at] = max(heads[at], below, lowest[sender] + 9)
            lowest[sender] = heads[at]
        return heads

    def _changes_of(self, tails: Sequence[float], heads: Sequence[float]) -> None:
        """Where each end's state changes: the sender's at the tail, the receiver's at the head."""
        found: list[tuple[float, End, State]] = []
        for item, tail, head in zip(self._items, tails, heads, strict=True):
            if isinstance(item, Step):
                client = item.rung.sender == "client"
                found.append((tail if client else head, "client", item.rung.client_state))
                found.append((head if client else tail, "server", item.rung.server_state))
            elif isinstance(item, Calls) and item.listens:
                found.append((tail + (len(item.lines) + 0.2) * LINE, "server", State.LISTEN))
        for y, end, state in sorted(found, key=lambda one: one[0]):
            changes = self._changes[end]
            if not changes or changes[-1][1] is not state:
                changes.append((y, state))

    def _lines_of_calls(self, tails: Sequence[float], end: End) -> list[float]:
        """How low each line stands that tells of one end's calls."""
        return [
            tail + at * LINE
            for item, tail in zip(self._items, tails, strict=True)
            if isinstance(item, Calls) and item.end == end
            for at in range(len(item.lines))
        ]

    # ---- what is drawn ---------------------------------------------------------------------------

    def _lifeline(
        self, x: float, top: float, bottom: float, changes: Sequence[tuple[float, State]]
    ) -> None:
        self._canvas.line(x, top, x, bottom, "life")
        for (y, state), (below, _) in pairwise([*changes, (bottom, State.CLOSED)]):
            self._canvas.band(x, y + 1, below - 1, _BAND, _COLORS.get(state, "closing"))

    def _time(self, time: int, y: float) -> None:
        self._canvas.text(_TIME, y + 4, f"{(time - self._start) / 1e6:.3f}", "time right")

    def _calls(self, row: Calls, y: float) -> None:
        x, side = (CLIENT, -1) if row.end == "client" else (SERVER, 1)
        self._time(row.time, y)
        self._canvas.line(x + side * _BAND / 2, y, x + side * (_TEXT - 3), y, "tick")
        for at, line in enumerate(row.lines):
            style = "call right" if side < 0 else "call"
            self._canvas.text(x + side * _TEXT, y + 4 + at * LINE, line, style)

    def _passed(self, row: Passed, y: float) -> None:
        for at, line in enumerate(row.lines):
            self._canvas.text(_MIDDLE, y + 4 + at * SMALL, line, "said middle")
        for x in (CLIENT, SERVER):
            self._canvas.line(x, y - 8, x, y + len(row.lines) * SMALL - 4, "fold")

    def _words(self, step: Step, tail: float, head: float) -> None:
        rung, right = step.rung, step.rung.sender == "client"
        self._canvas.open(step.kind, step.title)
        self._time(rung.time, tail)
        self._canvas.text(_RUNG, tail + 4, str(rung.number), "rung right")
        label = [(step.label[0], "flags"), ("".join(f" {word}" for word in step.label[1:]), "")]
        if head - tail > _STEEPEST:  # others are under way beside it: its tail is its own
            side = "" if right else " right"
            x = CLIENT + 16 if right else SERVER - 16
            self._canvas.words(x, tail - 4, label, f"label halo{side}")
        else:
            turn = degrees(atan2(head - tail, SERVER - CLIENT - 2 * _EDGE)) * (1 if right else -1)
            y = (tail + head) / 2 - 7
            self._canvas.words(_MIDDLE, y, label, "label halo middle", turn)
        y = tail + step.slant + LINE - (3 if rung.lost else 0)
        for line in step.rest:
            self._canvas.text(_MIDDLE, y, line, "rest halo middle")
            y += LINE
        for line in step.said:
            self._canvas.text(_MIDDLE, y, line, "said halo middle")
            y += SMALL
        self._canvas.close()

    def _arrow(self, step: Step, tail: float, head: float) -> None:
        x1, x2 = CLIENT + _EDGE, SERVER - _EDGE
        if step.rung.sender == "server":
            x1, x2 = x2, x1
        self._canvas.open(step.kind, step.title)
        if step.rung.lost:
            x, y = (x1 + x2) / 2, (tail + head) / 2
            self._canvas.line(x, y, x2, head, "ghost")
            self._canvas.line(x1, tail, x, y, "shaft")
            self._canvas.line(x - 5, y - 5, x + 5, y + 5, "cut")
            self._canvas.line(x + 5, y - 5, x - 5, y + 5, "cut")
        else:
            length = hypot(x2 - x1, head - tail)
            ux, uy = (x2 - x1) / length, (head - tail) / length
            x, y = x2 - 10 * ux, head - 10 * uy
            self._canvas.line(x1, tail, x, y, "shaft")
            tip = [(x2, head), (x - 4 * uy, y + 4 * ux), (x + 4 * uy, y - 4 * ux)]
            self._canvas.shape(tip, "tip")
        self._canvas.close()


def _free(y: float, taken: Sequence[float]) -> float:
    """The place nearest to ``y`` where a line of text touches none of those that are there."""
    near = [at for at in taken if abs(at - y) < 10 * LINE]
    places = [y, *(at + step for at in near for step in (-_APART, _APART))]
    free = [place for place in places if all(abs(place - at) >= _APART for at in near)]
    return min(free, key=lambda place: abs(place - y), default=y)
