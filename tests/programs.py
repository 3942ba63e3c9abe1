"""The command line as a user has it: whole processes, their output and their exit codes."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TRIOECHO = [sys.executable, "-m", "trioecho"]
PATIENCE = 60  # seconds until a test that hangs fails


def trioecho(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [*TRIOECHO, *arguments], input=stdin, capture_output=True, timeout=PATIENCE, check=False
    )


class Server:
    """``trioecho serve`` in a process of its own, on a free port."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.output = process.stdout
        self.opening: list[str] = []
        self.first = self.output.readline()
        while "listening on" not in self.first and '"type":"listening"' not in self.first:
            self.opening.append(self.first)
            self.first = self.output.readline()
            assert self.first, "".join(self.opening)
        match = re.search(r":(\d+)\b(?!.*:\d)", self.first)
        assert match, self.first
        self.port = match[1]

    def line(self) -> str:
        """The next line it prints."""
        return self.output.readline().rstrip("\n")

    def dial(self) -> socket.socket:
        """A plain client."""
        return socket.create_connection(("127.0.0.1", int(self.port)), timeout=PATIENCE)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[str]]:
        """Send a signal and wait; the exit code and the lines not read so far."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, rest.splitlines()


@contextmanager
def limited(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block, nor a test's patience."""
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    with process:
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


@contextmanager
def serving(*options: str, address: str = "127.0.0.1:0") -> Iterator[Server]:
    """A server for the length of a block."""
    command = [*TRIOECHO, "serve", address, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Pipe:
    """A named pipe that is read only when the test says so.

    Args:
        path: where to make it.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command whose standard output it is."""
        output = os.open(self.path, os.O_WRONLY)
        try:
            return subprocess.Popen([*TRIOECHO, *arguments], stdout=output, stderr=subprocess.PIPE)
        finally:
            os.close(output)

    def fill(self) -> bytes:
        """Write until nothing more fits; what that was."""
        written = b""
        with suppress(BlockingIOError):
            while True:
                written += b"#" * os.write(self._end, b"#" * 4096)
        return written

    def read(self) -> bytes:
        """All that is in it now."""
        data = b""
        with suppress(BlockingIOError):
            while True:
                data += os.read(self._end, 65536)
        return data

    def until(self, text: bytes) -> bytes:
        """Read up to ``text``, as much as comes with it included."""
        data = self.read()
        while text not in data:
            assert select.select([self._end], [], [], PATIENCE)[0], data[-1000:]
            data += self.read()
        return data

    def close(self) -> None:
        """Let go of it."""
        os.close(self._end)


@contextmanager
def pipe_at(path: Path) -> Iterator[Pipe]:
    """A pipe for the length of a block."""
    pipe = Pipe(path)
    try:
        yield pipe
    finally:
        pipe.close()
