"""The command line as a user has it: whole processes, their output and their exit codes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
