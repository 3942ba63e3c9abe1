# covers: echo/worker, echo/report

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from loopback import HOST, dial, receive_exactly
from programs import PATIENCE, serving

from trioecho.echo import workers
from trioecho.echo.report import ServerReport
from trioecho.echo.workers import supervise
from trioecho.errors import TrioechoError, sole
from trioecho.sockets.address import Address
from trioecho.sockets.listening import open_listener

if sys.platform != "linux":
    pytest.skip("only Linux shares connections out", allow_module_level=True)


def children(of: int | str = "self") -> set[int]:
    """The processes that one has started, and that have not ended."""
    return {
        int(pid)
        for task in Path(f"/proc/{of}/task").iterdir()
        for pid in (task / "children").read_text().split()
    }


class Team:
    """Two workers."""

    def __init__(self, port: int) -> None:
        self.address = Address(HOST, port)
        self.stop = trio.Event()
        self.ended = trio.Event()
        self.report = ServerReport()
        self.replaced: list[tuple[int, int]] = []
        self.pids: set[int] = set()
        self.changed = trio.Event()

    def replacing(self, number: int, code: int) -> None:
        self.replaced.append((number, code))
        self.changed.set()

    async def echo(self) -> None:
        """Has some bytes echoed."""
        async with await dial(self.address) as client:
            await client.send_all(b"testing purposes")
            assert await receive_exactly(client, 16) == b"testing purposes"
            await client.send_eof()
            assert await client.receive_some() == b""


@asynccontextmanager
async def team(**options: float) -> AsyncIterator[Team]:
    """Runs two workers during a block."""
    first = await open_listener(socket.AF_INET, (HOST, 0), shared=True)
    assert first.local is not None
    second = await open_listener(socket.AF_INET, (HOST, first.local.port), shared=True)
    running, before = Team(first.local.port), children()

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await supervise(
            [[first], [second]],
            recv_size=4096,
            grace=options.get("grace", 5),
            stop=running.stop,
            report=running.report,
            replacing=running.replacing,
            task_status=task_status,
        )
        running.ended.set()

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            running.pids = children() - before
            assert len(running.pids) == 2
            yield running
            nursery.cancel_scope.cancel()
    assert not children() & running.pids


async def test_each_connection_is_echoed_and_counted() -> None:
    async with team() as running:
        for _ in range(8):
            await running.echo()
        running.stop.set()
        await running.ended.wait()
        assert running.report == ServerReport(8, 128, 128, finished=8)


async def test_an_open_connection_may_finish_and_no_other_begins() -> None:
    async with team() as running:
        async with await dial(running.address) as client:
            await client.send_all(b"a")
            await receive_exactly(client, 1)
            running.stop.set()
            with suppress(OSError):
                while True:  # each worker closes its own
                    await (await dial(running.address)).aclose()
            await client.send_all(b"b")
            assert await receive_exactly(client, 1) == b"b"
        await running.ended.wait()


async def test_after_the_grace_the_rest_is_cut_off() -> None:
    async with team(grace=0) as running, await dial(running.address) as client:
        await client.send_all(b"a")
        await receive_exactly(client, 1)
        running.stop.set()
        await running.ended.wait()
        assert (running.report.finished, running.report.cut) == (0, 1)


async def test_one_that_dies_is_replaced_and_loses_nobody_who_waits() -> None:
    async with team() as running:
        for pid in running.pids:  # now nobody accepts
            os.kill(pid, signal.SIGSTOP)
        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(running.echo)
            await trio.sleep(0.05)
            for pid in running.pids:
                os.kill(pid, signal.SIGKILL)
        assert sorted(running.replaced) == [(1, -signal.SIGKILL), (2, -signal.SIGKILL)]
        running.stop.set()
        await running.ended.wait()
        assert running.report.finished == 8


async def test_none_takes_a_place_when_it_was_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BREATH", 3 * PATIENCE)
    async with team() as running:
        os.kill(min(running.pids), signal.SIGKILL)
        await running.changed.wait()
        monkeypatch.delattr(trio.lowlevel, "open_process")
        running.stop.set()
        await running.ended.wait()


async def test_what_was_done_is_counted_also_when_it_is_cancelled() -> None:
    async with team() as running:
        await running.echo()
        client = await dial(running.address)
        await client.send_all(b"a")
        await receive_exactly(client, 1)
    assert running.report == ServerReport(2, 17, 17, finished=1, cut=1)
    await client.aclose()


async def test_one_that_cannot_begin_is_an_error() -> None:
    listener = await open_listener(socket.AF_INET, (HOST, 0), shared=True)
    with trio.fail_after(PATIENCE), pytest.raises(BaseExceptionGroup) as caught:
        await supervise(
            [[listener]],
            recv_size=-1,
            grace=0,
            stop=trio.Event(),
            report=ServerReport(),
            replacing=lambda number, code: None,
        )
    error = sole(caught.value)
    assert isinstance(error, TrioechoError)
    assert str(error) == "A worker ended before it could serve: exit code 1"


def test_the_command_tells_and_its_workers_do_not_outlive_it() -> None:
    with serving("--workers", "2") as server:
        with server.dial() as client:
            client.sendall(b"a")
            assert client.recv(1) == b"a"
        code, lines = server.end()
        assert code == 128 + signal.SIGTERM
        assert lines[-1].startswith("1 connection: ")
    with serving("--workers", "2") as server, server.dial() as client:
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        server.process.kill()
        with pytest.raises(ConnectionResetError):  # its worker ends, and cuts it off
            client.recv(1)


def test_a_worker_that_lacks_descriptors_says_so() -> None:
    with serving("--workers", "2") as server:
        with server.dial() as client:  # by its echo the workers are there
            client.sendall(b"a")
            client.recv(1)
        for pid in children(server.process.pid):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (20, 20))
        clients = [server.dial() for _ in range(60)]
        line = server.until("cannot accept")
        assert line.endswith(" cannot accept for now: Too many open files; it tries again")
        for client in clients:
            client.close()
