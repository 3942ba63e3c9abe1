"""Sockets, programs and settings of the wire's hosts, with calls that block."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from trioecho.errors import TrioechoError
from trioecho.testing import Wire

SERVER = """
import socket, sys
with socket.create_server(("", 7)) as listener:
    connection, _ = listener.accept()
    with connection:
        print(connection.recv(100).decode(), flush=True)
"""
TAKE = """
import os, sys
print(sys.stdin.read(), end="")
os.write(int(sys.argv[1]), os.environ["WORD"].encode())
sys.exit(3)
"""


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_sockets_are_ordinary_ones(wire: Wire, family: int) -> None:
    listener = wire.server.listen(family=family)
    address = listener.getsockname()[:2]
    client = wire.client.connect(address, timeout=30)
    assert (listener.gettimeout(), client.gettimeout()) == (None, 30)
    peer, name = listener.accept()
    with peer:
        client.sendall(b"hello")
        assert peer.recv(5) == b"hello"
    assert name[0] in (wire.client.address, wire.client.address6)


def test_a_refused_connection(wire: Wire) -> None:
    with pytest.raises(ConnectionRefusedError):
        wire.client.connect((wire.server.address, 7))
    wire.settle()
    assert wire.connection().resets == 1


def test_programs_at_both_ends(wire: Wire) -> None:
    command = [sys.executable, "-c", SERVER]
    server = wire.server.popen(command, stdout=subprocess.PIPE, text=True)
    assert wire.server.wait_listening() == wire.server.wait_listening(7) == 7
    send = "import socket; socket.create_connection(('10.0.0.2', 7)).sendall(b'hello')"
    done = wire.client.run([sys.executable, "-c", send], capture_output=True, check=True)
    assert (done.returncode, done.stdout) == (0, b"")
    assert server.communicate()[0] == "hello\n"
    wire.settle()
    assert wire.connection().client_bytes == 5


def test_programs_take_options(wire: Wire) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as end:
        done = wire.client.run(
            [sys.executable, "-c", TAKE, str(write)],
            input="hello",
            text=True,
            stdout=subprocess.PIPE,
            env={**os.environ, "WORD": "wire"},
            pass_fds=[write],
        )
        os.close(write)
        assert (done.returncode, done.stdout, end.read()) == (3, "hello", "wire")


def test_what_is_no_program(wire: Wire) -> None:
    with pytest.raises(TrioechoError, match="no program 'no-such-thing'"):
        wire.client.popen(["no-such-thing"])
    with pytest.raises(TrioechoError, match="list of words"):
        wire.client.run("true")
    with pytest.raises(TrioechoError, match="list of words"):
        wire.client.run(["true"], shell=True)


def test_nothing_listens(wire: Wire) -> None:
    with pytest.raises(AssertionError, match=r"Nothing listens on 10\.0\.0\.2 after 0 s"):
        wire.server.wait_listening(timeout=0)
    wire.server.listen(8)
    with pytest.raises(AssertionError, match=r"Nothing listens on 10\.0\.0\.2:7 after 0 s"):
        wire.server.wait_listening(7, timeout=0)


def test_settings(wire: Wire) -> None:
    name = "net.ipv4.tcp_syn_retries"
    before = wire.server.sysctl(name)
    assert wire.client.sysctl(name, 2) == "2"
    assert wire.server.sysctl(name) == before
    with pytest.raises(TrioechoError, match="tcp_nothing"):
        wire.client.sysctl("net.ipv4.tcp_nothing")
