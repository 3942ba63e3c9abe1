"""Several captures that run, and the one stream of frames they make."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import time_ns
from typing import TypeAlias

import trio

from trioecho.capture import Capture
from trioecho.errors import TrioechoError
from trioecho.model import Frame
from trioecho.watch.merge import Merge

#: What one capture delivered: frames, none in answer to a mark, or None at its end.
_Delivery: TypeAlias = tuple[int, list[Frame] | None]


class Confluence:
    """Runs captures until each has been stopped or has failed.

    Args:
        captures: the captures, in the order of their interfaces' numbers.
        fail: told which of them came to an end, and why, once its last frame has been shown; the
            others go on.
    """

    def __init__(
        self, captures: Sequence[Capture], fail: Callable[[int, TrioechoError], None]
    ) -> None:
        self._captures = captures
        self._fail = fail
        self._merge = Merge(len(captures))
        self._marks: list[deque[int]] = [deque() for _ in captures]
        self._failures: dict[int, TrioechoError] = {}

    def stop(self) -> None:
        """Let every capture deliver what it has, and `run` return."""
        for capture in self._captures:
            capture.stop()

    @property
    def behind(self) -> int:
        """Bytes of frames that wait in this process to be shown, or for others to come first."""
        return sum(capture.behind for capture in self._captures) + self._merge.waiting

    @property
    def dropped(self) -> int:
        """Frames that the kernel dropped."""
        return sum(capture.dropped() for capture in self._captures)

    async def run(self, show: Callable[[list[Frame]], Awaitable[None]]) -> None:
        """Deliver frames until the last capture has ended.

        Args:
            show: takes the frames, in order of time and numbered over all captures.
        """
        async with trio.open_nursery() as nursery:
            send, deliveries = trio.open_memory_channel[_Delivery](0)
            async with send:
                for number in range(len(self._captures)):
                    nursery.start_soon(self._tap, number, send.clone())
            async with deliveries:
                async for number, batch in deliveries:
                    if batch is None:
                        self._merge.end(number)
                    elif batch:
                        self._merge.take(batch)
                    else:
                        self._merge.settle(number, self._marks[number].popleft())
                    if frames := self._merge.release():
                        await show(frames)
                    self._tell()
                    self._ask()

    def _tell(self) -> None:
        """Tell of the captures that have failed, when nothing of theirs is left."""
        for number in filter(self._merge.over, list(self._failures)):
            self._fail(number, self._failures.pop(number))

    def _ask(self) -> None:
        """Have the captures for which frames wait say that they have nothing older.

        What is captured after a question comes after all frames that are here, whatever their
        times: the clock may have been set back since.
        """
        for number in self._merge.unsettled():
            if not self._marks[number]:
                self._marks[number].append(max(time_ns(), self._merge.newest))
                self._captures[number].mark()

    async def _tap(self, number: int, out: trio.MemorySendChannel[_Delivery]) -> None:
        """What one capture delivers."""
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
