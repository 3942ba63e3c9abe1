"""Code in C, in this process."""

from __future__ import annotations

import asyncio
import threading

import psycopg
import pytest
import uvloop
from talk import PORT, echo_server

from trioecho.testing import Wire

OPTIONS = "port=7000 user=me sslmode=disable gssencmode=disable"


async def ask(address: str) -> bytes:
    reader, writer = await asyncio.open_connection(address, PORT)
    writer.write(b"hello")
    writer.write_eof()
    got = await reader.read()
    writer.close()
    await writer.wait_closed()
    return got


def test_uvloop(wire: Wire) -> None:
    with echo_server(wire):
        assert wire.client.call(lambda: uvloop.run(ask(wire.server.address))) == b"hello"
    wire.settle()
    assert wire.connection().closed_by == "fin"


@pytest.mark.parametrize("fault", ["delay 5ms", "drop client data"])
def test_libpq(wire: Wire, fault: str) -> None:
    listener = wire.server.listen(PORT)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")  # trusted; ready
            while connection.recv(1000):
                pass

    server = threading.Thread(target=serve)
    server.start()
    wire.strict()
    wire.fault(fault)
    wire.client.call(lambda: psycopg.connect(f"host={wire.server.address} {OPTIONS}").close())
    server.join()
    wire.settle()
    assert wire.connection().client_bytes > 5
