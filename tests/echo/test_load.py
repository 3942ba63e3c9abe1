from __future__ import annotations

import math
import resource
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial

import pytest
import trio
from loopback import HOST, running_server

from trioecho.echo.dial import open_connection
from trioecho.echo.load import SELECTABLE, Load
from trioecho.echo.window import EchoDiffers
from trioecho.errors import TrioechoError
from trioecho.sockets.address import Address

if sys.platform != "linux":
    pytest.skip("only Linux can measure a load", allow_module_level=True)

MESSAGE = bytes(range(64))
Echo = Callable[[trio.SocketStream], Awaitable[None]]


@asynccontextmanager
async def loaded(
    address: Address, *, connections: int = 4, message: bytes = MESSAGE, rate: float = math.inf
) -> AsyncIterator[Load]:
    """A load on its connections."""
    opened = [await open_connection(address, nagle=False) for _ in range(connections)]
    try:
        yield Load(opened, message, rate)
    finally:
        for one in opened:
            one.close()


@asynccontextmanager
async def other_server(echo: Echo) -> AsyncIterator[Address]:
    """A server of trio's own that serves each connection with a function."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, echo, 0, host=HOST))
        yield Address(HOST, listener.socket.getsockname()[1])
        nursery.cancel_scope.cancel()


async def test_each_message_is_echoed_and_timed() -> None:
    async with running_server(batched=True) as server:
        async with loaded(server.address) as load:
            await load.run(0.1)
        server.stop.set()
        await server.ended.wait()
    assert load.times.count >= 4
    assert 0 < load.times.least <= load.times.most
    assert load.bytes == load.times.count * 64
    # Each connection's last message may not have come back in time.
    assert 0 <= server.report.received - load.bytes <= 4 * 64


async def test_a_message_beyond_every_buffer() -> None:
    message = MESSAGE * 2**17
    async with (
        running_server(batched=True) as server,
        loaded(server.address, connections=2, message=message) as load,
    ):
        with trio.fail_after(60):
            while not load.times.count:
                load = Load(load.connections, message)
                await load.run(1)
    assert load.bytes == load.times.count * len(message)


async def test_a_rate_is_kept() -> None:
    async with running_server(batched=True) as server, loaded(server.address, rate=200) as load:
        await load.run(0.5)
    assert 0 < load.times.count <= 100


async def test_a_server_that_stops_is_late_for_all_who_would_have_come() -> None:
    stop = 0.3

    async def echo(stream: trio.SocketStream) -> None:
        first = True
        async for data in stream:
            if first:
                await trio.sleep(stop)
                first = False
            await stream.send_all(data)

    async with other_server(echo) as address, loaded(address, connections=1, rate=1000) as load:
        await load.run(0.4)
    assert load.times.most >= stop * 1e9
    assert load.times.at(50) >= 0.05e9  # most of the messages were due while it slept


async def test_a_server_that_stops_for_good() -> None:
    async def echo(stream: trio.SocketStream) -> None:
        await stream.send_all(await stream.receive_some())
        await trio.sleep_forever()

    async with other_server(echo) as address:
        async with loaded(address, connections=2, rate=1000) as load:
            await load.run(0.3)
        assert load.times.count == 2
        assert load.missed >= 298
        async with loaded(address, connections=2) as load:
            await load.run(0.1)
        assert load.missed == 0


async def test_an_echo_that_differs() -> None:
    async def echo(stream: trio.SocketStream) -> None:
        async for data in stream:
            await stream.send_all(bytes([data[0], data[1] ^ 1]) + data[2:])

    async with other_server(echo) as address, loaded(address) as load:
        with pytest.raises(EchoDiffers, match=r"at offset 1: sent 0x01 .*, received 0x00"):
            await load.run(10)


@pytest.mark.parametrize("extra", [b"!", MESSAGE])
async def test_more_than_was_sent(extra: bytes) -> None:
    async def echo(stream: trio.SocketStream) -> None:
        async for data in stream:
            await stream.send_all(data + extra)

    async with other_server(echo) as address, loaded(address, connections=1, rate=1) as load:
        with pytest.raises(EchoDiffers, match="The server sent back more than it received"):
            await load.run(10)


async def test_connections_that_break_are_counted() -> None:
    async def echo(stream: trio.SocketStream) -> None:
        async for data in stream:
            await stream.send_all(data)
            return

    async with other_server(echo) as address, loaded(address) as load:
        with pytest.raises(TrioechoError, match="Each connection broke: 4 round trips were comp"):
            await load.run(10)
    assert load.broken == 4


async def test_all_that_was_complete_is_told_when_each_breaks() -> None:
    with socket.create_server((HOST, 0)) as server:

        def echo() -> None:  # in a thread, so that no other task has to run
            sock, _ = server.accept()
            with sock:
                for _ in range(3):
                    sock.sendall(sock.recv(64))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, echo)
            async with loaded(Address(HOST, server.getsockname()[1]), connections=1) as load:
                with pytest.raises(TrioechoError, match="Each connection broke: 3 round trips"):
                    await load.run(10)


async def test_a_rate_with_more_descriptors_than_select_takes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(SELECTABLE):
            stack.enter_context(socket.socket())
        async with running_server(batched=True) as server, loaded(server.address, rate=200) as load:
            await load.run(0.2)
    assert 0 < load.times.count <= 40
