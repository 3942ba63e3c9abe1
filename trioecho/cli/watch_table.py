"""The live table of ``trioecho watch``, drawn with rich."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import trio

from trioecho.text import plural, printable, seconds

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

    from trioecho.account import Account
    from trioecho.model import ConnectionSummary
    from trioecho.watch import Snapshot
    from trioecho.watch.snapshot import Row

INTERVAL = 0.5  # seconds between two redraws
_AROUND = 5  # lines of the screen above and below the rows
_EACH = 2  # lines of a row, as a rule
_FIGURES, _MORE = ("sent", "got"), ("again", "RTT", "quiet")
_WIDE = 100  # columns that have room for all of these and for what held a connection up


class LiveTable:
    """Shows the connections with the latest segments, redrawn every half second.

    It draws in a thread, so that a slow terminal does not hold up the capture.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._time = 0.0

    async def __call__(self, snapshot: Callable[[int], Snapshot], over: trio.Event) -> None:
        """Show snapshots until the event is set, then clear them from the screen."""
        from rich.console import Console
        from rich.live import Live

        console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        live = Live(console=console, auto_refresh=False, transient=True)
        self._time = trio.current_time()
        with live:
            while not over.is_set():
                height = console.size.height
                shot = snapshot(max(1, (height - _AROUND) // _EACH))
                picture = draw(shot, self._rate(shot), console.size.width)
                await trio.to_thread.run_sync(
                    partial(live.update, picture, refresh=True), abandon_on_cancel=True
                )
                with trio.move_on_after(INTERVAL):
                    await over.wait()

    def _rate(self, shot: Snapshot) -> float:
        """Frames a second since the last redraw."""
        now = trio.current_time()
        passed = max(now - self._time, 1e-3)
        rate = (shot.frames - self._frames) / passed if self._frames else 0
        self._frames, self._time = shot.frames, now
        return rate


def draw(shot: Snapshot, rate: float, width: int) -> Group:
    """A snapshot as a table, with ``rate`` frames a second, on so many columns.

    Names come from other people: they are text for rich, never markup.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    names = printable(", ".join(shot.interfaces)) or "no traffic yet"
    head = Text(f"{names}   {plural(shot.total, 'connection')}, {shot.open:,} open   ", "bold")
    head.append(f"{plural(shot.frames, 'frame')}, {rate:,.0f}/s   ")
    head.append(f"dropped {shot.dropped:,}", "bold white on red" if shot.dropped else "")
    if shot.behind > 1 << 20:
        head.append(f"   behind by {shot.behind >> 20} MiB", "bold yellow")
    notices = [Text(printable(notice), "bold red") for notice in shot.notices[-2:]]

    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    for name in ("#", "client", "server", "state"):
        table.add_column(name, justify="right" if name == "#" else "left", overflow="fold")
    crowded = shot.accounted and width < _WIDE
    for name in _FIGURES if crowded else (*_FIGURES, *_MORE):
        table.add_column(name, justify="right", no_wrap=True)
    if shot.accounted:
        table.add_column("held up by", no_wrap=True)
    for row in shot.rows:
        cells = list(_cells(row, shot.now))
        if crowded:
            del cells[-len(_MORE) :]
        if shot.accounted:
            cells.append(Text(_held(row.account)))
        table.add_row(*cells, style="red" if row.summary.troubles else "")
    return Group(head, *notices, table)


def _cells(row: Row, now: int) -> Iterator[Text]:
    from rich.text import Text as Cell

    from trioecho.model import State

    one = row.summary
    yield Cell(str(one.number))
    yield Cell("\n".join(filter(None, (str(one.client), one.client_process))))
    yield Cell("\n".join(filter(None, (str(one.server), one.server_process))))
    states = dict.fromkeys((row.client_state, row.server_state))
    yield Cell("\n".join(state for state in states if state is not State.UNKNOWN))
    yield Cell(_size(one.client_bytes))
    yield Cell(_size(one.server_bytes))
    again = [str(one.retransmissions)] if one.retransmissions else []
    again += [plural(one.probes, "probe")] if one.probes else []
    yield Cell("\n".join(again))
    yield Cell(_round_trip(one))
    yield Cell(seconds(max(now - one.end, 0)) if now - one.end >= 1_000_000_000 else "")


def _held(account: Account | None) -> str:
    """What held a connection up most: its share and name, and below it where that lies."""
    if account is None or account.top is None:
        return ""
    top = account.top
    return f"{top.time / account.duration:.0%} {top.cause}\n{top.end}"


def _round_trip(one: ConnectionSummary) -> str:
    """The typical round trip as seen from here: the longer of the two sides."""
    times = [rtt.median for rtt in (one.client_rtt, one.server_rtt) if rtt is not None]
    return seconds(max(times)) if times else ""


def _size(count: int) -> str:
    """A count of bytes that fits a narrow column.

    >>> _size(999), _size(12_345), _size(5_000_000_000)
    ('999', '12.3k', '5.0G')
    """
    if count < 1000:
        return str(count)
    size = float(count)
    for unit in "kMGT":
        size /= 1000
        if size < 1000:
            return f"{size:.1f}{unit}"
    return f"{size:.0f}T"
