"""Snapshot: what a live table shows at one moment."""

from __future__ import annotations

from heapq import nlargest

from msgspec import Struct

from trioecho.model import ConnectionSummary, State
from trioecho.watch.engine import Engine


class Row(Struct, frozen=True):
    """A connection, and the states its ends are in."""

    summary: ConnectionSummary
    client_state: State
    server_state: State


class Snapshot(Struct, frozen=True):
    """The state of a watch.

    Args:
        rows: the connections that had a segment last, the latest first.
        total: how many connections there have been.
        open: how many are not closed.
        frames: TCP frames so far.
        dropped: frames so far that the kernel dropped.
        behind: bytes of frames that are captured and not looked at yet.
        now: the time of the last frame, nanoseconds since the epoch.
        interfaces: the names of those that had traffic.
        notices: what went wrong with interfaces.
    """

    rows: tuple[Row, ...]
    total: int
    open: int
    frames: int
    dropped: int
    behind: int
    now: int
    interfaces: tuple[str, ...]
    notices: tuple[str, ...] = ()


def rows(engine: Engine, count: int) -> tuple[Row, ...]:
    """The ``count`` connections that had a segment last, the latest first."""
    latest = nlargest(count, engine.tracker.connections, key=lambda one: one.end)
    return tuple(Row(engine.summary_of(one), one.client.state, one.server.state) for one in latest)
