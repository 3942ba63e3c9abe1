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
from trioecho.tcp import notes
from trioecho.text import seconds

CLIENT, SERVER = 288.0, 652.0  # where the lifelines are
_SIDES: tuple[tuple[End, float, int], ...] = (("client", CLIENT, -1), ("server", SERVER, 1))
_MIDDLE = (CLIENT + SERVER) / 2
_BAND = 9.0
_EDGE = _BAND / 2 + 3  # an arrow starts and ends so far from its lifeline
_TEXT = _BAND / 2 + 9  # and what an end does stands so far from it, on the other side
_TIME, _RUNG = 74.0, 104.0  # where those columns end
_CALL, _REST, _SAID = 25, 50, 58  # letters in a line of each
_SLANT, _STEEPEST = (
    15.0,
    46.0,
)  # how much lower a head stands than its tail, where nothing is between

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
        self.lines += [whose] * bool(whose) + wrap(text, _CALL, subsequent_indent="  ")

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
        self.rest = wrap(rest, _REST)
        self.said = [line for one in sentences for line in wrap(one, _SAID)]
        self.title = "; ".join(sentences)
        self.time = rung.time
        self.arrived: int | None = getattr(rung, "arrived", None)

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
        if (
            self.rung.lost
            or flags & RST
            or any(isinstance(note, notes.TROUBLE) for note in self.rung.notes)
        ):
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
        for item, tail, tip in zip(self._items, tails, heads, strict=True):
            match item:
                case Step():
                    self._step(item, tail, tip)
                case Calls():
                    self._calls(item, tail)
                case Passed():
                    self._passed(item, tail)
        for end, x, side in _SIDES:
            for y, state in self._changes[end]:
                style = "state halo" + (" right" if side < 0 else "")
                self._canvas.text(x + side * _TEXT, y + 4, str(state), style)
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
        """How low each arrow ends: below what happened before its segment arrived."""
        times = [self._start]
        for item in self._items:
            times.append(times[-1] if isinstance(item, Passed) else max(item.time, times[-1]))
        times = times[1:]
        heads = []
        for at, (item, tail) in enumerate(zip(self._items, tails, strict=True)):
            if not isinstance(item, Step):
                heads.append(tail)
                continue
            head = tail + item.slant
            if item.arrived is not None:
                last = bisect_right(times, item.arrived) - 1
                if last > at:
                    head = max(head, tails[last] + _SLANT)
            heads.append(head)
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
                found.append((tail + (len(item.lines) - 0.3) * LINE, "server", State.LISTEN))
        for y, end, state in sorted(found, key=lambda one: one[0]):
            changes = self._changes[end]
            if not changes or changes[-1][1] is not state:
                changes.append((y, state))

    # ---- what is drawn ---------------------------------------------------------------------------

    def _lifeline(
        self, x: float, top: float, bottom: float, changes: Sequence[tuple[float, State]]
    ) -> None:
        self._canvas.line(x, top, x, bottom, "life")
        for (y, state), (below, _) in pairwise([*changes, (bottom, State.CLOSED)]):
            self._canvas.band(x, y, below, _BAND, _COLORS.get(state, "closing"))

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

    def _step(self, step: Step, tail: float, head: float) -> None:
        rung = step.rung
        self._canvas.open(step.kind, step.title)
        self._time(rung.time, tail)
        self._canvas.text(_RUNG, tail + 4, str(rung.number), "rung right")
        right = rung.sender == "client"
        start, end = (CLIENT + _EDGE, SERVER - _EDGE) if right else (SERVER - _EDGE, CLIENT + _EDGE)
        self._arrow(start, tail, end, head, rung.lost)
        turn = degrees(atan2(head - tail, abs(end - start))) * (1 if right else -1)
        label = [(step.label[0], "flags"), ("".join(f"  {word}" for word in step.label[1:]), "")]
        self._canvas.words(_MIDDLE, (tail + head) / 2 - 7, label, "label halo middle", turn)
        y = tail + step.slant + LINE
        if rung.lost and step.slant == head - tail:
            y -= 3
        for line in step.rest:
            self._canvas.text(_MIDDLE, y, line, "rest halo middle")
            y += LINE
        for line in step.said:
            self._canvas.text(_MIDDLE, y, line, "said halo middle")
            y += SMALL
        if step.arrived is not None and step.arrived - step.time >= 1_000_000 and not rung.lost:
            at = end + (-8 if right else 8)
            style = "quiet halo right" if right else "quiet halo"
            self._canvas.text(at, head + 14, f"+{seconds(step.arrived - step.time)}", style)
        self._canvas.close()

    def _arrow(self, x1: float, y1: float, x2: float, y2: float, lost: bool) -> None:
        if lost:
            middle = (x1 + x2) / 2, (y1 + y2) / 2
            self._canvas.line(*middle, x2, y2, "ghost")
            self._canvas.line(x1, y1, *middle, "shaft")
            for dx in (5, -5):
                self._canvas.line(
                    middle[0] - dx, middle[1] - 5, middle[0] + dx, middle[1] + 5, "cut"
                )
            return
        length = hypot(x2 - x1, y2 - y1)
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        base = x2 - 10 * ux, y2 - 10 * uy
        self._canvas.line(x1, y1, *base, "shaft")
        self._canvas.shape(
            [(x2, y2), (base[0] - 4 * uy, base[1] + 4 * ux), (base[0] + 4 * uy, base[1] - 4 * ux)],
            "tip",
        )
