"""Runs other people's programs by ``trioecho run``."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import join
from textwrap import dedent
from typing import IO, Any, NamedTuple

import warm
from needs import need_wires
from programs import PATIENCE, TRIOECHO, limited

PYTHON = sys.executable
ECHO = dedent("""
    import os, socket, sys, threading
    listener = socket.create_server((sys.argv[1], 7), backlog=50)
    os.write(1, b"ready\\n")  # at once: it may be stopped right behind it

    def serve(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    while True:
        threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
""")
LINES = dedent("""
    import socket, sys
    host, port = sys.argv[1], 7
    with socket.create_connection((host, port)) as connection:
        file = connection.makefile("rw")
        for line in sys.stdin:
            file.write(line)
            file.flush()
            print("got", file.readline(), end="", flush=True)
""")
LISTEN_SIX = ECHO.replace("backlog=50", "family=socket.AF_INET6").replace("sys.argv[1]", "'::'")


class Ran(NamedTuple):
    """How a run ended, and what it printed."""

    code: int
    out: str
    err: str

    def objects(self, kind: str) -> list[Any]:
        found = [json.loads(line) for line in self.out.splitlines()]
        return [one for one in found if one["type"] == kind]

    def wrote(self, end: str) -> list[str]:
        """The lines a program wrote."""
        return re.findall(rf"^ *-?\d+\.\d{{3}} {end} \| (.*)$", self.err, re.MULTILINE)


def python(source: str, *arguments: str) -> list[str]:
    return [PYTHON, "-W", "ignore", "-c", source, *arguments]


def command(server: Sequence[str], client: Sequence[str], *options: str) -> list[str]:
    return [*TRIOECHO, "run", "--server", join(server), "--client", join(client), *options]


def run(
    server: Sequence[str],
    client: Sequence[str],
    *options: str,
    stdin: str | bytes = b"",
    before: Sequence[str] = (),
) -> Ran:
    """Runs two programs; the ladder is JSON unless an option says otherwise.

    ``before``: the words of a command that runs this one.
    """
    need_wires()
    if "--format" not in options:
        options = (*options, "--format", "json")
    data = stdin.encode() if isinstance(stdin, str) else stdin
    words = command(server, client, *options)
    if before:
        done = subprocess.run([*before, *words], input=data, capture_output=True, timeout=PATIENCE)
    else:
        done = warm.run(*words[len(TRIOECHO) :], stdin=data)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def alive(mark: str) -> list[int]:
    """The processes whose command line contains a mark."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in line:
            found.append(int(pid))
    return found


class Terminal:
    """A terminal with a command in its foreground."""

    def __init__(self, words: Sequence[str]) -> None:
        pid, self.fd = pty.fork()
        if not pid:
            os.execvp(words[0], list(words))
        self.pid = pid
        self.seen = b""
        quiet = termios.tcgetattr(self.fd)
        quiet[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSANOW, quiet)

    def until(self, text: bytes) -> None:
        while text not in self.seen:
            assert select.select([self.fd], [], [], PATIENCE)[0], self.seen[-2000:]
            self.seen += os.read(self.fd, 65536)

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def end(self) -> int:
        try:
            while select.select([self.fd], [], [], PATIENCE)[0]:
                self.seen += os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has it open any more
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def started(
    words: list[str], until: bytes, stdin: int = subprocess.DEVNULL
) -> Iterator[tuple[warm.Process, IO[bytes]]]:
    """Starts ``trioecho run`` and reads its standard error up to a line.

    Args:
        words: the command.
        until: the text that the line contains.
        stdin: as for ``Popen``.

    Yields:
        The process, and the rest of its standard error.
    """
    rest = words[len(TRIOECHO) :]
    with limited(warm.Process(*rest, stdin=stdin, stdout=subprocess.DEVNULL)) as process:
        assert process.stderr is not None
        line = b""
        while until not in line:
            line = process.stderr.readline()
            assert line
        yield process, process.stderr
