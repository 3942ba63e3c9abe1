"""The ladder on a screen: calls at the outer edges, states where they change, the wire in the
middle, and a quieter sentence below each arrow.

A row has these columns::

        ms  rung  client         wire                                  server
     0.131     1  SYN-SENT       ── SYN seq 0 ──────────────────────▶  LISTEN

Words that do not fit on the arrow stand below it, and a payload that is text or TLS on a line of
its own; wider screens have longer arrows. Once there is a second connection, a column numbers them.
On a screen of less than 72 columns, states have no columns, but a line where one changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from trioecho.model import (
    ENDS,
    FIN,
    OTHER,
    RST,
    SYN,
    Call,
    ConnectionSummary,
    End,
    Process,
    Rung,
    State,
    Stopped,
    Summary,
)
from trioecho.packet.records import records, told
from trioecho.render.calls import call_text, spinning, together
from trioecho.render.colors import Style, paint
from trioecho.render.duplicates import DuplicateAcks
from trioecho.render.fit import SHORTENED, Block, Fit, Weight
from trioecho.render.fold import Fold
from trioecho.render.headlines import headlines
from trioecho.render.table import Order, table
from trioecho.render.totals import totals
from trioecho.render.words import Telling, asides, header, is_text, troubled
from trioecho.text import fitting, preview, printable, wrapped

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.render.headlines import Ask
    from trioecho.render.renderer import Event, Setting

# A screen narrower than this has no room for the states' columns; the narrowest there is.
_NARROW, _NARROWEST = 72, 40
# Connections whose states are remembered; one that is forgotten shows both states again.
_MOST_KNOWN = 10_000


class Terminal:
    """Draws the ladder row by row as events come."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._width = max(setting.width, _NARROWEST)  # the terminal wraps what is narrower
        self._narrow = self._width < _NARROW
        self._start = setting.start
        self._telling = Telling()
        self._states: dict[int, tuple[State, State]] = {}
        self._fold = Fold(setting.fold, setting.refill)
        self._fit = Fit(setting.room)
        self._duplicates = DuplicateAcks(folds=setting.fold is not None)
        self._first: int | None = None  # the first connection's number
        self._headlines: dict[int, str] = {}
        self.number_connections(setting.several)
        self._line, self._head, self._back, self._cut, self._life, self._gone = (
            "─▶◀✗│·" if setting.unicode else "-><X|."
        )

    def number_connections(self, several: bool = True) -> None:
        """Give the connections a column, or none while there is only one."""
        self._several = several
        self._left = 22 if several else 17  # where the client's column starts
        self._said = self._left  # where sentences start
        self._wire = self._left + 13
        self._right = self._width - 13  # where the server's column starts
        if self._narrow:
            self._said, self._wire, self._right = 2, self._left, self._width + 1

    @property
    def start(self) -> int | None:
        """The time that counts as zero, once it is known; nanoseconds since the epoch."""
        return self._start

    def begin(self) -> bytes:
        """The title and the names of the columns."""
        return self.title() + self.head()

    def title(self) -> bytes:
        """What is shown, and where."""
        return self.say(self._setting.title, "strong")

    def head(self) -> bytes:
        """The names of the columns, below an empty line."""
        return self._lines([("", ""), self._columns()])

    def say(self, text: str, style: Style = "") -> bytes:
        """A line of its own, wrapped, below what has been folded."""
        lines: list[tuple[str, Style]] = [(line, style) for line in wrapped(text, self._width)]
        return self._lines([*self._pending(), *lines])

    def show(self, events: Sequence[Event]) -> bytes:
        """The rows of some events; successive calls on one socket share a row."""
        rows: list[tuple[str, Style]] = []
        for line in self._fit.lines(list(self._blocks(events))):
            rows += self._gap(line) if isinstance(line, str) else [line]
        return self._lines(rows)

    def tell(self, accounts: Sequence[Account]) -> bytes:
        """Nothing yet: the headlines stand in the summary."""
        self._headlines = headlines(accounts)
        return b""

    def above(self, accounts: Sequence[Account]) -> bytes:
        """The headlines as lines of their own, for a place above the rows."""
        rows: list[tuple[str, Style]] = []
        for number, headline in headlines(accounts).items():
            which = f"#{number} " if self._several else ""
            lines = wrapped(f"{which}{headline}", self._width, later=" " * len(which))
            rows += [(line, "strong") for line in lines]
        return self._lines(rows)

    def end(self, summary: Summary) -> bytes:
        """The summary."""
        rows = [*self._pending(), ("", "")]
        told = list(totals(summary, self._headlines))
        if self._fit.shortened and summary.connections:
            told = [(text, style) for text, style in told if style != "quiet"]
            told.append((SHORTENED, "quiet"))
        for text, style in told:
            rows += [(line, style) for line in wrapped(text, self._width)]
        return self._lines(rows)

    def table(
        self,
        title: str,
        connections: Sequence[ConnectionSummary],
        start: int,
        order: Order | None = None,
        ask: Ask | None = None,
    ) -> bytes:
        """A table of connections instead of a ladder."""
        rows: list[tuple[str, Style]] = [(line, "strong") for line in wrapped(title, self._width)]
        rows.append(("", ""))
        rows += table(connections, start, self._width, order, ask)
        return self._lines(rows)

    # ---- rows ------------------------------------------------------------------------------------

    def _blocks(self, events: Sequence[Event]) -> Iterator[Block]:
        calls: list[Call] = []
        for event in events:
            if self._start is None:
                self._start = event.time
            swallowed = isinstance(event, Rung | Call) and self._swallows(event)
            before = list(self._before(event, swallowed=swallowed))
            joins = isinstance(event, Call) and not swallowed and self._joins(calls, event)
            if calls and (before or not joins):
                yield self._call_block(calls)
                calls = []
            if before:
                yield Block.whole(before)
            if swallowed:
                continue
            if not calls and (folded := list(self._folded())):
                yield Block.whole(folded)
            if isinstance(event, Call):
                calls.append(event)
            elif isinstance(event, Rung):
                yield self._rung_block(event)
            else:
                yield Block.whole(list(self._remark_rows(event)))
        if calls:
            yield self._call_block(calls)

    def _swallows(self, event: Rung | Call) -> bool:
        if self._fold.swallows(event):
            return True
        return isinstance(event, Rung) and self._duplicates.swallows(event)

    def _before(self, event: Event, *, swallowed: bool) -> Iterator[tuple[str, Style]]:
        """What must stand before an event: what it ends, or a column for its connection."""
        if isinstance(event, Rung) and not swallowed:
            for text in self._duplicates.ended_by(event):
                yield from self._gap(text)
        if self._several or event.connection is None:
            return
        if self._first is None:
            self._first = event.connection
        elif self._first != event.connection:
            self.number_connections()
            yield self._columns()

    def _columns(self) -> tuple[str, Style]:
        number = "  conn" if self._several else ""
        columns = f"{'ms':>9}  rung{number}  "
        end = self._width - len("server") if self._narrow else self._right
        return f"{columns:{self._left}}client".ljust(end) + "server", "strong"

    def _joins(self, calls: list[Call], call: Call) -> bool:
        if not calls:
            return False
        last = calls[-1]
        if last.connection != call.connection or not together(last, call):
            return False
        if last.times > 1 or call.times > 1:
            return last.times > 1 and call.times > 1
        return len(call_text([*calls, call])) <= self._width - self._wire - 2

    def _call_block(self, calls: list[Call]) -> Block:
        odd = any(call.error or call.times > 1 for call in calls)
        weight = Weight.FIRM if odd else Weight.USUAL
        return Block.whole(list(self._call_rows(calls)), weight, len(calls))

    def _call_rows(self, calls: list[Call]) -> Iterator[tuple[str, Style]]:
        if calls[0].times == 1:
            yield from self._call_row(calls)
            return
        for call in calls:
            yield from self._call_row([call])
        yield from self._wrapped(spinning(calls), self._said)

    def _call_row(self, calls: list[Call]) -> Iterator[tuple[str, Style]]:
        prefix = self._prefix(calls[0].time, None, calls[0].connection)
        text = printable(call_text(calls))
        yield from self._at(
            calls[0].end, prefix, f"{calls[0].end}: {text}" if self._narrow else text
        )
        if calls[-1].name == "listen" and calls[-1].error is None:
            column = f"{'':{self._said}}server " if self._narrow else f"{'':{self._right}}"
            yield f"{column}{State.LISTEN}", "arrow"

    def _remark_rows(self, remark: Process | Stopped) -> Iterator[tuple[str, Style]]:
        prefix = self._prefix(remark.time, None, remark.connection)
        yield from self._at(remark.end, prefix, str(remark))

    def _at(self, end: End, prefix: str, text: str) -> Iterator[tuple[str, Style]]:
        """What an end does, at its edge."""
        if self._narrow:
            lines = wrapped(text, self._width, f"{prefix:{self._left}}", " " * (self._said + 2))
            yield from ((line, "call") for line in lines)
            return
        lines = wrapped(text, self._width - self._left)
        at = self._left
        if end == "server":
            at = max(at, min(self._right, self._width - max(map(len, lines))))
        for line in lines:
            yield f"{prefix:{at}}{line}", "call"
            prefix = ""

    def _rung_block(self, rung: Rung) -> Block:
        before = self._states.get(rung.connection)
        after = rung.client_state, rung.server_state
        if before and not rung.moved:  # the receiver may have changed since it was sent
            receiver = OTHER[rung.sender]
            after = (before[0], after[1]) if receiver == "client" else (after[0], before[1])
        self._states[rung.connection] = after
        if len(self._states) > _MOST_KNOWN:
            self._forget(rung.connection - _MOST_KNOWN // 2)
        changed = [not before or before[end] is not after[end] for end in (0, 1)]
        arrow, rest = self._arrow(rung)
        prefix = self._prefix(rung.time, rung.number, rung.connection)
        bad = troubled(rung)
        style: Style = "trouble" if bad else "arrow"
        least: list[tuple[str, Style]] = []
        states: list[tuple[str, Style]] = []
        if self._narrow:
            least.append((f"{prefix}{arrow}", style))
            names = (f"{end} {state}" for end, state in zip(ENDS, after, strict=True))
            new = [
                one and state is not State.UNKNOWN
                for one, state in zip(changed, after, strict=True)
            ]
            states += self._wrapped(", ".join(compress(names, new)), self._said)
        else:
            client, server = (self._state(*one) for one in zip(after, changed, strict=True))
            least.append((f"{prefix}{client:12} {arrow} {server}", style))
        wire, content = self._wire_rows(rest, rung.segment.payload)
        said = list(self._wrapped("; ".join(self._telling.of(rung)), self._said))
        for text in asides(rung, self._setting.details):
            said += self._wrapped(text, self._said)
        full = [*least, *states, *wire, *content, *said]
        if bad:
            return Block.whole(full)
        asked = [note.text(rung) for note in rung.notes if note.wanted]
        told = list(self._wrapped("; ".join(asked), self._said))
        weight = Weight.WANTED if asked else Weight.USUAL
        if any(changed) or rung.segment.flags & (SYN | FIN | RST):
            weight = Weight.FIRM
        brief = [*least, *states, *content, *told]
        return Block(full, brief, [*least, *told], weight, 1, rung.segment.length)

    def _state(self, state: State, changed: bool) -> str:
        """A state where it changes, or else the lifeline; nothing where it is not known."""
        if state is State.UNKNOWN:
            return ""
        return str(state) if changed else self._life

    def _wire_rows(
        self, rest: str, payload: bytes
    ) -> tuple[list[tuple[str, Style]], list[tuple[str, Style]]]:
        """What stands below an arrow: the rest of the header, and the payload or its records."""
        indent = self._said if self._narrow else self._wire + 3
        text = is_text(payload)
        tls = "" if text else told(records(payload))
        if payload and not text and not tls:
            room = max(16, self._width - self._wire - 8 - len(rest))
            rest = f"{rest}  {preview(payload, room // 2)}".strip()
        content = list(self._wrapped(tls, indent))
        if text:
            content.append((f"{'':{indent}}{fitting(payload, self._width - indent)}", "quiet"))
        return list(self._wrapped(rest, indent)), content

    def _forget(self, before: int) -> None:
        """Forgets older connections: memory must not grow over a run without end."""
        self._states = {one: both for one, both in self._states.items() if one >= before}
        self._telling.forget(before)

    def _wrapped(self, text: str, indent: int) -> Iterator[tuple[str, Style]]:
        deeper = " " * (len(text) - len(text.lstrip()))
        room = self._width - indent
        for line in wrapped(text, room, later=deeper):
            yield f"{'':{indent}}{line}", "quiet"

    def _folded(self) -> Iterator[tuple[str, Style]]:
        text = self._fold.release()
        if text:
            yield from self._gap(text)

    def _pending(self) -> Iterator[tuple[str, Style]]:
        """What has been folded and not been told, when no more rungs follow."""
        for text in self._fit.folded():
            yield from self._gap(text)
        yield from self._folded()
        for text in self._duplicates.rest():
            yield from self._gap(text)

    def _gap(self, text: str) -> Iterator[tuple[str, Style]]:
        """What stands for rungs that are not shown."""
        yield from self._wrapped(f"{self._gone * 3} {text}", self._said)

    def _prefix(self, time: int, number: int | None, connection: int | None) -> str:
        assert self._start is not None
        rung = "" if number is None else str(number)
        prefix = f"{(time - self._start) / 1e6:9.3f} {rung:>5}  "
        if self._several:
            prefix += f"{'' if connection is None else f'#{connection}':4} "
        return prefix

    # ---- the arrow -------------------------------------------------------------------------------

    def _arrow(self, rung: Rung) -> tuple[str, str]:
        """The arrow with as many words of the header as fit, and the rest of them."""
        width = self._right - self._wire - 1
        parts = header(rung, absolute=self._setting.absolute)
        label = parts.pop(0)
        while parts and len(label) + 1 + len(parts[0]) <= width - 7:
            label += " " + parts.pop(0)
        shaft = max(width // 2, len(label) + 7) if rung.lost else width
        tip = self._cut if rung.lost else self._head if rung.sender == "client" else self._back
        if rung.sender == "client":
            arrow = f"{self._line * 2} {label} ".ljust(shaft - 1, self._line) + tip
            return arrow.ljust(width), " ".join(parts)
        arrow = tip + f"{self._line * 2} {label} ".ljust(shaft - 1, self._line)
        return arrow.rjust(width), " ".join(parts)

    def _lines(self, rows: Sequence[tuple[str, Style]]) -> bytes:
        color = self._setting.color
        text = "".join(
            f"{paint(row.rstrip(), style) if color else row.rstrip()}\n" for row, style in rows
        )
        if self._setting.unicode:
            return text.encode()
        plain = text.replace("µ", "u").replace("…", "...").replace("§", "section ")
        return plain.encode("ascii", "replace")
