"""Ends on the loopback: our server, and plain ones that behave badly."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import trio
from needs import missing

from trioecho.echo.report import ServerReport
from trioecho.echo.server import serve
from trioecho.sockets.address import Address
from trioecho.sockets.listening import ListeningSocket, open_listener

HOST = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)


class Running:
    """Our server, in the test's own process."""

    def __init__(self, listener: ListeningSocket) -> None:
        assert listener.local is not None
        self.address = Address(HOST, listener.local.port)
        self.report = ServerReport()
        self.stop = trio.Event()
        self.ended = trio.Event()


@asynccontextmanager
async def running_server(**options: Any) -> AsyncIterator[Running]:
    """Runs our server on a free port; cancels it after the block."""
    record = options.pop("record", None)
    listener = await open_listener(socket.AF_INET, (HOST, 0), record=record)
    running = Running(listener)

    async def work(*, task_status: trio.TaskStatus[None]) -> None:
        await serve(
            [listener],
            stop=running.stop,
            report=running.report,
            task_status=task_status,
            **options,
        )
        running.ended.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(work)
        yield running
        nursery.cancel_scope.cancel()


def need_ipv6() -> None:
    """Skips where there is no ::1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        missing(f"there is no IPv6 loopback: {error}")


async def dial(address: Address) -> trio.SocketStream:
    """Connects a plain client."""
    return await trio.open_tcp_stream(address.host, address.port)


def reset_on_close(stream: trio.SocketStream) -> None:
    """Makes the stream close with a reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def receive_exactly(stream: trio.SocketStream, count: int) -> bytes:
    """Receives ``count`` bytes, in any number of pieces."""
    data = b""
    while len(data) < count:
        piece = await stream.receive_some(count - len(data))
        assert piece, f"the end came after {data!r}"
        data += piece
    return data


Handler = Callable[[socket.socket], None]


def tutorial(connection: socket.socket) -> None:
    """The tutorials' echo server: it stops at an empty recv."""
    while data := connection.recv(1024):
        connection.sendall(data)


def at_the_end(connection: socket.socket) -> None:
    """Answers only after the end."""
    pieces = []
    while data := connection.recv(65536):
        pieces.append(data)
    connection.sendall(b"".join(pieces))


def silent(connection: socket.socket) -> None:
    """Never answers."""
    while connection.recv(65536):
        pass


def flipping(connection: socket.socket) -> None:
    """Swaps the case of each letter from the ninth byte on."""
    seen = 0
    while data := connection.recv(1024):
        connection.sendall(data[: max(8 - seen, 0)] + data[max(8 - seen, 0) :].swapcase())
        seen += len(data)


def talkative(connection: socket.socket) -> None:
    """Sends more than it received."""
    connection.sendall(connection.recv(1024) + b"!")
    while connection.recv(1024):
        pass


def resetting(connection: socket.socket) -> None:
    """Echoes four bytes, then resets."""
    connection.sendall(connection.recv(4))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def early(connection: socket.socket) -> None:
    """Echoes only the first four bytes, then closes."""
    connection.sendall(connection.recv(1024)[:4])


@contextmanager
def plain_server(handler: Handler, *, hold: bool = False) -> Iterator[int]:
    """A blocking server in its own thread, which serves one connection at a time.

    Args:
        handler: serves one connection.
        hold: whether to keep connections open until the block ends.

    Yields:
        Its port.
    """
    held: list[socket.socket] = []
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]

        def work() -> None:
            while True:
                connection, _ = listener.accept()
                if connection.recv(1, socket.MSG_PEEK) == b"\0":  # how the test ends it
                    connection.close()
                    return
                with suppress(OSError):
                    handler(connection)
                if hold:
                    held.append(connection)
                else:
                    connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield port
        finally:
            with socket.create_connection((HOST, port)) as end:
                end.sendall(b"\0")
                thread.join()
            for connection in held:
                connection.close()
