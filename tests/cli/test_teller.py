"""The teller against a standard output that a test opens and shuts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from trioecho.cli import teller as module
from trioecho.cli.output import WHOLE, OutputClosed
from trioecho.cli.teller import LIMIT, Teller, open_teller


class Output:
    """Stands for standard output: it takes nothing while it is shut."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.open = threading.Event()
        self.closed = False
        self.begun = threading.Event()

    @property
    def lines(self) -> list[str]:
        return b"".join(self.pieces).decode().splitlines()

    def write(self, data: bytes) -> None:
        self.begun.set()
        self.open.wait()
        if self.closed:
            raise OutputClosed
        self.pieces.append(data)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Iterator[Output]:
    output = Output()
    monkeypatch.setattr(module, "write_bytes", output.write)
    yield output
    output.open.set()  # lets threads that were left behind end


async def shut(teller: Teller, output: Output) -> None:
    """Let a first line get stuck."""
    teller.say("first")
    await trio.to_thread.run_sync(output.begun.wait)


async def test_lines_in_their_order(output: Output) -> None:
    output.open.set()
    async with open_teller(json=False) as teller:
        for number in range(1000):
            teller.say(f"line {number}")
            await trio.lowlevel.checkpoint()
    assert output.lines == [f"line {number}" for number in range(1000)]
    assert all(len(piece) <= WHOLE for piece in output.pieces)
    assert all(piece.endswith(b"\n") for piece in output.pieces)


async def test_a_line_is_written_before_the_next_is_told(output: Output) -> None:
    output.open.set()
    async with open_teller(json=False) as teller:
        for number in range(3):
            output.begun.clear()
            teller.say(f"line {number}")
            await trio.to_thread.run_sync(output.begun.wait)


@pytest.mark.parametrize(
    ("json", "says"),
    [
        (False, "10 calls not shown: nobody reads as fast"),
        (True, '{"type":"missing","calls":10}'),
    ],
)
async def test_what_there_is_no_room_for_is_counted_in_its_place(
    output: Output, json: bool, says: str
) -> None:
    large = "x" * LIMIT
    async with open_teller(json=json) as teller:
        await shut(teller, output)
        teller.say_call(large)
        for number in range(10):
            teller.say_call(f"call {number}")
        teller.say("said")
        teller.say_call("call 10")
        output.open.set()
        await teller.room()
        teller.say_call("call 11")
    lines = output.lines
    assert lines[:4] == ["first", large, says, "said"]
    assert lines[4:] == [says.replace("10 calls", "1 call").replace(":10", ":1"), "call 11"]


async def test_room_is_waited_for(output: Output) -> None:
    async with open_teller(json=False) as teller:
        await shut(teller, output)
        await teller.room()
        teller.say_call("x" * LIMIT)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(teller.room)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        output.open.set()
        await teller.room()


async def test_the_end_waits_for_a_reader(output: Output) -> None:
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            async with open_teller(json=False) as teller:
                await shut(teller, output)
                teller.say("last")

        nursery.start_soon(work)
        await trio.to_thread.run_sync(output.begun.wait)
        await trio.testing.wait_all_tasks_blocked()
        output.open.set()
    assert output.lines == ["first", "last"]


async def test_the_end_can_be_cancelled(output: Output) -> None:
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            async with open_teller(json=False) as teller:
                await shut(teller, output)

        nursery.start_soon(work)
        await trio.to_thread.run_sync(output.begun.wait)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert output.lines == []


async def test_patience_at_the_end(output: Output) -> None:
    async with open_teller(json=False, patience=0.01) as teller:
        await shut(teller, output)
    assert output.lines == []


async def test_a_cancellation_leaves_a_moment(output: Output) -> None:
    with trio.CancelScope() as scope:
        async with open_teller(json=False) as teller:
            await shut(teller, output)
            scope.cancel()
            teller.say("last")
            output.open.set()
            await trio.sleep_forever()
    assert output.lines == ["first", "last"]


async def test_a_cancellation_leaves_no_more_than_a_moment(output: Output) -> None:
    with trio.fail_after(30), trio.CancelScope() as scope:
        async with open_teller(json=False) as teller:
            await shut(teller, output)
            scope.cancel()
            await trio.sleep_forever()
    assert output.lines == []


async def test_a_reader_that_has_gone_ends_the_block(output: Output) -> None:
    output.closed = True
    output.open.set()
    with pytest.RaisesGroup(OutputClosed):
        async with open_teller(json=False) as teller:
            teller.say("first")
            await trio.sleep_forever()
