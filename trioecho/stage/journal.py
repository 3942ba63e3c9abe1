"""The journal: merges segments and socket calls from every source into one order.

A segment comes from our wire, which reports when it was sent and when it arrived, or from a tap,
which shows it some milliseconds late. A call comes from one of our sockets, which reports it at
once, or from strace, which reports it once it has returned. The order follows from what each source
guarantees, never from a guess at how late it may be:

- A segment on the wire waits until it is known whether it arrived. A call of ours on the wire is
  placed at once, since the wire reads the segments it sent right after it.
- A call of ours beside a tap waits for a later frame, or for a mark: then nothing older can come.
- strace logs a call before the kernel executes it. So its output is read before each segment is
  processed: the call that sent a segment is known by then, and the segment waits for it to return.
  A call that waited for a segment comes after everything seen until it was reported, and before its
  program's next call.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from time import time_ns
from typing import NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from trioecho.model import (
    ACK,
    FIN,
    OTHER,
    RST,
    SYN,
    Call,
    CaptureSummary,
    End,
    Endpoint,
    Kernel,
    Rung,
    Segment,
    State,
    Stopped,
    Summary,
)
from trioecho.stage.late import NEVER, Entry, LateCalls
from trioecho.stage.order import MOST_WAITING, Order
from trioecho.stage.repeats import Repeats
from trioecho.stage.wire import Passage
from trioecho.tcp.connection import TrackedConnection
from trioecho.tcp.tracker import Tracker


class Kernels(Protocol):
    """Asks the kernels of both ends."""

    def ask(self, end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
        """What the kernel of one end says of a connection."""


class Moment(NamedTuple):
    """A point in time up to which a source is asked to catch up.

    Args:
        time: nanoseconds since the epoch; no call of ours reported so far is later.
        told: how many calls strace had reported.
    """

    time: int
    told: int


#: Given an end, the client's endpoint and the server's.
Holds: TypeAlias = Callable[[End, Endpoint, Endpoint], bool]


#: Given an end, and an endpoint there.
Listens: TypeAlias = Callable[[End, Endpoint], bool]


def _always(end: End, client: Endpoint, server: Endpoint) -> bool:
    return True


class Journal(Order):
    """Turns segments from a wire or a tap into rungs, and merges calls among them.

    The engine processes each sending and each arrival at once. ``ready`` returns an event once its
    place is final. ``holds`` and ``listens`` ask the kernels of a wire's hosts; without ``listens``
    calls tell who listens. ``tapped`` says that segments come from a tap, and so later than calls.

    Attributes:
        tracker: the connections.
    """

    def __init__(
        self,
        kernels: Kernels | None = None,
        most: int | None = MOST_WAITING,
        *,
        holds: Holds = _always,
        listens: Listens | None = None,
        tapped: bool = False,
    ) -> None:
        super().__init__(most)
        self.tracker = Tracker(by_frame=not tapped)
        self._kernels = kernels
        self._holds = holds
        self._asks_listens = listens
        self._tapped = tapped
        self._frames = 0
        self._under_way: dict[int, Entry] = {}
        self._newest = 0  # of what a wire has told
        # What older frames may precede.
        self._held: list[tuple[int, int, Call | Stopped]] = []
        # When who began to listen, or ended.
        self._listening: list[tuple[int, int, Endpoint, bool]] = []
        self._repeats = Repeats()

    # ---- what is told ----------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """Add a call on one of our sockets."""
        for one in self._repeats.told(call):
            self._take(one)

    def stopped(self, stopped: Stopped) -> None:
        """Take that a program is stopped, just before it is."""
        self.tracker.stopped(stopped.end, stopped.time)
        self._take(stopped)

    def _take(self, call: Call | Stopped) -> None:
        if self._tapped:
            self._number += 1
            heappush(self._held, (call.time, self._number, call))
            self.wake()
        else:
            self._place(call)

    def late_calls(self, find: Callable[[Call], Call], catch_up: Callable[[], None]) -> LateCalls:
        """Expect a program's calls, which strace reports late."""
        late = LateCalls(self, find, catch_up)
        self._late.append(late)
        return late

    def listens(self, time: int, server: Endpoint, *, now: bool) -> None:
        """Take that a server listens from a moment on, or no longer does; a kernel knows better."""
        if self._asks_listens is None:
            self._number += 1
            heappush(self._listening, (time, self._number, server, now))

    def seen(self, segment: Segment) -> None:
        """Add a segment from a tap."""
        if self.finished:
            return
        self._place_held(segment.frame.time)
        self._listen(segment.frame.time)
        self._frames += 1
        rung = self.tracker.seen(segment)
        if segment.flags & (FIN | RST):
            self._count(rung.sender)
        self.add(rung.time, Entry(rung))
        self._opened(segment)

    def sent(self, passage: Passage) -> None:
        """Add a segment that was sent over the wire."""
        if self.finished:
            return
        self.catch_up()
        self._frames += 1
        segment = passage.segment
        if segment.flags & (FIN | RST):
            self._count(passage.end)
        if self._asks_listens is not None and segment.flags & (SYN | ACK) == SYN:
            now = self._asks_listens(OTHER[passage.end], segment.destination)
            self.tracker.listens(segment.destination, now=now)
        self._listen(segment.frame.time)
        rung = self.tracker.sent(segment, passage.kind)
        connection = self.tracker.find(segment.source, segment.destination)
        assert connection is not None
        rung = self._with_kernel(rung, connection, passage.end)
        entry = self._under_way[passage.frame.number] = Entry(rung, connection, open=True)
        self.add(rung.time, entry)
        self._newest = rung.time
        self._opened(segment)

    def done(self, passage: Passage) -> None:
        """Note that it has arrived, or was lost."""
        entry = self._under_way.pop(passage.frame.number, None)
        if entry is None:  # sent before this observer was added, or after the end
            return
        rung, connection = entry.event, entry.connection
        assert isinstance(rung, Rung)
        assert connection is not None
        if passage.arrived is not None:
            self._look_for_client(passage, connection)
            rung = connection.arrived(rung, passage.arrived)
            rung = self._with_kernel(rung, connection, OTHER[passage.end])
            self._newest = passage.arrived
        else:
            rung = replace(rung, broken=passage.broken, too_large=passage.too_large)
            connection.lost(rung)
        if passage.fault or passage.edited:
            rung = replace(rung, fault=passage.fault, edited=passage.edited)
        entry.event, entry.open = rung, False
        self.wake()

    def catch_up(self) -> None:
        """Read what strace has written so far: it is older than the next segment."""
        for late in self._late:
            late.catch_up()

    # ---- how far it is known ---------------------------------------------------------------------

    def moment(self) -> Moment:
        """The current moment; pass it to `settle` once everything older has arrived."""
        youngest = max((time for time, _, _ in self._held), default=0)
        return Moment(max(time_ns(), youngest), self._told_late)

    def settle(self, moment: Moment) -> None:
        """Note that every segment sent before a moment has arrived."""
        self._place_held(moment.time)
        self._settled_late = max(self._settled_late, moment.told)
        self.wake()

    @property
    def unsettled(self) -> bool:
        """Whether a call waits for older segments."""
        return bool(self._held) or self._first_waits()

    async def landed(self) -> None:
        """Wait until what is under way now has arrived or is lost."""
        under_way = set(self._under_way)
        while not under_way.isdisjoint(self._under_way):
            await self.change()

    def over(self) -> bool:
        """Whether every connection has ended and no segment is in flight."""
        return not self._under_way and self.tracker.over()

    def finish(self) -> None:
        """End the journal; segments still in flight will not arrive."""
        self._count()
        self._place_held(NEVER)
        self.finished = True
        for late in self._late:
            late.end()
        for entry in self._under_way.values():
            assert isinstance(entry.event, Rung)
            entry.event, entry.open = replace(entry.event, lost=False), False
        self._under_way.clear()
        self._taken.set()
        self.wake()

    def summary(
        self,
        interface: str,
        unmatched: tuple[str, ...] = (),
        *,
        kernel: str = "",
        dropped: int = 0,
    ) -> Summary:
        """What the connections came to."""
        captured = CaptureSummary(interface, self._frames, dropped)
        return Summary(self.tracker.summaries(), captured, unmatched=unmatched, kernel=kernel)

    # ---- inside ----------------------------------------------------------------------------------

    def returned(self, call: Call, before: int, floor: int) -> tuple[int, Call]:
        """The place of a call that waited for a segment and has returned before a moment.

        A tap may still show what was sent until then, so there the place is that moment.
        """
        time = before if self._tapped else min(self._newest, before)
        time = max(time, call.time, floor)
        return time, call if self._tapped else replace(call, time=time)

    def _place(self, call: Call | Stopped) -> None:
        if isinstance(call, Call) and call.local is not None and call.peer is not None:
            call = replace(call, connection=self.tracker.called(call))
        elif isinstance(call, Call):
            self._listens(call)
        self.add(call.time, Entry(call))

    def _listen(self, until: int) -> None:
        """Take who listened by a moment."""
        while self._listening and self._listening[0][0] <= until:
            _, _, server, now = heappop(self._listening)
            self.tracker.listens(server, now=now)

    def _listens(self, call: Call) -> None:
        """Take from a call that a server listens, or no longer does."""
        tells = call.socket == "listening" and call.name in ("listen", "close")
        if tells and call.local is not None and call.error is None:
            self.listens(call.time, call.local, now=call.name == "listen")

    def add_late(self, time: int, entry: Entry) -> None:
        """Add a call that strace has reported."""
        if isinstance(entry.event, Call):
            self._listens(entry.event)
        super().add_late(time, entry)

    def _place_held(self, until: int) -> None:
        while self._held and self._held[0][0] <= until:
            self._place(heappop(self._held)[2])

    def _look_for_client(self, passage: Passage, connection: TrackedConnection) -> None:
        """When a SYN-ACK has arrived, see whether the client still has a socket for it."""
        if passage.segment.flags & (SYN | ACK) == SYN | ACK and passage.end == "server":
            client, server = connection.client, connection.server.endpoint
            waits = client.state is State.SYN_SENT
            if waits and not self._holds("client", client.endpoint, server):
                connection.gave_up(passage.arrived or 0)

    def _count(self, end: End | None = None) -> None:
        """Report the calls repeated so far."""
        for call in self._repeats.counted(end):
            self._take(call)
        for late in self._late:
            late.count(end)

    def _opened(self, segment: Segment) -> None:
        if self._late and segment.flags & (SYN | ACK) == SYN:
            for late in self._late:
                late.opened()

    def _with_kernel(self, rung: Rung, connection: TrackedConnection, end: End) -> Rung:
        """The rung with the kernel's view of the end where something has just happened."""
        if self._kernels is None:
            return rung
        kernel = self._kernels.ask(end, connection.client.endpoint, connection.server.endpoint)
        if end == "client":
            return replace(rung, client_kernel=kernel)
        return replace(rung, server_kernel=kernel)
