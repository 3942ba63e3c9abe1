"""The ladder as a picture: an SVG for a browser, a page or a slide.

The file stands alone: no script, no font, no link. It follows the reader's light or dark scheme and
says in words what it shows (``title`` and ``desc``). Its size is bounded: after ``FOLD`` rungs a
connection is folded as on a screen, and events beyond ``MOST`` rows are only counted. Several
connections stand one below the other, each with its own lifelines: a band shows one end's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trioecho.model import Call, ConnectionSummary, Rung, Summary
from trioecho.packet.records import records, told
from trioecho.render.canvas import LINE, MARGIN, SMALL, Canvas
from trioecho.render.fold import Fold
from trioecho.render.headlines import headlines
from trioecho.render.lifelines import Lifelines
from trioecho.render.rows import CallRow, FoldRow, Row, RungRow, remark_lines
from trioecho.render.totals import totals
from trioecho.render.words import Telling, asides, header
from trioecho.text import plural, preview, printable

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.render.renderer import Event, Setting

#: How many rungs of a connection are drawn before folding begins.
FOLD = 200
#: How many rows a picture has at most.
MOST = 2_000

_PREVIEW = 40  # bytes of payload shown below an arrow
_SUMMARIES = 10  # connections that are summarized in words


class _Section:
    """The rows of one connection."""

    def __init__(self, number: int | None, limit: int) -> None:
        self.number = number
        self.rows: list[Row] = []
        self.fold = Fold(limit, hint="")

    def flush(self) -> None:
        """Adds a row for what was folded since the last one."""
        if text := self.fold.release():
            self.rows.append(FoldRow(text))


class Svg:
    """Collects the rows and draws them at the end, when the picture's height is known."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._limit = FOLD if setting.fold is None else setting.fold
        self._telling = Telling()
        self._sections: dict[int | None, _Section] = {}
        self._start = setting.start
        self._rows = 0
        self._segments = self._lost = self._more = 0
        self._headlines: dict[int, str] = {}

    def begin(self) -> bytes:
        """Nothing yet."""
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        """Nothing yet; the events are kept, within bounds."""
        for event in events:
            if self._start is None:
                self._start = event.time
            if isinstance(event, Rung):
                self._segments += 1
                self._lost += event.lost
            if self._rows >= MOST:
                self._more += 1
            else:
                self._keep(event)
        return b""

    def tell(self, accounts: Sequence[Account]) -> bytes:
        """Nothing yet: the headlines stand above the rows."""
        self._headlines = headlines(accounts)
        return b""

    def end(self, summary: Summary) -> bytes:
        """The whole picture."""
        canvas = Canvas()
        y = 34.0
        for line in wrap(printable(self._setting.title), 90):
            canvas.text(MARGIN, y, line, "title")
            y += 22
        start = self._start or 0
        ends = {connection.number: connection for connection in summary.connections}
        several = sum(number is not None for number in self._sections) > 1
        for number, section in self._sections.items():
            section.flush()
            name = _name(number, ends.get(number or 0)) if several else ""
            headline = self._headlines.get(number or 0, "")
            y = Lifelines(canvas, section.rows, start).draw(y, name, headline)
        for text, style in self._below(summary):
            for line in wrap(text, 118):
                canvas.text(MARGIN, y, line, style)
                y += SMALL
            y += 4
        return canvas.file(y + LINE / 2, self._setting.title, self._description(summary))

    # ---- what is kept ----------------------------------------------------------------------------

    def _keep(self, event: Event) -> None:
        section = self._section(event.connection)
        if isinstance(event, Rung | Call):
            if section.fold.swallows(event):
                return
            section.flush()
        last = section.rows[-1] if section.rows else None
        if isinstance(event, Rung):
            section.rows.append(self._rung_row(event))
        elif not isinstance(event, Call):
            section.rows.append(CallRow(event.time, event.end, remark_lines(event)))
        elif isinstance(last, CallRow) and last.joins(event):
            last.add(event)
        else:
            section.rows.append(CallRow.of(event))
        self._rows += 1

    def _section(self, number: int | None) -> _Section:
        """A connection's section. Events of no connection, such as listen, go to the first one."""
        if number is None and self._sections:
            number = next(iter(self._sections))
        elif number is not None and None in self._sections:
            opening = self._sections.pop(None)
            opening.number = number
            self._sections = {number: opening, **self._sections}
        if number not in self._sections:
            self._sections[number] = _Section(number, self._limit)
        return self._sections[number]

    def _rung_row(self, rung: Rung) -> RungRow:
        label: list[str] = []
        rest = header(rung, absolute=self._setting.absolute)
        while rest and len(" ".join([*label, rest[0]])) <= 46 and not rest[0].startswith("win"):
            label.append(rest.pop(0))
        if rung.segment.payload:
            payload = rung.segment.payload
            rest.append(told(records(payload)) or preview(payload, _PREVIEW))
        sentences = [printable(sentence) for sentence in self._telling.of(rung)]
        sentences += asides(rung, self._setting.details)
        return RungRow(rung, label, "  ".join(rest), sentences)

    # ---- what stands around it -------------------------------------------------------------------

    def _below(self, summary: Summary) -> list[tuple[str, str]]:
        rows = []
        if self._more:
            rows.append((f"and {plural(self._more, 'further event')}, not drawn", "trouble"))
        shown = replace(summary, connections=summary.connections[:_SUMMARIES])
        rows += [(text, style or "said") for text, style in totals(shown)]
        if (left := len(summary.connections) - _SUMMARIES) > 0:
            rows.append((f"and {plural(left, 'further connection')}", "said"))
        return rows

    def _description(self, summary: Summary) -> str:
        words = [
            f"A ladder of {plural(self._segments, 'segment')} between client and server,"
            f" {self._lost or 'none'} of them lost on the wire."
        ]
        shown = replace(summary, connections=summary.connections[:3])
        words += [f"{text}." for text, _ in totals(shown, self._headlines)]
        return " ".join(words)


def _name(number: int | None, ends: ConnectionSummary | None) -> str:
    name = "no connection" if number is None else f"connection {number}"
    return name if ends is None else f"{name}: {ends.client} to {ends.server}"
