"""A run on a stage: the outputs begin, something happens, it settles, and all of it is shown.

The path of an event: journal -> one channel for each output -> bytes. Channels close one after the
other, in the direction in which the events flow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import time_ns

import trio

from trioecho.errors import PeerResetError, TrioechoError
from trioecho.model import End, Stopped, Summary
from trioecho.stage.outputs import Output, show
from trioecho.stage.stage import RecordedStage
from trioecho.text import plural

# Seconds for the connections to end after a failure, or after Ctrl-C.
LITTLE = 0.5
NOTHING: Mapping[End, str] = {}


async def play(
    stage: RecordedStage,
    outputs: Sequence[Output],
    act: Callable[[], Awaitable[Sequence[TrioechoError]]],
    *,
    grace: float,
    stop: trio.Event,
    settled: Callable[[], None] = lambda: None,
    stops: Mapping[End, str] = NOTHING,
) -> Summary:
    """Run ``act`` on a stage, and show what happens.

    ``stops``: which ends of our own the user stops, and why, in words.

    Raises:
        TrioechoError: the first failure, unless the user stopped the run; the outputs are complete
            all the same.
    """
    failures: list[TrioechoError] = []

    async def engine() -> None:
        async with trio.open_nursery() as telling:
            telling.start_soon(_relay, stage, outputs)
            async with trio.open_nursery() as nursery:
                await nursery.start(stage.run)
                async with trio.open_nursery() as acting:
                    acting.start_soon(_tell_stop, stage, stop, stops)
                    failures.extend(await act())
                    acting.cancel_scope.cancel()
                if failures:  # no more than what is under way, and the answer to it
                    await _wait(stage.landed, grace, stop)
                await _wait(stage.over, min(LITTLE, grace) if failures else grace, stop)
                settled()
                stage.close()
            stage.journal.finish()

    summary = await show(outputs, engine, stage.summary, grace=grace, stop=stop)
    if failures and not stop.is_set():
        raise _caused(failures[0], summary)
    return summary


def _caused(failure: TrioechoError, summary: Summary) -> TrioechoError:
    """A failure, unless the wire has caused it: its program blames the other end."""
    cut = [one.number for one in summary.connections if one.reset_by == "wire"]
    if not isinstance(failure, PeerResetError) or not cut:
        return failure
    which = f"Connection {cut[0]}" if len(summary.connections) > 1 else "The connection"
    return TrioechoError(f"{which} was ended by a reset that the wire forged")


@asynccontextmanager
async def cancelled_by(stop: trio.Event) -> AsyncIterator[trio.CancelScope]:
    """Cancel the block when an event is set."""
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            await stop.wait()
            nursery.cancel_scope.cancel()

        nursery.start_soon(wait)
        yield nursery.cancel_scope
        nursery.cancel_scope.cancel()


def check_whole(summary: Summary) -> None:
    """Check that the capture has every frame.

    Raises:
        TrioechoError: the kernel dropped some.
    """
    if summary.capture.dropped:
        raise TrioechoError(
            f"The kernel dropped {plural(summary.capture.dropped, 'frame')}: the ladder has holes",
            "Send less at once: fewer --connections, or a smaller --size",
        )


def check_matched(summary: Summary) -> None:
    """Check that each fault has done something.

    Raises:
        TrioechoError: one has not.
    """
    if summary.unmatched:
        raise TrioechoError("; ".join(summary.unmatched), "Leave out --strict to accept that")


async def _tell_stop(stage: RecordedStage, stop: trio.Event, stops: Mapping[End, str]) -> None:
    """Note that the user stops what is under way, before any end closes because of it."""
    await stop.wait()
    for end, why in stops.items():
        stage.journal.stopped(Stopped(time_ns(), end, "", why))


async def _relay(stage: RecordedStage, outputs: Sequence[Output]) -> None:
    """Send events to the outputs in order until the journal has ended."""
    journal = stage.journal
    while True:
        if events := journal.ready():
            for output in outputs:
                await output.put(events)
        elif journal.finished:
            return
        else:
            news = journal.news()
            if journal.unsettled:
                await stage.ask()
            await news.wait()


async def _wait(for_it: Callable[[], Awaitable[None]], seconds: float, stop: trio.Event) -> None:
    """Wait for something, but only briefly once the user asked to stop."""
    with trio.move_on_after(seconds) as patience:
        async with trio.open_nursery() as waiting:

            async def shorten() -> None:
                await stop.wait()
                patience.deadline = min(patience.deadline, trio.current_time() + LITTLE)

            waiting.start_soon(shorten)
            await for_it()
            waiting.cancel_scope.cancel()
