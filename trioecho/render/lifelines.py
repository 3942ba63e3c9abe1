"""One connection drawn: two lifelines, what happens on them from top to bottom, and the arrows.

::

        ms rung             client                                    server
                                                                      ▒ socket, bind, listen
     0.131    1   SYN-SENT  ▓ ────── SYN seq 0 ───────────────────▶   ▓ LISTEN
                              a quieter sentence below the arrow

Rows follow in order of time; their distance is not to scale. An arrow's head stands lower than its
tail and, where the wire knows when the segment arrived, between the rows of that time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import atan2, degrees, hypot
from textwrap import wrap

from trioecho.model import ENDS, End, State
from trioecho.render.canvas import LINE, MARGIN, SMALL, WIDTH, Canvas
from trioecho.render.rows import FLAT, STEEP, CallRow, FoldRow, Row, RungRow

_AT: dict[End, float] = {"client": 288.0, "server": 652.0}  # where the lifelines are
_OUT: dict[End, int] = {"client": -1, "server": 1}  # the outer side of each
_ACROSS = _AT["server"] - _AT["client"]
_MIDDLE = sum(_AT.values()) / 2
_BAND = 9.0
_EDGE = _BAND / 2 + 3  # an arrow keeps this far from a lifeline
_TEXT = _BAND / 2 + 9  # and what an end does this far, on the outer side
_TIME, _RUNG = 72.0, 106.0  # where those columns end
_HEADLINE = 120  # characters of a headline's line
_APART = 13.0  # how far two lines of text beside a lifeline must stand apart

_COLORS = {
    State.CLOSED: "idle",
    State.LISTEN: "listen",
    State.SYN_SENT: "opening",
    State.SYN_RECEIVED: "opening",
    State.ESTABLISHED: "up",
    State.TIME_WAIT: "wait",
}


class Lifelines:
    """Draws one connection."""

    def __init__(self, canvas: Canvas, rows: Sequence[Row], start: int) -> None:
        self._canvas, self._rows, self._start = canvas, rows, start

    def draw(self, top: float, name: str = "", headline: str = "") -> float:
        """Draws the connection."""
        top = self._heading(top, name, headline)
        tails, bottom = self._place(top + 20)
        heads = self._heads(tails)
        rows = list(zip(self._rows, tails, heads, strict=True))
        changes = _changes(rows)
        for end in ENDS:
            self._lifeline(_AT[end], top, bottom, changes[end])
        for row, tail, head in rows:  # arrows first: words stand in front of them
            if isinstance(row, RungRow):
                self._arrow(row, tail, head)
        for row, tail, head in rows:
            match row:
                case RungRow():
                    self._words(row, tail, head)
                case CallRow():
                    self._calls(row, tail)
                case FoldRow():
                    self._fold(row, tail)
        for end in ENDS:
            self._states(end, changes[end], tails)
        return bottom + 30

    # ---- places ----------------------------------------------------------------------------------

    def _place(self, y: float) -> tuple[list[float], float]:
        """The height of each row's first line, or its arrow's tail, and where the last row ends."""
        tails = []
        for row in self._rows:
            y += 12 * isinstance(row, RungRow)
            tails.append(y)
            y += row.height
        return tails, y

    def _heads(self, tails: Sequence[float]) -> list[float]:
        """The height of each arrow's head: below what happened before its segment arrived.

        Those at one end stand one below the other, in the order in which their segments arrived.
        """
        times, latest = [], self._start
        for row in self._rows:
            latest = latest if isinstance(row, FoldRow) else max(latest, row.time)
            times.append(latest)
        heads = list(tails)
        flying = []
        for at, row in enumerate(self._rows):
            if isinstance(row, RungRow):
                heads[at] += row.slant
                if row.arrived is not None:
                    flying.append((row.arrived, at, row.rung.sender))
        lowest = dict.fromkeys(ENDS, 0.0)
        for arrived, at, sender in sorted(flying):
            last = bisect_right(times, arrived) - 1
            below = tails[last] + FLAT if last > at else 0.0
            heads[at] = max(heads[at], below, lowest[sender] + 9)
            lowest[sender] = heads[at]
        return heads

    def _call_lines(self, tails: Sequence[float], end: End) -> list[float]:
        """The height of each line about one end's calls."""
        return [
            tail + at * LINE
            for row, tail in zip(self._rows, tails, strict=True)
            if isinstance(row, CallRow) and row.end == end
            for at in range(len(row.lines))
        ]

    # ---- what is drawn ---------------------------------------------------------------------------

    def _heading(self, top: float, name: str, headline: str) -> float:
        """The connection's name, what held it up, and the names of the columns."""
        if name:
            self._canvas.line(MARGIN, top, WIDTH - MARGIN, top, "life")
            self._canvas.text(MARGIN, top + 24, name, "strong")
            top += 34
        for line in wrap(headline, _HEADLINE):
            self._canvas.text(MARGIN, top + 4, line, "strong")
            top += 18
        self._canvas.text(_TIME, top + 12, "ms", "head right")
        self._canvas.text(_RUNG, top + 12, "rung", "head right")
        for end in ENDS:
            self._canvas.text(_AT[end], top + 12, end, "end middle")
        return top + 24

    def _lifeline(
        self, x: float, top: float, bottom: float, changes: Sequence[tuple[float, State]]
    ) -> None:
        self._canvas.line(x, top, x, bottom, "life")
        for (y, state), (below, _) in pairwise([*changes, (bottom, State.CLOSED)]):
            self._canvas.band(x, y + 1, below - 1, _BAND, _COLORS.get(state, "closing"))

    def _states(
        self, end: End, changes: Sequence[tuple[float, State]], tails: Sequence[float]
    ) -> None:
        """The names of the states, where the lines about calls leave room."""
        x, style = _AT[end] + _OUT[end] * _TEXT, _outer("state halo", end)
        taken = self._call_lines(tails, end)
        for y, state in changes:
            taken.append(_free(y, taken))
            self._canvas.text(x, taken[-1] + 4, str(state), style)

    def _time(self, time: int, y: float) -> None:
        self._canvas.text(_TIME, y + 4, f"{(time - self._start) / 1e6:.3f}", "time right")

    def _calls(self, row: CallRow, y: float) -> None:
        x, out, style = _AT[row.end], _OUT[row.end], _outer("call", row.end)
        self._time(row.time, y)
        self._canvas.line(x + out * _BAND / 2, y, x + out * (_TEXT - 3), y, "tick")
        for at, line in enumerate(row.lines):
            self._canvas.text(x + out * _TEXT, y + 4 + at * LINE, line, style)

    def _fold(self, row: FoldRow, y: float) -> None:
        for at, line in enumerate(row.lines):
            self._canvas.text(_MIDDLE, y + 4 + at * SMALL, line, "said middle")
        for x in _AT.values():
            self._canvas.line(x, y - 8, x, y + len(row.lines) * SMALL - 4, "fold")

    def _words(self, row: RungRow, tail: float, head: float) -> None:
        rung, sender = row.rung, row.rung.sender
        self._canvas.open(row.kind, row.title)
        self._time(rung.time, tail)
        self._canvas.text(_RUNG, tail + 4, str(rung.number), "rung right")
        label = [(row.label[0], "flags"), ("".join(f" {word}" for word in row.label[1:]), "")]
        if head - tail > STEEP:  # other rows stand beside it: only its tail is its own
            style = "label halo" + (" right" if sender == "server" else "")
            self._canvas.words(_AT[sender] - _OUT[sender] * 16, tail - 4, label, style)
        else:
            turn = degrees(atan2(head - tail, _ACROSS - 2 * _EDGE)) * -_OUT[sender]
            y = (tail + head) / 2 - 7
            self._canvas.words(_MIDDLE, y, label, "label halo middle", turn)
        y = tail + row.slant + LINE - (3 if rung.lost else 0)
        for line in row.rest:
            self._canvas.text(_MIDDLE, y, line, "rest halo middle")
            y += LINE
        for line in row.sentences:
            self._canvas.text(_MIDDLE, y, line, "said halo middle")
            y += SMALL
        self._canvas.close()

    def _arrow(self, row: RungRow, tail: float, head: float) -> None:
        x1, x2 = _AT["client"] + _EDGE, _AT["server"] - _EDGE
        if row.rung.sender == "server":
            x1, x2 = x2, x1
        self._canvas.open(row.kind, row.title)
        if row.rung.lost:
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


