"""Calls that are reported late: strace's, placed where they were made.

strace logs a call before the kernel executes it, and looks up its socket before it takes the time
of its return. So a call that returned at once is placed where it was made. One that waited for a
segment comes after everything seen until it was reported, and before its program's next call. A
connect waits for its SYN, which identifies its connection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from trioecho.model import RECEIVING, Call, End, Endpoint
from trioecho.render import Event
from trioecho.stage.repeats import Repeats
from trioecho.tcp.connection import TrackedConnection

NEVER = 1 << 63
_MOST = 1_000  # connects that are remembered until they return


class Entry(Struct):
    """A place in the journal.

    Args:
        event: the call or rung.
        connection: the connection of a segment that has not arrived yet.
        open: whether it may still change, so that nothing after it is released.
        late: the source of a call that was reported late.
        after: how many calls strace must have reported before it is released.
        begun: for a connect that has returned, the entry where it began.
    """

    event: Event
    connection: TrackedConnection | None = None
    open: bool = False
    late: LateCalls | None = None
    after: int = 0
    begun: Entry | None = None


class Pages(Protocol):
    """What these calls need of the journal."""

    def add_late(self, time: int, entry: Entry) -> None:
        """Add a call; segments sent before now may still come."""

    def told_now(self, entry: Entry) -> None:
        """Let an entry wait until all segments sent before now have come."""

    def returned(self, call: Call, before: int, floor: int) -> tuple[int, Call]:
        """The place of a call that waited for a segment and has returned before a moment."""

    def listens(self, time: int, server: Endpoint, *, now: bool) -> None:
        """Take that a server listens from a moment on, or no longer does."""

    def wake(self) -> None:
        """Wake the tasks that wait for something new."""


class LateCalls:
    """The calls of one program, as strace reports them. ``catch_up`` reads what it has written.

    Attributes:
        until: a call made at this time has not returned; later events wait for it.
    """

    def __init__(
        self, journal: Pages, find: Callable[[Call], Call], catch_up: Callable[[], None]
    ) -> None:
        self.until = NEVER
        self.catch_up = catch_up
        self._find = find
        self._journal = journal
        self._returned: list[Entry] = []
        self._floor = 0  # the place of the last call that waited; the next ones come after it
        self._connects: dict[int, Entry] = {}  # under way, by their tasks
        self._listening: dict[int, set[Endpoint]] = {}  # by the tasks that began it
        self._repeats = Repeats()

    def put(
        self, calls: Sequence[Call], began: int | None, task: int = 0, *, connected: bool = False
    ) -> None:
        """Add the calls of one line."""
        if began is not None:
            self._place_returned(began)
        for call in (one for made in calls for one in self._repeats.told(made, task)):
            entry = Entry(call, late=self)
            if call.name == "listen" and call.local is not None and len(self._listening) < _MOST:
                self._listening.setdefault(task, set()).add(call.local)
            if call.times > 1:
                self._journal.add_late(max(call.time, self._floor), entry)
            elif call.name == "connect" and not _begins(call):
                entry.begun = self._connects.get(task) if connected else None
                self._returned.append(entry)
            elif call.name in RECEIVING or call.name == "accept":
                self._returned.append(entry)
            else:
                if call.name == "connect":
                    entry.open = True
                    self._connects[task] = entry
                    if len(self._connects) > _MOST:
                        self._connects.pop(next(iter(self._connects))).open = False
                time = call.time if began is None else max(call.time, self._floor)
                self._journal.add_late(time, entry)
        if connected and (begun := self._connects.pop(task, None)) is not None:
            self._journal.told_now(begun)  # its SYN, if there is one, has been sent
            begun.open = False

    def read(self, under_way: int | None, until: int) -> None:
        """Note that everything that was written until a moment has been read.

        Args:
            under_way: when the oldest call was made that has not returned and may have sent
                something.
            until: the moment, nanoseconds since the epoch: a call not reported yet is later.
        """
        self._place_returned(until)
        self.until = NEVER if under_way is None else under_way
        self._journal.wake()

    @property
    def waiting(self) -> bool:
        """Whether something waits for a call to return, or for its SYN."""
        return self.until != NEVER or any(entry.open for entry in self._connects.values())

    def expire(self, sent: int, connected: int) -> None:
        """Stop waiting for calls that have not returned."""
        if self.until < sent:
            self.until = NEVER
        for entry in self._connects.values():
            if entry.event.time < connected:
                entry.open = False
        self._journal.wake()

    def opened(self) -> None:
        """Match a SYN that was just seen with a connect."""
        for entry in self._connects.values():
            if entry.open:
                entry.event = self._found(entry)
                entry.open = entry.event.connection is None

    def placed(self, entry: Entry, last: int) -> Call:
        """A call with its final place and connection."""
        call = self._found(entry)
        return replace(call, time=max(call.time, last))

    def count(self, end: End | None = None) -> None:
        """Report the calls repeated so far."""
        for call in self._repeats.counted(end):
            self._journal.add_late(max(call.time, self._floor), Entry(call, late=self))

    def exited(self, task: int, time: int) -> None:
        """A task has ended, and with it, as far as is known, its listening sockets."""
        for server in self._listening.pop(task, ()):
            self._journal.listens(time, server, now=False)

    def end(self) -> None:
        """The program has ended."""
        self.catch_up = _nothing
        self.count()
        self.expire(NEVER, NEVER)

    def _found(self, entry: Entry) -> Call:
        call, begun = entry.event, entry.begun
        assert isinstance(call, Call)
        if call.connection is not None:
            return call
        if begun is not None and isinstance(begun.event, Call):
            one = begun.event
            if one.connection is not None:
                return replace(
                    call,
                    end=one.end,
                    local=one.local,
                    peer=one.peer,
                    connection=one.connection,
                    deferred=False,  # it has sent its SYN
                )
        return self._find(call)

    def _place_returned(self, before: int) -> None:
        for entry in self._returned:
            assert isinstance(entry.event, Call)
            self._floor, entry.event = self._journal.returned(entry.event, before, self._floor)
            self._journal.add_late(self._floor, entry)
        self._returned.clear()


def _nothing() -> None:
    """Nothing more to read."""


def _begins(call: Call) -> bool:
    """Whether a call is a connect that has not returned yet."""
    return call.result is None and call.error is None
