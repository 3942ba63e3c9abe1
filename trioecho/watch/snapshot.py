"""What a live table shows at one moment."""

from __future__ import annotations

from heapq import nlargest

from msgspec import Struct

from trioecho.account import Account
from trioecho.model import ConnectionSummary, State
from trioecho.watch.engine import Engine


class Row(Struct, frozen=True):
    """A connection, the states of its ends, and where its time went, if that was asked for."""

    summary: ConnectionSummary
    client_state: State
    server_state: State
    account: Account | None = None


class Snapshot(Struct, frozen=True):
    """The state of a watch.

    Args:
        rows: the connections with the latest segments, the latest first.
        total: how many connections there have been.
        open: how many are not closed.
        frames: TCP frames so far.
        dropped: frames the kernel has dropped so far.
        behind: bytes of frames captured but not processed yet.
        now: the time of the last frame, nanoseconds since the epoch.
        interfaces: the names of the interfaces that had traffic.
        notices: what went wrong with interfaces.
        accounted: whether somebody has asked where the time of the connections goes.
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
    accounted: bool = False


def rows(engine: Engine, count: int) -> tuple[Row, ...]:
    """The ``count`` connections with the latest segments, the latest first."""
    latest = nlargest(count, engine.tracker.connections, key=lambda one: one.end)
    return tuple(
        Row(engine.summary_of(one), one.client.state, one.server.state, engine.account_of(one))
        for one in latest
    )
