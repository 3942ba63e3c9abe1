"""What ``trioecho watch`` opens, in which order, and what each of its outputs shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import trio
from msgspec.structs import replace

from trioecho.cli.board import Board
from trioecho.cli.output import warn
from trioecho.cli.screen import Screen, Shown, open_files, show_on
from trioecho.model import Summary
from trioecho.render import Event
from trioecho.render.table import SORTS
from trioecho.render.terminal import Terminal
from trioecho.stage.outputs import Output
from trioecho.text import plural, printable
from trioecho.watch import (
    Audience,
    Settings,
    Taps,
    Wanted,
    drop_privileges,
    open_taps,
    watch,
)

# So many connections are summed up in words; more are a table, and on a terminal so many of them.
FEW, MOST = 8, 50


class Request(NamedTuple):
    """What the command line asks for."""

    wanted: Wanted
    settings: Settings
    paths: Sequence[Path]
    screen: Screen


async def conduct(request: Request, stop: trio.Event) -> None:
    """Open the captures, give up root's rights, open the files, and watch.

    Raises:
        TrioechoError: there is nothing to capture on, a file cannot be written, or the last
            interface went down.
    """
    with open_taps(request.wanted) as taps:
        drop_privileges()
        for notice in taps.notices:
            warn(notice)
        with open_files(request.paths) as files:
            first, *others = show_on(request.screen, files, _title(request, taps), taps.names)
            await watch(taps, request.settings, _audience(request, first, others), stop=stop)


def _audience(request: Request, first: Shown, others: Sequence[Shown]) -> Audience:
    outputs = [Output(renderer, sink) for renderer, sink in others]
    if not isinstance(first.renderer, Terminal):
        outputs.insert(0, Output(first.renderer, first.sink, abandon=True))
        return Audience(outputs, say=warn)
    tty = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    few = request.settings.few
    screen = _Screen(first.renderer, FEW if few is None else few, MOST if tty else None)
    return Audience(
        outputs, Output(screen, first.sink, abandon=True), Board() if tty else None, warn
    )


class _Screen:
    """The ladder on the screen, with a table at its end when there were many connections.

    Args:
        terminal: draws both.
        few: more connections than this are a table.
        most: lines of the table at the most, None for all.
    """

    def __init__(self, terminal: Terminal, few: int, most: int | None) -> None:
        self._terminal = terminal
        self._few = few
        self._most = most
        self.begin = terminal.begin

    def show(self, events: Sequence[Event]) -> bytes:
        """As the terminal does."""
        return self._terminal.show(events)

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


def _title(request: Request, taps: Taps) -> str:
    names = ", ".join(map(printable, taps.names))
    wanted = printable(str(request.wanted))
    return f"watching {names}; {wanted}" if wanted else f"watching {names}"
