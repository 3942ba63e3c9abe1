"""One destination of a ladder: a renderer, and the stream its bytes go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, TypeAlias

import trio

from trioecho.render import Renderer, RungOrCall

Events: TypeAlias = Sequence[RungOrCall]
Sink: TypeAlias = Callable[[bytes], None]


class Output:
    """A renderer in a task of its own, so that a slow screen does not hold up a file.

    It ends because its channel has ended, never because it was cancelled: what it wrote is
    complete.

    Args:
        renderer: the format.
        sink: takes the bytes. It may block, so it is called in a thread.
    """

    def __init__(self, renderer: Renderer, sink: Sink) -> None:
        self.renderer = renderer
        self._sink = sink
        self._send, self._receive = trio.open_memory_channel[Events](16)

    async def put(self, events: Events) -> None:
        """Queue events; waits while the renderer is behind."""
        await self._send.send(events)

    def finish(self) -> None:
        """There are no more events."""
        self._send.close()

    async def run(self) -> None:
        """Write events until they end."""
        async with self._receive:
            async for events in self._receive:
                await self.write(self.renderer.show(events))

    async def write(self, data: bytes) -> None:
        """Write bytes, in a thread: a file or a terminal tells no readiness."""
        if data:
            await trio.to_thread.run_sync(self._sink, data)


def file_sink(file: IO[bytes]) -> Sink:
    """A sink that leaves nothing in a buffer, so that the file is readable at any time."""

    def write(data: bytes) -> None:
        file.write(data)
        file.flush()

    return write
