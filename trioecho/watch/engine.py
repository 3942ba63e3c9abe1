"""Frames -> rungs on an endless run: copies are skipped, old connections forgotten."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from msgspec.structs import replace

from trioecho.account import Account, Accounts
from trioecho.model import (
    CaptureSummary,
    ConnectionSummary,
    Frame,
    Process,
    Rung,
    Segment,
    Summary,
)
from trioecho.packet.decoder import Decoder
from trioecho.tcp.connection import TrackedConnection
from trioecho.tcp.tracker import Tracker
from trioecho.watch.copies import CopyFilter

#: Connections that are kept; beyond that, the closed ones that have been quiet longest go first,
#: then the open ones that have been.
MOST = 10_000
_KEPT = 3 / 4  # how many are kept then, so that this is not done for each new one

_NUMBER = attrgetter("number")


class Engine:
    """All connections of all interfaces.

    Attributes:
        tracker: the connections.
        frames: TCP frames so far, without copies.
        copies: frames seen again on another interface.
        start: the time of the first frame, nanoseconds since the epoch.
        now: the time of the last frame.
        interfaces: the numbers of the interfaces that had TCP frames.
        accounts: where the time of the connections went; None where nobody has asked.
    """

    def __init__(
        self,
        *,
        several: bool,
        most: int = MOST,
        selects: Callable[[Segment], bool] | None = None,
        accounted: bool = False,
    ) -> None:
        self.tracker = Tracker()
        self.frames = 0
        self.copies = 0
        self.start: int | None = None
        self.now = 0
        self._sights = CopyFilter()
        self.interfaces = self._sights.interfaces
        self._most = most
        self._decoder = Decoder()
        self._several = several
        self._selects = selects
        self._processes: dict[int, dict[str, Process]] = {}
        self.accounts = Accounts() if accounted else None

    def rungs(self, frames: Iterable[Frame], limit: int | None = None) -> list[Rung]:
        """Process frames, and return their rungs."""
        rungs: list[Rung] = []
        seen, several, is_copy = self.tracker.seen, self._several, self._sights.is_copy
        segments = self._decoder.segments(frames)
        for segment in segments if self._selects is None else filter(self._selects, segments):
            if several and is_copy(segment):
                self.copies += 1
                continue
            rungs.append(seen(segment))
            if limit is not None and len(rungs) >= limit:
                break
        if rungs:
            self.frames += len(rungs)
            self.now = rungs[-1].time
            if self.start is None:
                self.start = rungs[0].time
                self.interfaces.add(rungs[0].segment.frame.interface)
            if self.accounts is not None:
                self.accounts.see(rungs)
            if len(self.tracker.connections) > self._most:
                self._retire()
        return rungs

    def leave(self, interface: int) -> None:
        """Note that an interface has ended; its connections may be seen on another."""
        self._sights.leave(interface)

    def newest(self, since: int) -> Sequence[TrackedConnection]:
        """The connections with a number above ``since`` that have not been forgotten already."""
        known = self.tracker.connections
        return known[bisect_right(known, since, key=_NUMBER) :]

    def hold(self, process: Process) -> bool:
        """Remember which process holds an end of a connection."""
        known = self.tracker.connections
        at = bisect_left(known, process.connection, key=_NUMBER)
        if at == len(known) or known[at].number != process.connection:
            return False
        self._processes.setdefault(process.connection, {})[process.end] = process
        return True

    def open(self) -> int:
        """How many connections are not closed."""
        return sum(one.closed_by is None for one in self.tracker.connections)

    def summary_of(self, connection: TrackedConnection) -> ConnectionSummary:
        """A connection's summary, with the processes that hold its ends."""
        held = self._processes.get(connection.number)
        summary = connection.summary()
        if held is None:
            return summary
        return replace(summary, **{f"{end}_process": str(process) for end, process in held.items()})

    def account_of(self, connection: TrackedConnection) -> Account | None:
        """What is settled by now of where a connection's time went, if anybody has asked."""
        return None if self.accounts is None else self.accounts.so_far(connection.number)

    def summary(self, names: Sequence[str], dropped: int) -> Summary:
        """What it all came to."""
        used = [names[number] for number in sorted(self.interfaces)] or names
        connections = self.tracker.connections
        return Summary(
            tuple(map(self.summary_of, connections)),
            CaptureSummary(", ".join(used), self.frames, dropped),
            self.tracker.count - len(connections),
        )

    def _retire(self) -> None:
        """Forget the connections that are least likely to be heard of again."""
        connections = self.tracker.connections
        by_age = sorted(connections, key=lambda one: (one.closed_by is None, one.end))
        gone = by_age[: len(by_age) - int(self._most * _KEPT)]
        self.tracker.forget(gone)
        if self.accounts is not None:
            self.accounts.forget(one.number for one in gone)
        for one in gone:
            self._processes.pop(one.number, None)
            client, server = one.client.endpoint, one.server.endpoint
            if self.tracker.find(client, server) is None:
                self._sights.forget(client, server)