def _outer(style: str, end: End) -> str:
    """The style of text on an end's outer side."""
    return f"{style} right" if end == "client" else style


def _changes(rows: Sequence[tuple[Row, float, float]]) -> dict[End, list[tuple[float, State]]]:
    """Where each end's state changes: the sender's at the tail, the receiver's at the head."""
    changes: dict[End, list[tuple[float, State]]] = {end: [] for end in ENDS}
    for y, end, state in sorted(_states_of(rows), key=lambda one: one[0]):
        known = changes[end][-1][1] if changes[end] else State.UNKNOWN
        if state is not known and state is not State.UNKNOWN:
            changes[end].append((y, state))
    return changes


def _states_of(rows: Sequence[tuple[Row, float, float]]) -> Iterator[tuple[float, End, State]]:
    for row, tail, head in rows:
        if isinstance(row, RungRow):
            client = row.rung.sender == "client"
            yield (tail if client else head), "client", row.rung.client_state
            yield (head if client else tail), "server", row.rung.server_state
        elif isinstance(row, CallRow) and row.listens:
            yield tail + (len(row.lines) + 0.2) * LINE, "server", State.LISTEN


def _free(y: float, taken: Sequence[float]) -> float:
    """The height nearest to ``y`` where a line of text touches none of those that are there."""
    above = below = y
    for at in sorted(taken):
        if abs(at - below) < _APART:
            below = at + _APART
    for at in sorted(taken, reverse=True):
        if abs(at - above) < _APART:
            above = at - _APART
    return above if y - above <= below - y else below
