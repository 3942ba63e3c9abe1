"""Tests of pytest-trio."""

from __future__ import annotations

import pytest
import trio
from talk import PORT

from trioecho.testing import Wire

pytestmark = pytest.mark.trio


async def listen(wire: Wire) -> trio.SocketListener:
    with wire.server.inside():
        (listener,) = await trio.open_tcp_listeners(PORT, host=wire.server.address)
    return listener


async def connect(wire: Wire) -> trio.SocketStream:
    with wire.client.inside():
        return await trio.open_tcp_stream(wire.server.address, PORT)


async def echo(stream: trio.SocketStream) -> None:
    async for data in stream:
        await stream.send_all(data)


async def ask(wire: Wire, data: bytes) -> bytes:
    async with await connect(wire) as stream, trio.open_nursery() as nursery:

        async def send() -> None:
            await stream.send_all(data)
            await stream.send_eof()

        nursery.start_soon(send)
        return b"".join([got async for got in stream])


@pytest.mark.parametrize("fault", ["delay 5ms", "drop client data", "drop server data 2"])
async def test_an_echo(wire: Wire, fault: str) -> None:
    wire.fault(fault)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, echo, [await listen(wire)])
        assert await ask(wire, bytes(20_000)) == bytes(20_000)
        await trio.to_thread.run_sync(wire.settle, 60)
        nursery.cancel_scope.cancel()
    assert wire.connection().closed_by == "fin"
    assert wire.unmatched == ()


async def test_several_at_once(wire: Wire) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, echo, [await listen(wire)])
        async with trio.open_nursery() as clients:
            for number in range(10):
                clients.start_soon(ask, wire, b"x" * number)
        await trio.to_thread.run_sync(wire.settle, 60)
        nursery.cancel_scope.cancel()
    assert len(wire.connections) == 10
    assert sum(one.server_bytes for one in wire.connections) == 45


async def test_a_client_that_gives_up(wire: Wire) -> None:
    wire.strict()
    wire.fault("cut")
    with trio.move_on_after(0.1) as scope:
        await connect(wire)
    assert scope.cancelled_caught
    assert not wire.connection().handshake_complete
