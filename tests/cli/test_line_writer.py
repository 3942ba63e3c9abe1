"""The line writer against a standard output that a test opens and shuts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from trioecho.cli import line_writer as module
from trioecho.cli.line_writer import LIMIT, LineWriter, open_line_writer
from trioecho.cli.stdout import PIPE_BUF, OutputClosed


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


async def shut(writer: LineWriter, output: Output) -> None:
    """Let a first line get stuck."""
    writer.write("first")
    await trio.to_thread.run_sync(output.begun.wait)


async def test_lines_in_their_order(output: Output) -> None:
    output.open.set()
    async with open_line_writer(json=False) as writer:
        for number in range(1000):
            writer.write(f"line {number}")
            await trio.lowlevel.checkpoint()
    assert output.lines == [f"line {number}" for number in range(1000)]
    assert all(len(piece) <= PIPE_BUF for piece in output.pieces)
    assert all(piece.endswith(b"\n") for piece in output.pieces)


async def test_a_line_is_written_before_the_next_is_told(output: Output) -> None:
    output.open.set()
    async with open_line_writer(json=False) as writer:
        for number in range(3):
            output.begun.clear()
            writer.write(f"line {number}")
            await trio.to_thread.run_sync(output.begun.wait)


@pytest.mark.parametrize(
    ("json", "says"),
    [
        (False, "10 calls not shown: standard output is too slow"),
        (True, '{"type":"missing","calls":10}'),
    ],
)
async def test_what_there_is_no_room_for_is_counted_in_its_place(
    output: Output, json: bool, says: str
) -> None:
    large = "x" * LIMIT
    async with open_line_writer(json=json) as writer:
        await shut(writer, output)
        writer.write_call(large)
        for number in range(10):
            writer.write_call(f"call {number}")
        writer.write("said")
        writer.write_call("call 10")
        output.open.set()
        await writer.room()
        writer.write_call("call 11")
    lines = output.lines
    assert lines[:4] == ["first", large, says, "said"]
    assert lines[4:] == [says.replace("10 calls", "1 call").replace(":10", ":1"), "call 11"]


async def test_room_is_waited_for(output: Output) -> None:
    async with open_line_writer(json=False) as writer:
        await shut(writer, output)
        await writer.room()
        writer.write_call("x" * LIMIT)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(writer.room)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        output.open.set()
        await writer.room()


async def test_the_end_waits_for_a_reader(output: Output) -> None:
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            async with open_line_writer(json=False) as writer:
                await shut(writer, output)
                writer.write("last")

        nursery.start_soon(work)
        await trio.to_thread.run_sync(output.begun.wait)
        await trio.testing.wait_all_tasks_blocked()
        output.open.set()
    assert output.lines == ["first", "last"]


async def test_the_end_can_be_cancelled(output: Output) -> None:
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            async with open_line_writer(json=False) as writer:
                await shut(writer, output)

        nursery.start_soon(work)
        await trio.to_thread.run_sync(output.begun.wait)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert output.lines == []


async def test_patience_at_the_end(output: Output) -> None:
    async with open_line_writer(json=False, patience=0.01) as writer:
        await shut(writer, output)
    assert output.lines == []


async def test_a_cancellation_leaves_a_moment(output: Output) -> None:
    with trio.CancelScope() as scope:
        async with open_line_writer(json=False) as writer:
            await shut(writer, output)
            scope.cancel()
            writer.write("last")
            output.open.set()
            await trio.sleep_forever()
    assert output.lines == ["first", "last"]


async def test_a_cancellation_leaves_no_more_than_a_moment(output: Output) -> None:
    with trio.fail_after(30), trio.CancelScope() as scope:
        async with open_line_writer(json=False) as writer:
            await shut(writer, output)
            scope.cancel()
            await trio.sleep_forever()
    assert output.lines == []


async def test_a_reader_that_has_gone_ends_the_block(output: Output) -> None:
    output.closed = True
    output.open.set()
    with pytest.RaisesGroup(OutputClosed):
        async with open_line_writer(json=False) as writer:
            writer.write("first")
            await trio.sleep_forever()
