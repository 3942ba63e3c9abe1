"""The outputs of a ladder, each a task of its own, from their first line to their last."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import trio

from trioecho.model import Rung, Summary
from trioecho.render import Event, Renderer

Events: TypeAlias = Sequence[Event]
Sink: TypeAlias = Callable[[bytes], None]

#: Seconds after the first segment in which the number of connections may tell how to show them.
HOLD = 0.5
# After a signal, a stalled output gets this many times the grace; then it is abandoned.
_LAST_WORDS = 4


class Output:
    """A renderer in a task of its own, so that a slow screen does not hold up a file.

    It ends when its channel closes, not by cancellation, so its output is complete.

    Args:
        renderer: the format.
        sink: writes all bytes it is given. It may block, so it is called in a thread.
        abandon: whether a blocked sink may be abandoned on cancellation, such as a terminal that
            nobody reads; a file is always written to its end.
        decide: makes a renderer show what it has held back, `HOLD` seconds after the first segment;
            None where it holds back nothing.
    """

    def __init__(
        self,
        renderer: Renderer,
        sink: Sink,
        *,
        abandon: bool = False,
        decide: Callable[[], bytes] | None = None,
    ) -> None:
        self.renderer = renderer
        self._decide = decide
        self._sink = sink
        self.abandon = abandon
        self._send, self._receive = trio.open_memory_channel[Events](16)
        self._behind = 0  # batches that were put and are not written
        self._level = trio.Event()

    async def put(self, events: Events) -> None:
        """Queue events, and wait while the renderer is behind."""
        self._behind += 1
        try:
            await self._send.send(events)
        except trio.BrokenResourceError:
            return

    def finish(self) -> None:
        """Close the channel: there are no more events."""
        self._send.close()

    async def caught_up(self) -> None:
        """Wait until everything that was put is written, and nothing held back."""
        while self._behind:
            await self._level.wait()

    async def run(self) -> None:
        """Show events until they end."""
        try:
            async with self._receive:
                if self._decide is not None:
                    await self._show_first(self._decide)
                async for events in self._receive:
                    await self.write(partial(self.renderer.show, events))
                    self._written(1)
        finally:
            self._written(self._behind)

    def _written(self, batches: int) -> None:
        self._behind -= batches
        if not self._behind:
            self._level.set()
            self._level = trio.Event()

    async def _show_first(self, decide: Callable[[], bytes]) -> None:
        """Show what comes until the renderer must decide how to show it."""
        deadline, held = math.inf, 0
        while True:
            with trio.move_on_at(deadline) as patience:
                try:
                    events = await self._receive.receive()
                except trio.EndOfChannel:
                    break
            if patience.cancelled_caught:
                break
            await self.write(partial(self.renderer.show, events))
            if deadline == math.inf and any(isinstance(event, Rung) for event in events):
                deadline = trio.current_time() + HOLD
            if deadline == math.inf:
                self._written(1)
            else:
                held += 1
        if held:
            await self.write(decide)
            self._written(held)

    async def write(self, render: Callable[[], bytes]) -> None:
        """Render and write in a thread: neither a file nor a terminal signals when it is ready."""

        def work() -> None:
            if data := render():
                self._sink(data)

        await trio.to_thread.run_sync(work, abandon_on_cancel=self.abandon)


class Kept:
    """A renderer that writes nothing and keeps all events.

    Attributes:
        events: all events, in order.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs among them."""
        return tuple(event for event in self.events if isinstance(event, Rung))

    def begin(self) -> bytes:
        """Nothing."""
        return b""

    def show(self, events: Sequence[Event]) -> bytes:
        """Nothing; the events are kept."""
        self.events += events
        return b""

    def end(self, summary: Summary) -> bytes:
        """Nothing."""
        return b""


#: Given a title and the names of the interfaces, opens the outputs.
OpenOutputs: TypeAlias = Callable[[str, Sequence[str]], Sequence[Output]]


async def show(
    outputs: Sequence[Output],
    engine: Callable[[], Awaitable[None]],
    summarize: Callable[[], Summary],
    *,
    grace: float,
    stop: trio.Event,
) -> Summary:
    """Show what an engine sends to the outputs, from their first line to their last.

    Outputs end when their channels close, not by cancellation. Only after the user has asked to
    stop is a screen that nobody reads abandoned, after a while.
    """
    with trio.CancelScope() as patience:
        async with trio.open_nursery() as watching:
            watching.start_soon(_hurry, stop, patience, _LAST_WORDS * grace)
            async with trio.open_nursery() as renderers:
                for output in outputs:
                    await output.write(output.renderer.begin)
                    renderers.start_soon(output.run)
                await engine()
                for output in outputs:
                    output.finish()
            watching.cancel_scope.cancel()
    summary = summarize()
    for output in outputs:
        if not (patience.cancelled_caught and output.abandon):
            await output.write(partial(output.renderer.end, summary))
    return summary


async def _hurry(stop: trio.Event, patience: trio.CancelScope, seconds: float) -> None:
    """After a stop, bound the time for a screen that nobody reads."""
    await stop.wait()
    patience.deadline = trio.current_time() + seconds
