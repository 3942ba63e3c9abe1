from __future__ import annotations

import socket
import sys
from random import Random

import pytest
import trio
import trio.testing
from loopback import HOST, dial, receive_exactly, reset_on_close, running_server

from trioecho.echo.report import ServerReport
from trioecho.echo.server import BATCHED_RECV_SIZE
from trioecho.sockets.listening import open_listener

if sys.platform != "linux":
    pytest.skip("epoll is Linux's", allow_module_level=True)

import trio.lowlevel

from trioecho.echo.batches import Batches


@pytest.mark.parametrize("recv_size", [16, 4096, BATCHED_RECV_SIZE])
async def test_every_byte_comes_back_to_a_client_that_reads_late(recv_size: int) -> None:
    message = Random(1).randbytes(12 * 2**20 if recv_size > 16 else 2**16)
    async with running_server(batched=True, recv_size=recv_size) as server:
        async with await dial(server.address) as client, trio.open_nursery() as nursery:

            async def send() -> None:
                await client.send_all(message)
                await client.send_eof()

            nursery.start_soon(send)
            # The kernels' buffers fill, and the server has to wait for its client.
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert await receive_exactly(client, len(message)) == message
            assert await client.receive_some() == b""
        report = server.report
        assert (report.received, report.sent) == (len(message), len(message))
        assert (report.finished, report.open) == (1, 0)


async def test_what_a_client_does_not_read_is_not_received_either() -> None:
    async with running_server(batched=True, recv_size=4096) as server:
        client = await dial(server.address)
        with trio.move_on_after(0.2):
            while True:
                await client.send_all(bytes(65536))
        report = server.report
        assert report.received - report.sent <= 4096
        reset_on_close(client)
        await client.aclose()
        async with await dial(server.address) as other:  # by its echo the reset has been seen
            await other.send_all(b"y")
            await receive_exactly(other, 1)
        assert report.reset == 1


async def test_other_tasks_run_while_there_is_always_something_to_echo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches = 0

    def leave_it_there(self: Batches, events: object) -> None:
        nonlocal batches
        batches += 1
        assert batches < 1_000_000, "no other task was let run"

    monkeypatch.setattr(Batches, "_echo", leave_it_there)
    async with running_server(batched=True) as server, await dial(server.address) as client:
        await client.send_all(b"x")
        while not batches:
            await trio.lowlevel.checkpoint()
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        reset_on_close(client)


async def test_a_connection_accepted_when_it_was_cancelled_is_cut() -> None:
    report = ServerReport()
    told: list[str] = []
    batches = Batches(report, recv_size=4096, aborting=lambda: told.append("aborting"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(batches.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with await open_listener(socket.AF_INET, (HOST, 0)) as listener:
        assert listener.local is not None
        async with await trio.open_tcp_stream(HOST, listener.local.port) as client:
            batches.add(await listener.accept())
            with pytest.raises(trio.BrokenResourceError):
                await client.receive_some()
    assert (report.cut, told) == (1, ["aborting"])
