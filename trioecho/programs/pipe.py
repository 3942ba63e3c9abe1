"""A pipe from a program, read until the program ends, not until the pipe is closed."""

from __future__ import annotations

import os
from typing import Self

import trio

# Bytes to read at once: as many as a pipe holds.
_MOST = 1 << 16
# The most bytes to read once the program has ended: more than a pipe holds.
_LAST = 1 << 20


class Pipe:
    """A pipe whose writing end a program has.

    A background process of the program may hold the writing end for ever. So the pipe ends when the
    program has ended and nothing is left to read.

    Attributes:
        writer: the descriptor for the program.
    """

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._left = _LAST

    def close_writer(self) -> None:
        """Close our copy of the writing end, once the program has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_writer()
        os.close(self._reader)

    def read_now(self) -> bytes:
        """Read what there is now; ``b""`` for nothing."""
        try:
            return os.read(self._reader, _MOST)
        except BlockingIOError:
            return b""

    async def read(self, ended: trio.Event, patience: float = float("inf")) -> bytes | None:
        """Read what has arrived."""
        await trio.lowlevel.checkpoint()
        while True:
            # Checked before the pipe: whatever was written before the end can be read after it.
            over = ended.is_set()
            try:
                data = os.read(self._reader, _MOST)
            except BlockingIOError:
                if over:
                    return b""
            else:
                if over:
                    self._left -= len(data)
                return data if self._left > 0 else b""
            if not await self._more(ended, patience):
                return None

    async def _more(self, ended: trio.Event, patience: float) -> bool:
        """Wait for more, or for the end of the program; whether to read again."""
        with trio.move_on_after(patience):
            async with trio.open_nursery() as nursery:

                async def finish() -> None:
                    await ended.wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(finish)
                await trio.lowlevel.wait_readable(self._reader)
                nursery.cancel_scope.cancel()
            return True
        return False
