"""The way up: frames and calls join to events, and the events fan out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from time import time_ns

import trio

from trioecho.capture import Capture
from trioecho.model import Call, Frame, Rung
from trioecho.stage.join import Join
from trioecho.stage.outputs import Output


class Ladder:
    """Puts the calls of both ends among the frames of the capture, in order of time.

    A call is known at once, a frame some milliseconds late. So for calls that no younger frame
    follows, the capture is asked for a mark behind everything that it has until now; when the mark
    comes out, all older frames have, and the calls can go.

    Args:
        capture: where the frames come from.
        outputs: where the events go; to be set before ``run``.
    """

    def __init__(self, capture: Capture) -> None:
        self.join = Join()
        self.outputs: Sequence[Output] = ()
        self._capture = capture
        self._marks: deque[tuple[int, trio.Event]] = deque()
        self._moved = trio.Event()

    def record(self, call: Call) -> None:
        """Take a socket call of either end; it waits until its place in the ladder is known."""
        self.join.call(call)
        if not self._marks:
            self._mark()

    async def run(self, frames: trio.MemoryReceiveChannel[list[Frame]]) -> None:
        """Climb until the frames end.

        Args:
            frames: the capture's batches; an empty one is a mark.
        """
        async with frames:
            async for batch in frames:
                if batch:
                    await self._put(self.join.batch(batch))
                else:
                    asked, reached = self._marks.popleft()
                    await self._put(self.join.settle(asked))
                    reached.set()
                    if self.join.waiting and not self._marks:
                        self._mark()
                self._moved.set()
        await self._put(self.join.settle(time_ns()))

    async def over(self) -> None:
        """Return when every connection that was called for has come to its end."""
        await self._mark().wait()
        while not self.join.over():
            self._moved = trio.Event()
            await self._moved.wait()

    def _mark(self) -> trio.Event:
        reached = trio.Event()
        self._marks.append((time_ns(), reached))
        self._capture.mark()
        return reached

    async def _put(self, events: Sequence[Rung | Call]) -> None:
        if events:
            for output in self.outputs:
                await output.put(events)
