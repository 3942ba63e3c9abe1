"""The command line as users run it: whole processes, their output and exit codes."""

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
from typing import TypeVar

import warm

TRIOECHO = [sys.executable, "-m", "trioecho"]
PATIENCE = 60  # seconds until a test that hangs fails


def trioecho(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Runs a command to its end."""
    return warm.run(*arguments, stdin=stdin)


def shown(
    *arguments: str, code: int = 0, columns: int = 80, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs a command on a terminal so wide to its end, with warnings as errors."""
    env = {**os.environ, "COLUMNS": str(columns)}
    done = warm.shown(*arguments, stdin=typed, env=env)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


class Server:
    """``trioecho serve`` in its own process, on a free port."""

    def __init__(self, process: warm.Process) -> None:
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
        """The next line of output."""
        return self.output.readline().rstrip("\n")

    def until(self, words: str) -> str:
        """The next line with these words."""
        while line := self.output.readline():
            if words in line:
                return line.rstrip("\n")
        raise AssertionError(f"it ended without {words!r}")

    def dial(self) -> socket.socket:
        """Connects a plain client."""
        return socket.create_connection(("127.0.0.1", int(self.port)), timeout=PATIENCE)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[str]]:
        """Sends a signal and waits; returns the exit code and the rest of the lines."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, rest.splitlines()


Started = TypeVar("Started", subprocess.Popen[bytes], warm.Process)


@contextmanager
def limited(process: Started) -> Iterator[Started]:
    """Kills a process after the block, or once patience runs out."""
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
    """Runs a server during a block."""
    with warm.Process(
        "serve", address, *options, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Pipe:
    """A named pipe that is read only on request.

    Args:
        path: its path.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def start(self, *arguments: str) -> warm.Process:
        """Starts a command that writes to the pipe."""
        output = os.open(self.path, os.O_WRONLY)
        try:
            return warm.Process(*arguments, stdout=output)
        finally:
            os.close(output)

    def fill(self) -> bytes:
        """Fills the pipe; returns the bytes written."""
        written = b""
        with suppress(BlockingIOError):
            while True:
                written += b"#" * os.write(self._end, b"#" * 4096)
        return written

    def read(self) -> bytes:
        """Everything in the pipe now."""
        data = b""
        with suppress(BlockingIOError):
            while True:
                data += os.read(self._end, 65536)
        return data

    def until(self, text: bytes) -> bytes:
        """Reads until ``text`` has come, and whatever came with it."""
        data = self.read()
        while text not in data:
            assert select.select([self._end], [], [], PATIENCE)[0], data[-1000:]
            data += self.read()
        return data

    def close(self) -> None:
        """Closes the pipe."""
        os.close(self._end)


@contextmanager
def pipe_at(path: Path) -> Iterator[Pipe]:
    """A pipe during a block."""
    pipe = Pipe(path)
    try:
        yield pipe
    finally:
        pipe.close()
