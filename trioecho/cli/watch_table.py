"""The live table of ``trioecho watch``, drawn with rich."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import trio

from trioecho.text import plural, printable, seconds

if TYPE_CHECKING:
    from rich.console import Group, JustifyMethod

    from trioecho.account import Account
    from trioecho.model import ConnectionSummary
    from trioecho.watch import Snapshot
    from trioecho.watch.snapshot import Row

INTERVAL = 0.5  # seconds between two redraws
_AROUND = 5  # lines of the screen above and below the rows
_EACH = 2  # lines of a row, as a rule
#: Columns and how wide each is, whatever it holds; the first two share what is left.
_WIDTHS = {
    "client": 0,
    "server": 0,
    "state": 12,
    "sent": 6,
    "got": 6,
    "again": 9,
    "RTT": 6,
    "quiet": 6,
    "held up by": 17,
}
#: What is left out until addresses have so much: first what says least. A server that has no
#: column of its own stands below its client.
_DROPPED, _LEAST = ("RTT", "again", "quiet", "server", "state", "got", "sent"), 16
_GAP = 2  # characters between two columns


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

    digits = max((len(str(row.summary.number)) for row in shot.rows), default=1)
    columns, each = _fitting(width - digits - _GAP, accounted=shot.accounted)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
    table.add_column("#", justify="right", width=digits)
    for name in columns:
        title = "connection" if name == "client" and "server" not in columns else name
        figure = name in ("sent", "got", "again", "RTT", "quiet")
        justify: JustifyMethod = "right" if figure else "left"
        table.add_column(title, justify=justify, overflow="fold", width=_WIDTHS[name] or each)
    for row in shot.rows:
        cells = _cells(row, shot.now, each)
        if "server" not in columns:
            cells["client"] += f"\n{cells['server']}"
        shown = (Text(cells[name]) for name in ("#", *columns))
        table.add_row(*shown, style="red" if row.summary.troubles else "")
    return Group(head, *notices, "", table)


def _fitting(width: int, *, accounted: bool) -> tuple[list[str], int]:
    """The columns that so many characters have room for, and how wide addresses are there."""
    names = [name for name in _WIDTHS if accounted or name != "held up by"]
    each = 0
    for dropped in ("", *_DROPPED):
        names = [name for name in names if name != dropped]
        left = width - sum(_WIDTHS[name] for name in names) - _GAP * (len(names) - 1)
        each = left // sum(not _WIDTHS[name] for name in names)
        if each >= _LEAST:
            break
    return names, max(each, 1)


def _cells(row: Row, now: int, width: int) -> dict[str, str]:
    """What stands in each column; addresses in lines of at most ``width`` characters."""
    from trioecho.model import State

    one = row.summary
    client = filter(None, (_broken(str(one.client), width), one.client_process))
    server = filter(None, (_broken(str(one.server), width), one.server_process))
    states = dict.fromkeys((row.client_state, row.server_state))
    again = [str(one.retransmissions)] if one.retransmissions else []
    again += [plural(one.probes, "probe")] if one.probes else []
    return {
        "#": str(one.number),
        "client": "\n".join(client),
        "server": "\n".join(server),
        "state": "\n".join(state for state in states if state is not State.UNKNOWN),
        "sent": _size(one.client_bytes),
        "got": _size(one.server_bytes),
        "again": "\n".join(again),
        "RTT": _round_trip(one),
        "quiet": seconds(max(now - one.end, 0)) if now - one.end >= 1_000_000_000 else "",
        "held up by": _held(row.account),
    }


def _broken(address: str, width: int) -> str:
    """An address in lines of at most so many characters, broken behind colons.

    >>> _broken("192.0.2.100:40007", 16).split()
    ['192.0.2.100:', '40007']
    """
    lines = [""]
    for piece in re.split("(?<=:)", address):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _held(account: Account | None) -> str:
    """What held a connection up most: its share, at which end, and its name."""
    if account is None or account.top is None:
        return ""
    top = account.top
    return f"{top.time / account.duration:.0%} {top.end}\n{top.cause}"


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
