"""Backlog: the frames that a capture has read and its reader has not."""

from __future__ import annotations

from collections import deque

import trio

from trioecho.model import Frame


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
        """Whether more than the limit is waiting."""
        return self._size > self._limit

    @property
    def waiting(self) -> int:
        """Bytes of frames that have not been delivered."""
        return self._size

    def add(self, batch: list[Frame]) -> None:
        """Add a batch at once, whatever is waiting already.

        Args:
            batch: frames, in order.
        """
        self._batches.append(batch)
        self._size += size_of(batch)
        self._changed.unpark_all()

    async def room(self) -> None:
        """Wait until no more than the limit is waiting."""
        await trio.lowlevel.checkpoint()
        while self._size > self._limit:
            await self._changed.park()

    def end(self) -> None:
        """Say that there will be no more batches."""
        self._ended = True
        self._changed.unpark_all()

    async def deliver(self, channel: trio.MemorySendChannel[list[Frame]]) -> None:
        """Send every batch in turn, until the end, and close the channel.

        Args:
            channel: takes the batches.
        """
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
    """How large a batch is.

    Args:
        batch: the frames.

    Returns:
        The bytes of their data.
    """
    return sum(len(frame.data) for frame in batch)
