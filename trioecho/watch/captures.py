"""Several captures run as one, with one stream of frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import time_ns
from typing import TypeAlias

import trio

from trioecho.capture import Capture
from trioecho.errors import TrioechoError
from trioecho.model import Frame
from trioecho.stage.marks import Marks
from trioecho.watch.merge import Merge

#: A capture's frames, an empty list in answer to a mark, or None at its end.
_Delivery: TypeAlias = tuple[int, list[Frame] | None]


class Captures:
    """Runs captures until each has been stopped or has failed.

    Args:
        captures: the captures, in the order of their interfaces' numbers.
        fail: called with the number of a capture that has failed, and the error, once its last
            frame has been shown; the others continue.
    """

    def __init__(
        self, captures: Sequence[Capture], fail: Callable[[int, TrioechoError], None]
    ) -> None:
        self._captures = captures
        self._fail = fail
        self._merge = Merge(len(captures))
        self._marks = [Marks[int](capture) for capture in captures]
        self._failures: dict[int, TrioechoError] = {}

    def stop(self) -> None:
        """Stops the captures; `run` returns once their frames are shown."""
        for capture in self._captures:
            capture.stop()

    @property
    def behind(self) -> int:
        """Bytes of frames captured but not shown yet."""
        return sum(capture.behind for capture in self._captures) + self._merge.waiting

    @property
    def dropped(self) -> int:
        """Frames the kernel dropped."""
        return sum(capture.dropped() for capture in self._captures)

    async def run(self, show: Callable[[list[Frame]], Awaitable[None]]) -> None:
        """Shows frames until the last capture has ended."""
        async with trio.open_nursery() as nursery:
            send, deliveries = trio.open_memory_channel[_Delivery](0)
            async with send:
                for number in range(len(self._captures)):
                    nursery.start_soon(self._forward, number, send.clone())
            async with deliveries:
                async for number, batch in deliveries:
                    if batch is None:
                        self._merge.end(number)
                    elif batch:
                        self._merge.take(batch)
                    else:
                        self._merge.settle(number, self._marks[number].answered())
                    if frames := self._merge.release():
                        await show(frames)
                    self._report()
                    self._mark()

    def _report(self) -> None:
        """Reports the failed captures whose frames have all been shown."""
        for number in filter(self._merge.over, list(self._failures)):
            self._fail(number, self._failures.pop(number))

    def _mark(self) -> None:
        """Marks the captures that others wait for; each confirms that it has nothing older.

        A frame captured after its mark comes after all frames held now, whatever its time: the
        clock may have been set back.
        """
        for number in self._merge.unsettled():
            if not self._marks[number]:
                self._marks[number].ask(max(time_ns(), self._merge.newest))

    async def _forward(self, number: int, out: trio.MemorySendChannel[_Delivery]) -> None:
        """Passes on what one capture delivers."""
        send, batches = trio.open_memory_channel[list[Frame]](0)
        async with out:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._capture, number, send)
                async for batch in batches:
                    await out.send((number, batch))
            await out.send((number, None))

    async def _capture(self, number: int, send: trio.MemorySendChannel[list[Frame]]) -> None:
        try:
            await self._captures[number].run(send)
        except TrioechoError as error:
            self._failures[number] = error
