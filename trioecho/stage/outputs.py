"""One destination of a ladder: a renderer, and the stream its bytes go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import trio

from trioecho.render import Event, Renderer

Events: TypeAlias = Sequence[Event]
Sink: TypeAlias = Callable[[bytes], None]


class Output:
    """A renderer in a task of its own, so that a slow screen does not hold up a file.

    It ends because its channel has ended, not because it was cancelled: what it wrote is complete.

    Args:
        renderer: the format.
        sink: takes the bytes, all of them at once. It may block, so it is called in a thread.
        abandon: whether a sink that blocks may be left behind when the task is cancelled, as a
            terminal that nobody reads; a file is always written to its end.
    """

    def __init__(self, renderer: Renderer, sink: Sink, *, abandon: bool = False) -> None:
        self.renderer = renderer
        self._sink = sink
        self.abandon = abandon
        self._send, self._receive = trio.open_memory_channel[Events](16)

    async def put(self, events: Events) -> None:
        """Queue events, and wait while the renderer is behind.

        Args:
            events: events in their order; once the renderer has failed they go nowhere, since its
                own error is on its way.
        """
        try:
            await self._send.send(events)
        except trio.BrokenResourceError:
            return

    def finish(self) -> None:
        """There are no more events."""
        self._send.close()

    async def run(self) -> None:
        """Show events until they end."""
        async with self._receive:
            async for events in self._receive:
                await self.write(partial(self.renderer.show, events))

    async def write(self, render: Callable[[], bytes]) -> None:
        """Render and write in a thread: neither a file nor a terminal tells when it is ready.

        Args:
            render: makes the bytes; it is pure.
        """

        def work() -> None:
            if data := render():
                self._sink(data)

        await trio.to_thread.run_sync(work, abandon_on_cancel=self.abandon)
