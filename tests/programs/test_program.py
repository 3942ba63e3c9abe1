"""A program on a host, from its start to its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import pytest
import trio

from trioecho.errors import TrioechoError
from trioecho.hosts.host import open_host
from trioecho.programs.lines import ProgramLine
from trioecho.programs.pipe import Pipe
from trioecho.programs.program import open_program

pytestmark = pytest.mark.usefixtures("namespaces")


class Told:
    """What was told, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.news = trio.Event()

    async def __call__(self, lines: Sequence[ProgramLine]) -> None:
        self.lines += [line.text for line in lines]
        self.news.set()
        await trio.lowlevel.checkpoint()


async def test_all_that_it_wrote_is_told_before_the_block_is_left() -> None:
    told = Told()
    source = "import sys; print('x' * 99 + '\\n' * 5000, end=''); print('last', end='')"
    async with (
        open_host() as host,
        open_program(host, "server", [sys.executable, "-c", source], told) as program,
    ):
        await program.ended.wait()
    assert len(told.lines) == 5001
    assert told.lines[-1] == "last"
    assert (program.code, program.how) == (0, "exit code 0")
    assert program.told.is_set()


async def test_it_is_killed_when_the_block_is_left() -> None:
    told = Told()
    async with (
        open_host() as host,
        open_program(host, "server", ["sh", "-c", "echo up; sleep 1000"], told) as program,
    ):
        await told.news.wait()
    assert (program.code, program.how) == (137, "SIGKILL")


@pytest.mark.parametrize(("command", "signals"), [("sleep 1000", [signal.SIGINT]), ("true", [])])
async def test_what_is_stopped_is_told_just_before(
    command: str, signals: list[signal.Signals]
) -> None:
    """Of the first signal, and not of a program that has ended by itself."""
    told: list[signal.Signals] = []
    async with (
        open_host() as host,
        open_program(host, "server", command.split(), Told()) as program,
    ):
        if not signals:
            await program.ended.wait()
        assert not await program.finish(signal.SIGINT, signal.SIGTERM, told=told.append)
    assert told == signals


@pytest.mark.parametrize("moment", range(0, 30, 3))
async def test_cancelled_at_any_moment(moment: int) -> None:
    before = set(os.listdir("/proc/self/fd"))
    async with trio.open_nursery() as nursery:

        async def cancel() -> None:
            for _ in range(moment):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

        nursery.start_soon(cancel)
        async with open_host() as host, open_program(host, "server", ["sleep", "1000"], Told()):
            await trio.sleep_forever()
    assert set(os.listdir("/proc/self/fd")) == before


async def test_an_error_inside_comes_out_as_it_is() -> None:
    async with open_host() as host:
        with pytest.raises(ZeroDivisionError):
            async with open_program(host, "server", ["sleep", "1000"], Told()):
                raise ZeroDivisionError
        with pytest.raises(TrioechoError, match="no program 'no-such-thing'"):
            async with open_program(host, "server", ["no-such-thing"], Told()):
                raise AssertionError


async def test_a_pipe_ends_with_its_program_and_not_with_who_holds_it() -> None:
    ended = trio.Event()
    with Pipe() as pipe:
        os.write(pipe.writer, b"some")
        assert await pipe.read(ended) == b"some"
        assert await pipe.read(ended, 0) is None
        os.write(pipe.writer, b"more")
        ended.set()
        assert await pipe.read(ended) == b"more"
        assert await pipe.read(ended) == b""
