"""Each output is a task of its own, complete to its last line."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
import trio
import trio.testing
from frames import play
from ladders import OPEN

from trioecho.model import Call, CaptureSummary, Summary
from trioecho.render import Event
from trioecho.stage.outputs import Kept, Output, show

RUNGS = play(OPEN)
SUMMARY = Summary((), CaptureSummary("lo", 3, 0))


class Numbers:
    """Shows the numbers of rungs."""

    def begin(self) -> bytes:
        return b"["

    def show(self, events: Sequence[Event]) -> bytes:
        return b"".join(b"%d" % event.number for event in events if hasattr(event, "number"))

    def end(self, summary: Summary) -> bytes:
        return b"] %d" % summary.capture.frames


class Broken(Numbers):
    """Fails at the first event."""

    def show(self, events: Sequence[Event]) -> bytes:
        raise ZeroDivisionError


def engine(*outputs: Output, times: int = 1) -> Callable[[], Awaitable[None]]:
    async def put() -> None:
        for _ in range(times):
            for output in outputs:
                await output.put(RUNGS)

    return put


async def shown(*outputs: Output, times: int = 1, stop: trio.Event | None = None) -> Summary:
    run, stop = engine(*outputs, times=times), trio.Event() if stop is None else stop
    return await show(outputs, run, lambda: SUMMARY, grace=0.5, stop=stop)


async def test_each_output_has_all_of_it_in_order() -> None:
    one, other = bytearray(), bytearray()
    summary = await shown(Output(Numbers(), one.extend), Output(Numbers(), other.extend))
    assert summary is SUMMARY
    assert one == other == b"[123] 3"


async def test_nothing_is_written_where_there_are_no_bytes() -> None:
    written: list[bytes] = []
    kept = Kept()
    await shown(Output(kept, written.append), times=2)
    assert written == []
    assert kept.events == [*RUNGS, *RUNGS]
    assert kept.rungs == (*RUNGS, *RUNGS)


async def test_a_renderer_that_fails_ends_it_with_its_own_error() -> None:
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        await shown(Output(Broken(), bytearray().extend), times=100)


async def test_a_slow_output_slows_down_the_engine_and_loses_nothing() -> None:
    """Sixteen batches wait in its channel, and one is being written."""
    gate, data, put = threading.Event(), bytearray(), 0

    def sink(part: bytes) -> None:
        if data:
            gate.wait()
        data.extend(part)

    output = Output(Numbers(), sink)

    async def feed() -> None:
        nonlocal put
        while put < 40:
            put += 1
            await output.put(RUNGS)

    async def run() -> None:
        await show([output], feed, lambda: SUMMARY, grace=0.5, stop=trio.Event())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        while put < 18:
            await trio.testing.wait_all_tasks_blocked()
        assert data == b"["
        gate.set()
    assert put == 40
    assert data == b"[" + b"123" * 40 + b"] 3"


@pytest.mark.parametrize(("abandon", "left"), [(True, b"["), (False, b"[123] 3")])
async def test_after_a_signal_a_screen_that_nobody_reads_is_left(
    abandon: bool, left: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    """After four times the grace. A file is always written to its end."""
    stop, gate, data = trio.Event(), threading.Event(), bytearray()

    def sink(part: bytes) -> None:
        if data and not gate.is_set():
            trio.from_thread.run_sync(stop.set)
            trio.from_thread.run_sync(finish)
            gate.wait()
        if not (abandon and stop.is_set()):
            data.extend(part)

    def finish() -> None:
        if not abandon:
            gate.set()

    await shown(Output(Numbers(), sink, abandon=abandon), stop=stop)
    gate.set()
    assert data == left


class Holding(Numbers):
    """Holds back everything until it decides."""

    def __init__(self) -> None:
        self.held = b""

    def show(self, events: Sequence[Event]) -> bytes:
        self.held += super().show(events)
        return b""

    def decide(self) -> bytes:
        return b"decided: " + self.held


async def test_a_renderer_that_holds_back_decides_a_while_after_the_first_segment() -> None:
    """Before the first segment it may take as long as it likes."""
    written, renderer = bytearray(), Holding()
    told = trio.Event()

    def sink(data: bytes) -> None:
        written.extend(data)
        if b"decided" in data:
            trio.from_thread.run_sync(told.set)

    output = Output(renderer, sink, decide=renderer.decide)

    async def engine() -> None:
        await output.put([Call(1, "server", "listening", 3, "listen", "1")])
        await output.put(RUNGS)
        await told.wait()
        assert written == b"[decided: 123"

    with trio.fail_after(60):
        await show([output], engine, lambda: SUMMARY, grace=0.5, stop=trio.Event())
    assert written == b"[decided: 123] 3"


async def test_a_renderer_that_holds_back_decides_when_its_events_end_at_the_latest() -> None:
    written, renderer = bytearray(), Holding()
    await shown(Output(renderer, written.extend, decide=renderer.decide))
    assert written == b"[decided: 123] 3"


async def test_who_asks_is_told_when_all_is_written() -> None:
    written, renderer, behind = bytearray(), Holding(), []
    output = Output(renderer, written.extend, decide=renderer.decide)

    async def engine() -> None:
        await output.caught_up()  # nothing was put
        await output.put([Call(1, "server", "listening", 3, "listen", "1")])
        await output.caught_up()  # no segment yet, so nothing is held back
        await output.put(RUNGS)
        await output.caught_up()
        behind.append(bytes(written))

    with trio.fail_after(60):
        await show([output], engine, lambda: SUMMARY, grace=0.5, stop=trio.Event())
    assert behind == [b"[decided: 123"]
