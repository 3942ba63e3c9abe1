"""Lines for standard output, written in a task of their own: a slow reader holds up nobody."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import trio

from trioecho.cli.stdout import PIPE_BUF, encoded, write_bytes
from trioecho.text import plural

Line: TypeAlias = str | dict[str, object]  # text without its end, or an object for JSON

LIMIT = 1 << 20  # bytes
MOMENT = 0.5  # seconds
GATHER = 0.02  # seconds, too short to see; each thread disturbs what is measured


class LineWriter:
    """Queues lines for standard output; a task writes them in order.

    Standard output may be a pipe that nobody reads, or a terminal stopped by Ctrl-S, and then a
    write blocks. In the event loop that would stop every connection, and signals too. No system
    says for every kind of output whether a write would block, so a thread writes, and the other
    lines wait here. A full queue drops lines about calls, and a line says how many are missing.
    """

    def __init__(self, json: bool, limit: int = LIMIT) -> None:
        self._json = json
        self._limit = limit
        self._lines: list[bytes] = []
        self._size = 0  # of these lines, and of those being written
        self._missing = 0
        self._ended = trio.Event()
        self._changed = trio.lowlevel.ParkingLot()
        self._writing = trio.CancelScope(shield=True)

    def write(self, line: Line) -> None:
        """Queue a line, however many wait."""
        self._note_missing()
        self._put(line)

    def write_call(self, line: Line) -> None:
        """Queue a line about one call, or drop it if the queue is full."""
        if self._size >= self._limit:
            self._missing += 1
        else:
            self.write(line)

    async def room(self) -> None:
        """Wait until the queue is half empty, so that the next calls are not dropped."""
        while self._size >= self._limit // 2:
            await self._changed.park()

    def _note_missing(self) -> None:
        if self._missing:
            missing, self._missing = self._missing, 0
            if self._json:
                self._put({"type": "missing", "calls": missing})
            else:
                self._put(f"{plural(missing, 'call')} not shown: standard output is too slow")

    def _put(self, line: Line) -> None:
        if not isinstance(line, str):
            import msgspec

            line = msgspec.json.encode(line).decode()
        data = encoded(line)
        self._lines.append(data)
        self._size += len(data)
        self._changed.unpark_all()

    def _end(self, patience: float, failed: bool) -> None:
        """Give the lines that wait ``patience`` seconds to be written.

        After a failure or a cancellation the shield lasts for a moment. Otherwise it goes now, so
        that a signal stops the wait for a reader.
        """
        self._note_missing()
        self._ended.set()
        self._changed.unpark_all()
        cut = failed or trio.current_effective_deadline() == -math.inf
        self._writing.shield = cut
        self._writing.deadline = trio.current_time() + (MOMENT if cut else patience)

    async def run(self) -> None:
        """Write lines until the end."""
        with self._writing:
            while self._lines or not self._ended.is_set():
                if not self._lines:
                    await self._changed.park()
                    continue
                lines, self._lines = self._lines, []
                # An abandoned thread does no harm: it dies with the process.
                await trio.to_thread.run_sync(_write_lines, lines, abandon_on_cancel=True)
                self._size -= sum(map(len, lines))
                self._note_missing()
                self._changed.unpark_all()
                with trio.move_on_after(GATHER):
                    await self._ended.wait()


@asynccontextmanager
async def open_line_writer(*, json: bool, patience: float = math.inf) -> AsyncIterator[LineWriter]:
    """Open a line writer; at the end of the block it writes what still waits.

    Raises:
        OutputClosed: the reader has closed standard output. The block is cancelled.
        TrioechoError: a line cannot be written. The block is cancelled.
    """
    writer = LineWriter(json)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        failed = True
        try:
            yield writer
            failed = False
        finally:
            writer._end(patience, failed)


def _write_lines(lines: list[bytes]) -> None:
    for data in _packed(lines):
        write_bytes(data)


def _packed(lines: list[bytes]) -> Iterator[bytes]:
    """The lines in few pieces, each small enough for a pipe to take whole, unless a line is not."""
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > PIPE_BUF:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
