"""A client and a server of a few lines, for the tests beside this file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from trioecho.testing import Wire

PORT = 7000


def _echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


@contextmanager
def echo_server(wire: Wire, family: int = socket.AF_INET) -> Iterator[None]:
    """A server that sends one client back what it sends, until the client closes."""
    thread = threading.Thread(target=_echo, args=[wire.server.listen(PORT, family=family)])
    thread.start()
    yield
    thread.join()


def ask(address: str, data: bytes = b"hello") -> bytes:
    """Send something, and return what comes back until the server closes."""
    with socket.create_connection((address, PORT)) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))
