"""Our server with other people's clients, and our client with their servers."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from needs import need_tool
from programs import PATIENCE, serving, trioecho

MESSAGES = [b"testing purposes", b"", os.urandom(1 << 20)]
# ncat --exec writes to its child without reading from it meanwhile, and so stands still for ever
# now and then once two pipes of 64 KiB are full, whatever the client. (And it cuts the echo off
# when it sees a FIN: a client that half-closes before it has its echo never gets all of a large
# one.)
FOR_NCAT = [b"testing purposes", b"", os.urandom(50_000)]


@contextmanager
def program(command: list[str], port: int) -> Iterator[None]:
    """A server that is not ours, once it accepts connections."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < deadline
                    assert process.poll() is None
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # it has children for its connections


def free_port() -> int:
    """A port below those that the kernel gives to clients, so that none of them takes it."""
    while True:
        port = random.randrange(15_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


@pytest.mark.parametrize("message", FOR_NCAT, ids=len)
def test_to_ncat(message: bytes) -> None:
    ncat, port = need_tool("ncat"), free_port()
    with program([ncat, "-l", "-k", "127.0.0.1", str(port), "--exec", "/bin/cat"], port):
        done = trioecho("send", "--to", str(port), stdin=message)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_to_socat(message: bytes) -> None:
    socat, port = need_tool("socat"), free_port()
    listen = f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"
    with program([socat, listen, "EXEC:cat"], port):
        done = trioecho("send", "--to", str(port), stdin=message)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_from_ncat(message: bytes) -> None:
    ncat = need_tool("ncat")
    with serving("-q") as server:
        done = subprocess.run(
            [ncat, "127.0.0.1", server.port], input=message, capture_output=True, check=True
        )
        assert done.stdout == message
        assert "1 closed by the client" in server.end()[1][-1]


@pytest.mark.parametrize("message", MESSAGES, ids=len)
def test_from_socat(message: bytes) -> None:
    socat = need_tool("socat")
    with serving("-q") as server:
        done = subprocess.run(
            [socat, "-t", str(PATIENCE), "-", f"TCP:127.0.0.1:{server.port}"],
            input=message,
            capture_output=True,
            check=True,
        )
        assert done.stdout == message
        assert "1 closed by the client" in server.end()[1][-1]
