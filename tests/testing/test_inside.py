"""Code that makes its own sockets, on a host of the wire."""

from __future__ import annotations

import asyncio
import http.server
import socket
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from socket import socket as imported_early

import trio

from trioecho.testing import Wire


def test_plain_sockets(wire: Wire) -> None:
    listener = wire.server.listen(7)
    with wire.client.inside(), socket.create_connection((wire.server.address, 7)) as client:
        assert type(client) is imported_early
        assert client.getsockname()[0] == wire.client.address
        assert client.getblocking()
        peer, _ = listener.accept()
        peer.close()
    wire.settle()
    assert wire.connection().handshake_complete


def test_a_class_that_was_imported_early(wire: Wire) -> None:
    wire.server.listen(7, family=socket.AF_INET6)
    with wire.client.inside():
        made = imported_early(socket.AF_INET6, socket.SOCK_STREAM)
    with made:
        made.connect((wire.server.address6, 7))
    assert wire.connection().client.ip == wire.client.address6


def test_defaults_and_flags_are_kept(wire: Wire) -> None:
    socket.setdefaulttimeout(7)
    try:
        with wire.client.inside(), socket.socket() as made, wire.client.socket() as asked:
            assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)
            assert made.gettimeout() == asked.gettimeout() == 7
    finally:
        socket.setdefaulttimeout(None)
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    with wire.client.inside(), socket.socket(socket.AF_INET, kind) as made:
        assert (made.type, made.gettimeout()) == (socket.SOCK_DGRAM, 0)
        assert not made.get_inheritable()


def test_other_sockets_stay_as_they_are(wire: Wire) -> None:
    before = socket.socket.__init__
    with wire.client.inside():
        ours, theirs = socket.socketpair()
        with ours, theirs, socket.socket(fileno=socket.socket(socket.AF_UNIX).detach()) as third:
            assert ours.family == third.family == socket.AF_UNIX
        with wire.server.inside():
            pass
        with socket.socket() as made:
            made.bind((wire.client.address, 0))
    assert socket.socket.__init__ is before


def test_two_hosts_in_two_threads(wire: Wire) -> None:
    meet = threading.Barrier(2)

    def address(host: str) -> str:
        with getattr(wire, host).inside():
            meet.wait(30)
            with socket.socket() as made:
                made.bind((getattr(wire, host).address, 0))
                meet.wait(30)
                return str(made.getsockname()[0])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(address, ("client", "server"))) == ["10.0.0.1", "10.0.0.2"]


def test_worker_threads_that_the_code_starts(wire: Wire) -> None:
    wire.server.listen(7)

    def use() -> str:
        with socket.create_connection((wire.server.address, 7)) as made:
            return str(made.getsockname()[0])

    with wire.client.inside(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(use).result() == wire.client.address


def test_http_of_the_standard_library(wire: Wire) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None: ...

    with wire.server.inside():
        server = http.server.HTTPServer((wire.server.address, 80), Answer)
    with server, ThreadPoolExecutor(1) as pool:
        handled = pool.submit(server.handle_request)
        with (
            wire.client.inside(),
            urllib.request.urlopen(f"http://{wire.server.address}/") as answer,
        ):
            assert answer.read() == b"hello"
        handled.result()
    wire.settle()
    assert wire.connection().closed_by == "fin"


def test_asyncio(wire: Wire) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        writer.close()
        await writer.wait_closed()

    async def main() -> bytes:
        with wire.server.inside():
            server = await asyncio.start_server(answer, wire.server.address, 7)
        async with server:
            with wire.client.inside():
                reader, writer = await asyncio.open_connection(wire.server.address, 7)
            writer.write(b"hello")
            got = await reader.read()
            writer.close()
            await writer.wait_closed()
        return got

    assert asyncio.run(main()) == b"hello"
    wire.settle()
    assert wire.connection().server_bytes == 5


async def test_trio_streams(wire: Wire) -> None:
    with wire.server.inside():
        (listener,) = await trio.open_tcp_listeners(0, host=wire.server.address)
    port = listener.socket.getsockname()[1]

    async def echo() -> None:
        async with listener, await listener.accept() as stream:
            async for data in stream:
                await stream.send_all(data)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        with wire.client.inside():
            stream = await trio.open_tcp_stream(wire.server.address, port)
        async with stream:
            await stream.send_all(b"x" * 100_000)
            await stream.send_eof()
            assert sum([len(data) async for data in stream]) == 100_000
    wire.settle()
    assert wire.connection().closed_by == "fin"
    assert wire.connection().client_bytes == wire.connection().server_bytes == 100_000


async def test_tasks_take_it_along(wire: Wire) -> None:
    """A task that was started in a block is in it, and one beside it is in its own."""
    found: dict[str, str] = {}

    async def bind(host: str, address: str, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.lowlevel.checkpoint()
        with socket.socket() as made:
            made.bind((address, 0))
            found[host] = made.getsockname()[0]

    async with trio.open_nursery() as nursery:
        with wire.client.inside():
            await nursery.start(bind, "client", wire.client.address)
            with wire.server.inside():
                await nursery.start(bind, "server", wire.server.address)
                await trio.testing.wait_all_tasks_blocked()
    assert found == {"client": wire.client.address, "server": wire.server.address}
