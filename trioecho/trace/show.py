"""The outputs from their first line to their last, around the engine that feeds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from trioecho.model import Summary
from trioecho.output import Output

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


async def _hurry(stop: trio.Event, patience: trio.CancelScope, seconds: float) -> None:
    """Once told to stop, do not wait for ever for a screen that nobody reads."""
    await stop.wait()
    patience.deadline = trio.current_time() + seconds
