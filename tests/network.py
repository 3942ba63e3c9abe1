"""A private network in which whole programs run as root, without root outside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from needs import missing, need_namespaces, need_tool
from programs import PATIENCE


class Network:
    """A network namespace with its loopback up, in its own user namespace.

    Programs are root in it: they may capture, and make interfaces.

    Attributes:
        pid: a process in both.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._enter = [
            *(need_tool("nsenter"), "-t", str(pid), "-U", "-n", "--preserve-credentials", "--"),
        ]

    def command(self, *words: str) -> list[str]:
        """The command line that runs a command there."""
        return [*self._enter, *words]

    def python(self, source: str, *arguments: str) -> str:
        """Runs a Python script there; returns its output."""
        done = subprocess.run(
            self.command(sys.executable, "-I", "-c", source, *arguments),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    @contextmanager
    def talking(self, source: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Runs a Python script there during a block, with pipes to talk to it."""
        with subprocess.Popen(
            self.command(sys.executable, "-I", "-u", "-c", source, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def ip(self, words: str) -> None:
        """Runs ip(8) there; skips where it is refused."""
        done = subprocess.run(
            self.command(need_tool("ip"), *words.split()),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            missing(f"ip {words} is refused here: {done.stderr.strip()}")


@contextmanager
def private_network() -> Iterator[Network]:
    """A network for the length of a block; skips where none can be made."""
    need_namespaces()
    holder = [need_tool("unshare"), "-Urn", "sh", "-c"]
    script = 'ip link set lo up && echo ready && exec "$0"'
    need_tool("ip")
    with subprocess.Popen(
        [*holder, script, need_tool("cat")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Network(process.pid)
        process.kill()


#: A plain server and a plain client, one after the other in one program: 5 bytes and back.
ECHO = """
import socket, sys
host = sys.argv[1] if sys.argv[1:] else "127.0.0.1"
family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.create_server((host, 7000), family=family) as server:
    client = socket.create_connection((host, 7000))
    end, _ = server.accept()
    client.sendall(b"hello")
    assert end.recv(9) == b"hello"
    end.sendall(b"hello")
    assert client.recv(9) == b"hello"
    client.shutdown(socket.SHUT_WR)
    assert end.recv(9) == b""
    end.close()
    assert client.recv(9) == b""
    client.close()
"""
