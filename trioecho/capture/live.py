"""Capture: what every source of live frames has in common, and the backlog behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Self

import trio

from trioecho.errors import TrioechoError
from trioecho.model import Frame

# Batches read between two checkpoints. More than one, so that what is captured while the reader
# works on a batch moves to the backlog and does not pile up in the kernel, which drops what is too
# much; and so many that the capture reads faster than any reader takes.
AT_ONCE = 16


class Backlog:
    """A queue of batches, bounded by the bytes in it, between a capture and a channel.

    A ring has few blocks and hands over one of them every few milliseconds, however little is in
    it. If the ring waited for a slow reader it would lose a trickle as soon as a flood.

    Args:
        limit: bytes of frames that may wait here. With 0, each batch waits for its delivery.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batches: deque[list[Frame]] = deque()
        self._size = 0
        self._ended = False
        self._changed = trio.lowlevel.ParkingLot()

    @property
    def full(self) -> bool:
        """Whether more than the limit waits."""
        return self._size > self._limit

    @property
    def waiting(self) -> int:
        """Bytes of frames that have not been delivered."""
        return self._size

    def add(self, batch: list[Frame]) -> None:
        """Add a batch, whatever is waiting already."""
        self._batches.append(batch)
        self._size += size_of(batch)
        self._changed.unpark_all()

    async def room(self) -> None:
        """Wait until no more than the limit waits."""
        await trio.lowlevel.checkpoint()
        while self._size > self._limit:
            await self._changed.park()

    def end(self) -> None:
        """Say that there will be no more batches."""
        self._ended = True
        self._changed.unpark_all()

    async def deliver(self, channel: trio.MemorySendChannel[list[Frame]]) -> None:
        """Send every batch until `end`, then close the channel."""
        async with channel:
            while self._batches or not self._ended:
                if not self._batches:
                    await self._changed.park()
                    continue
                batch = self._batches.popleft()
                await channel.send(batch)
                self._size -= size_of(batch)
                self._changed.unpark_all()


def size_of(batch: list[Frame]) -> int:
    """Bytes of data in a batch."""
    return sum(len(frame.data) for frame in batch)


class Capture(ABC):
    """A live capture on one interface.

    It captures from the moment it is made until it is closed; `run` delivers what it has. The order
    of events that misses nothing and leaves nothing behind::

        with open_capture() as capture:
            async with trio.open_nursery() as nursery:
                send, receive = trio.open_memory_channel[list[Frame]](16)
                await nursery.start(capture.run, send)
                ...  # consume ``receive`` in a task, make traffic
                capture.stop()  # run delivers the rest, closes ``send`` and returns

    Attributes:
        interface: the interface's name.
        link: the link type of its frames (LINKTYPE_*, as in a pcap file's header).
        number: the number that the next frame will have.
        backlog: bytes of frames that may wait in this process for a slow reader, 64 MiB; it may be
            set before `run`.
    """

    link: int
    backlog: int = 64 << 20

    def __init__(self, interface: str, first: int) -> None:
        self.interface = interface
        self.number = first
        self._first = first
        self._goal: int | None = None
        self._marks: deque[int] = deque()
        self._over = False  # nothing more is read
        self._idle = trio.CancelScope()
        self._queue = Backlog(0)

    async def run(
        self,
        channel: trio.MemorySendChannel[list[Frame]],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Deliver batches of frames, in order, until `stop` and then the rest.

        When the channel's reader is slow, up to ``backlog`` bytes wait in this process; then the
        kernel's buffer takes what it can hold, and what it cannot is dropped and counted.

        Args:
            channel: takes the batches; an empty one answers `mark`. It is closed at the end, which
                answers what has not been answered.
            task_status: told as soon as it runs.

        Raises:
            TrioechoError: the interface went down. What was captured before has been delivered.
        """
        self._queue = backlog = Backlog(self.backlog)
        failure: TrioechoError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(backlog.deliver, channel)
            task_status.started()
            while self._goal is None or self.number - self._first < self._goal:
                # From here to the wait nothing else runs, so that no mark and no stop is missed.
                while self._marks and self.number - self._first >= self._marks[0]:
                    self._marks.popleft()
                    backlog.add([])
                if self._take(backlog):
                    await backlog.room()
                    continue
                try:
                    with trio.CancelScope() as self._idle:
                        await self._wait()
                except TrioechoError as error:
                    failure = error
                    self.stop()
            self._over = True
            for _ in self._marks:
                backlog.add([])
            backlog.end()
        if failure is not None:
            raise failure

    @property
    def behind(self) -> int:
        """Bytes of frames that wait in this process for the reader."""
        return self._queue.waiting

    def _take(self, backlog: Backlog) -> bool:
        """Read what is there to be read, though not without end, and say whether there was any."""
        for count in range(AT_ONCE):
            batch = self._read()
            if not batch:
                return count > 0
            backlog.add(batch)
            if backlog.full or self._goal is not None:
                break
        return True

    def mark(self) -> None:
        """Ask for an empty batch behind all frames that have been captured until now.

        When it comes out of the channel, no frame that was captured before this call can come any
        more: that is known from the kernel's own count, not from a clock. (scapy tells none outside
        Linux; there the batch is behind the frames that have been read.)

        A mark that is asked for when the last frame has been delivered has no batch any more: the
        end of the channel stands for it.
        """
        if self._over:
            self._queue.add([])
        else:
            self._marks.append(self._taken())
            self._idle.cancel()

    def stop(self) -> None:
        """Let `run` deliver the frames that have been captured until now, and then return."""
        self._goal = self._taken()
        self._idle.cancel()

    @abstractmethod
    def dropped(self) -> int:
        """Frames so far that the kernel dropped because they were not read in time."""

    @abstractmethod
    def close(self) -> None:
        """Stop capturing and give everything back. Call it when `run` has ended."""

    @abstractmethod
    def _taken(self) -> int:
        """Frames so far that were, or still are, there to be read."""

    @abstractmethod
    def _read(self) -> list[Frame]:
        """The next batch, and ``[]`` when there is none yet."""

    @abstractmethod
    async def _wait(self) -> None:
        """Return when there may be a batch to read; raise what went wrong, once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
