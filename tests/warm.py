"""Commands that start warm: each is forked from a process that has imported trioecho.

Importing trioecho takes longer than most commands do. A process forked from one that has done so is
as separate as one started anew: it has its own standard streams, directory and environment, and it
runs ``trioecho/__main__.py`` from its first line to Python's own end. Imports happen in one order
only, though, so each command has tests that start it cold, by ``python -m trioecho``.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from subprocess import DEVNULL, PIPE, STDOUT
from typing import IO, Any, BinaryIO

from trioecho.hosts.syscalls import setns

LARGEST = 1 << 20  # bytes of a request
PATIENCE = 120  # seconds until a command that hangs is killed
# Python reads these when it starts.
EARLY = ("PYTHON", "LANG", "LC_")


class Process:
    """``trioecho WORDS``, with warnings as errors; has what tests use of ``subprocess.Popen``.

    Args:
        words: the command line after ``trioecho``.
        stdin: a descriptor, PIPE or DEVNULL.
        stdout: the same.
        stderr: the same, or STDOUT.
        env: its environment; this process's own if None.
        encoding: of the text in its pipes; None for bytes.
        network: a process whose user and network namespace it enters, or 0.
    """

    def __init__(
        self,
        *words: str,
        stdin: int = DEVNULL,
        stdout: int = PIPE,
        stderr: int = PIPE,
        env: Mapping[str, str] | None = None,
        encoding: str | None = None,
        network: int = 0,
    ) -> None:
        env = {"PYTHONIOENCODING": "utf-8", **(os.environ if env is None else env)}
        requests, early = _forker()
        assert _early(env) == early, "Python reads these when it starts: start it cold"
        self.stdin, read_in = _stream(stdin, "w", encoding)
        self.stdout, write_out = _stream(stdout, "r", encoding)
        self.stderr, write_err = _stream(stderr, "r", encoding, write_out)
        self._end, write_end = os.pipe()
        theirs = [read_in, write_out, write_err, write_end]
        request = json.dumps([words, os.getcwd(), env, network]).encode()
        socket.send_fds(requests, [request], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        self.returncode: int | None = None
        self.pid = self._told()

    def _told(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._end, 1)
            assert byte, "the process that forks has ended"
            line += byte
        return int(line)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float = PATIENCE) -> int:
        """Waits for its end; returns the exit code."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"trioecho ({self.pid})", timeout)
            self.returncode = self._told()
            os.close(self._end)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and is not told of yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kills it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, data: Any = None, timeout: float = PATIENCE) -> tuple[Any, Any]:
        """Writes to its pipe, reads the others to their ends and waits; kills it in the end."""
        timer = threading.Timer(timeout, self.kill)
        timer.start()
        with ThreadPoolExecutor(3) as pool:
            if data is not None:
                pool.submit(self._write, data)
            out, err = (
                pool.submit(one.read) if one else None for one in (self.stdout, self.stderr)
            )
        self.wait(timeout)
        timer.cancel()
        return out and out.result(), err and err.result()

    def _write(self, data: Any) -> None:
        if self.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self.stdin:
                self.stdin.write(data)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in filter(None, (self.stdin, self.stdout, self.stderr)):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.wait()


def run(
    *words: str,
    stdin: bytes | BinaryIO = b"",
    env: Mapping[str, str] | None = None,
    network: int = 0,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a command to its end.

    Args:
        words: the command line after ``trioecho``.
        stdin: what its standard input brings, or a file.
        env: its environment; this process's own if None.
        network: as for `Process`.
    """
    data, source = (stdin, PIPE) if isinstance(stdin, bytes) else (None, stdin.fileno())
    with Process(*words, stdin=source, env=env, network=network) as process:
        out, err = process.communicate(data)
    return subprocess.CompletedProcess(list(words), process.wait(), out, err)


def shown(
    *words: str, stdin: str | BinaryIO = "", env: Mapping[str, str] | None = None, network: int = 0
) -> subprocess.CompletedProcess[str]:
    """As `run`, with text for bytes."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = run(*words, stdin=data, env=env, network=network)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def _stream(
    kind: int, mode: str, encoding: str | None, stdout: int = -1
) -> tuple[IO[Any] | None, int]:
    """This end of a standard stream, if it is a pipe, and the command's end."""
    if kind == STDOUT:
        return None, os.dup(stdout)
    if kind == DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if kind != PIPE:
        return None, os.dup(kind)
    read, write = os.pipe()
    ours, theirs = (read, write) if mode == "r" else (write, read)
    return os.fdopen(ours, mode if encoding else f"{mode}b", encoding=encoding), theirs


def _early(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(EARLY)}


@functools.cache
def _forker() -> tuple[socket.socket, dict[str, str]]:
    """Starts the process that forks; returns the socket that asks it to, and its environment."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    words = [sys.executable, "-W", "error", __file__, str(theirs.fileno())]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=env)
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours, _early(env)


# ---- the process that forks ----------------------------------------------------------------------


def _import_all() -> None:
    """Imports what commands import; scapy, which few need, is left out."""

    import trioecho

    for module in pkgutil.walk_packages(trioecho.__path__, "trioecho."):
        if module.name not in ("trioecho.__main__", "trioecho.pytest_plugin"):
            importlib.import_module(module.name)


def _fork_each(requests: socket.socket) -> list[str]:
    """Forks a process for each request, until there are no more; returns in that process.

    Returns:
        The command line.
    """
    running: dict[int, tuple[int, int]] = {}
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in running:
                poll.unregister(ready)
                _tell_end(ready, *running.pop(ready))
                continue
            request, descriptors, _, _ = socket.recv_fds(requests, LARGEST, 4)
            if not request:
                requests.close()
                sys.exit()
            *standard, end = descriptors
            pid = os.fork()
            if not pid:
                requests.close()
                return _become(standard, *json.loads(request))
            os.write(end, b"%d\n" % pid)
            for descriptor in standard:
                os.close(descriptor)
            handle = os.pidfd_open(pid)
            running[handle] = pid, end
            poll.register(handle, select.POLLIN)


def _tell_end(handle: int, pid: int, end: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(end, b"%d\n" % code)
    os.close(end)
    os.close(handle)


def _become(
    standard: list[int], words: list[str], folder: str, env: dict[str, str], network: int
) -> list[str]:
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    os.closerange(3, 4096)
    if network:
        _enter(network)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return words


def _enter(process: int) -> None:
    for kind in ("user", "net"):
        descriptor = os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY)
        setns(descriptor, 0)
        os.close(descriptor)


def _main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the tests do
    _import_all()
    gc.freeze()
    sys.argv[1:] = _fork_each(socket.socket(fileno=descriptor))
    runpy.run_module("trioecho", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
