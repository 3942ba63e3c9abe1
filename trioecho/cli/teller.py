"""Telling as it happens, without waiting for whoever reads standard output."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import trio

from trioecho.cli.output import WHOLE, encoded, write_bytes
from trioecho.text import plural

Line: TypeAlias = str | dict[str, object]  # text without its end, or what stands there as JSON

LIMIT = 1 << 20  # bytes
MOMENT = 0.5  # seconds
GATHER = 0.02  # seconds; no eye sees them, and a thread's turn disturbs what is measured


class Teller:
    """Lines for standard output, written one after the other by a task of their own.

    Standard output may be a pipe that nobody empties, or a terminal that Ctrl-S has stopped, and
    then a write to it blocks. In the loop that would be every connection's pause, and a signal's
    too. So a thread writes, since no system tells of every kind of output whether it would block,
    and what it has not written yet waits here. A queue that is full takes no more calls, and a line
    says how many are missing.

    Args:
        json: whether the line about what is missing is JSON.
        limit: how many bytes may wait.
    """

    def __init__(self, json: bool, limit: int = LIMIT) -> None:
        self._json = json
        self._limit = limit
        self._lines: list[bytes] = []
        self._size = 0  # of the lines, and of those that are being written
        self._missing = 0
        self._ended = trio.Event()
        self._changed = trio.lowlevel.ParkingLot()
        self._writing = trio.CancelScope(shield=True)

    def say(self, line: Line) -> None:
        """Tell a line, which waits here however much does already.

        Args:
            line: the line.
        """
        self._note_missing()
        self._put(line)

    def say_call(self, line: Line) -> None:
        """Tell a line that stands for one call, or leave it out when there is no room.

        Args:
            line: the line.
        """
        if self._size >= self._limit:
            self._missing += 1
        else:
            self.say(line)

    async def room(self) -> None:
        """Wait until there is room for a while; whoever may wait leaves nothing out."""
        while self._size >= self._limit // 2:  # the calls until the next wait need the other half
            await self._changed.park()

    def _note_missing(self) -> None:
        if self._missing:
            missing, self._missing = self._missing, 0
            if self._json:
                self._put({"type": "missing", "calls": missing})
            else:
                self._put(f"{plural(missing, 'call')} not shown: nobody reads as fast")

    def _put(self, line: Line) -> None:
        if not isinstance(line, str):
            import msgspec

            line = msgspec.json.encode(line).decode()
        data = encoded(line)
        self._lines.append(data)
        self._size += len(data)
        self._changed.unpark_all()

    def _end(self, patience: float) -> None:
        """There are no more lines; those that wait have ``patience`` seconds to be written.

        After a cancellation the shield holds for a moment. Otherwise it goes, so that a signal ends
        the waiting for a reader.
        """
        self._note_missing()
        self._ended.set()
        self._changed.unpark_all()
        cancelled = trio.current_effective_deadline() == -math.inf
        self._writing.shield = cancelled
        self._writing.deadline = trio.current_time() + (MOMENT if cancelled else patience)

    async def _write(self) -> None:
        with self._writing:
            while self._lines or not self._ended.is_set():
                if not self._lines:
                    await self._changed.park()
                    continue
                lines, self._lines = self._lines, []
                # A thread that is left behind keeps nothing: it dies with the process.
                await trio.to_thread.run_sync(_write_lines, lines, abandon_on_cancel=True)
                self._size -= sum(map(len, lines))
                self._note_missing()
                self._changed.unpark_all()
                with trio.move_on_after(GATHER):
                    await self._ended.wait()


@asynccontextmanager
async def open_teller(*, json: bool, patience: float = math.inf) -> AsyncIterator[Teller]:
    """Make a teller, and at the end of the block write what it still has.

    Args:
        json: whether the line about what is missing is JSON.
        patience: seconds to wait at the end for whoever reads. When the block is cancelled it is
            a moment.

    Returns:
        A context manager that gives a `Teller`.

    Raises:
        OutputClosed: the reader has gone away. The block is cancelled.
        TrioechoError: it cannot be written. The block is cancelled.
    """
    teller = Teller(json)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(teller._write)
        try:
            yield teller
        finally:
            teller._end(patience)


def _write_lines(lines: list[bytes]) -> None:
    for data in _packed(lines):
        write_bytes(data)


def _packed(lines: list[bytes]) -> Iterator[bytes]:
    """The lines in few pieces, small enough for a pipe to take each whole, if a line is."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > WHOLE:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
