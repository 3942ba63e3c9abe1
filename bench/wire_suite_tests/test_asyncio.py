"""Tests of pytest-asyncio."""

from __future__ import annotations

import asyncio

import pytest
from talk import PORT

from trioecho.testing import Wire

pytestmark = pytest.mark.asyncio


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve(wire: Wire) -> asyncio.Server:
    with wire.server.inside():
        return await asyncio.start_server(answer, wire.server.address, PORT)


async def ask(wire: Wire, data: bytes) -> bytes:
    with wire.client.inside():
        reader, writer = await asyncio.open_connection(wire.server.address, PORT)
    writer.write(data)
    writer.write_eof()
    got = await reader.read()
    writer.close()
    await writer.wait_closed()
    return got


@pytest.mark.parametrize("fault", ["delay 5ms", "drop server data", "reorder client data 2 3"])
async def test_an_echo(wire: Wire, fault: str) -> None:
    wire.strict()
    wire.fault(fault)
    async with await serve(wire):
        assert await ask(wire, bytes(20_000)) == bytes(20_000)
        await asyncio.to_thread(wire.settle, 60)
    assert wire.connection().closed_by == "fin"


async def test_several_at_once(wire: Wire) -> None:
    async with await serve(wire):
        await asyncio.gather(*(ask(wire, b"x" * number) for number in range(10)))
        await asyncio.to_thread(wire.settle, 60)
    assert len(wire.connections) == 10
    assert sum(one.server_bytes for one in wire.connections) == 45


async def test_a_client_that_gives_up(wire: Wire) -> None:
    wire.strict()
    wire.fault("cut")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(wire, b"hello"), 0.1)
    assert not wire.connection().handshake_complete
