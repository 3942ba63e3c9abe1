"""The outputs from their first line to their last, around the engine that feeds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING

import trio

from trioecho.model import Call, Rung, Summary
from trioecho.stage.outputs import Output

if TYPE_CHECKING:
    from trioecho.stage.chronicle import Chronicle

# After a signal, outputs that do not move get this many times the grace; then they are left.
_LAST_WORDS = 4


async def show(
    outputs: Sequence[Output],
    engine: Callable[[], Awaitable[None]],
    summarize: Callable[[], Summary],
    *,
    grace: float,
    stop: trio.Event,
) -> Summary:
    """Let an engine put events to outputs, and see them to their end.

    The outputs end because their channels have, not because they are cancelled. Only when the user
    has asked to stop, a screen that nobody reads is left after a while.

    Args:
        outputs: where the events go.
        engine: puts events to them until there are no more.
        summarize: says what it all came to, once the engine has returned.
        grace: seconds that an output may take for its last words after ``stop``.
        stop: is set when the user has had enough.

    Returns:
        The summary, which each output has shown as well.
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


async def relay(
    chronicle: Chronicle,
    outputs: Sequence[Output],
    *,
    lag: int = 0,
    order: Callable[[Iterable[Call | Rung]], list[Call | Rung]] = list,
    rest: Callable[[], Sequence[Call | Rung]] = tuple,
) -> None:
    """Put the events of a chronicle to outputs as they find their places, until there are no more.

    Args:
        chronicle: has the events.
        outputs: where they go.
        lag: nanoseconds by which events are held back, since older ones may still come.
        order: what becomes of those that come at the same time.
        rest: what is left of them at the end.
    """
    while True:
        until = time_ns() - lag if lag and not chronicle.finished else None
        events = chronicle.ready(until)
        if not events and not chronicle.finished:
            with trio.move_on_after(lag / 2e9 if lag else float("inf")):
                await chronicle.change()
            continue
        if ordered := order(events) if events else rest():
            for output in outputs:
                await output.put(ordered)
        if not events:
            return


async def _hurry(stop: trio.Event, patience: trio.CancelScope, seconds: float) -> None:
    """Once told to stop, do not wait for ever for a screen that nobody reads."""
    await stop.wait()
    patience.deadline = trio.current_time() + seconds
