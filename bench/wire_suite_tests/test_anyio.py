"""Tests of anyio, each with both of its backends."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import SocketStream
from talk import PORT

from trioecho.testing import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])]


async def echo(stream: SocketStream) -> None:
    async with stream:
        async for data in stream:
            await stream.send(data)


async def test_an_echo(wire: Wire) -> None:
    wire.fault("delay 2ms", "drop client data 2")
    with wire.server.inside():
        listener = await anyio.create_tcp_listener(local_host=wire.server.address, local_port=PORT)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, echo)
        with wire.client.inside():
            client = await anyio.connect_tcp(wire.server.address, PORT)
        async with client:
            await client.send(bytes(4_000))
            await client.send_eof()
            assert sum([len(data) async for data in client]) == 4_000
        await anyio.to_thread.run_sync(wire.settle, 60)
        group.cancel_scope.cancel()
    assert wire.connection().closed_by == "fin"


async def test_a_client_that_gives_up(wire: Wire) -> None:
    wire.strict()
    wire.fault("cut")
    with anyio.move_on_after(0.1) as scope, wire.client.inside():
        await anyio.connect_tcp(wire.server.address, PORT)
    assert scope.cancelled_caught
    assert not wire.connection().handshake_complete
