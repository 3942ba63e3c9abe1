"""What ``trioecho watch`` shows on standard output: a ladder, then a table of many connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from trioecho.cli.stderr import warn
from trioecho.cli.stdout import redraws
from trioecho.cli.watch_table import LiveTable
from trioecho.model import Summary
from trioecho.render import Event, Renderer
from trioecho.render.table import SORTS
from trioecho.render.terminal import Terminal
from trioecho.stage.outputs import Output
from trioecho.text import plural, printable
from trioecho.watch import Audience, Taps, Wanted

MOST = 50  # rows of a table on a terminal


def title(taps: Taps, wanted: Wanted) -> str:
    """The ladder's title, such as ``watching lo, eth0; port 443``."""
    names = ", ".join(map(printable, taps.names))
    only = printable(str(wanted))
    return f"watching {names}; {only}" if only else f"watching {names}"


def audience(outputs: Sequence[Output], is_text: bool) -> Audience:
    """Outputs as the watch wants them; on a terminal, with a live table."""
    if not is_text:
        return Audience(outputs, say=warn)
    first, *others = outputs
    return Audience(others, first, LiveTable() if redraws() else None, warn)


def with_table(few: int) -> Callable[[Renderer], Renderer]:
    """Makes a terminal's renderer show more than ``few`` connections as a table at its end."""
    return partial(_LadderThenTable, few, MOST if redraws() else None)


class _LadderThenTable:
    def __init__(self, few: int, most: int | None, terminal: Renderer) -> None:
        assert isinstance(terminal, Terminal)
        self._few = few
        self._most = most
        self._terminal = terminal
        self.begin = terminal.begin
        self.show: Callable[[Sequence[Event]], bytes] = terminal.show

    def end(self, summary: Summary) -> bytes:
        """Each connection in words, or a table of them, the most troubled first."""
        connections = summary.connections
        if len(connections) <= self._few:
            return self._terminal.end(summary)
        shown = sorted(connections, key=SORTS["trouble"])[: self._most]
        title = plural(len(connections), "connection")
        if len(shown) < len(connections):
            title += f", the {len(shown)} with most trouble"
        start = min(one.start for one in connections)
        return self._terminal.table(title, shown, start) + self._terminal.end(
            replace(summary, connections=())
        )
