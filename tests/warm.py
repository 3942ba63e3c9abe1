"""Runs commands that start warm: each is forked from a process that has imported trioecho.

Importing trioecho takes longer than most commands do. A process forked from one that has done so is
as separate as one started anew: it has its own standard streams, directory and environment, and it
runs ``trioecho/__main__.py`` from its first line to Python's own end. Imports happen in one order
only, though, so each command has tests that start it cold, by ``python -m trioecho``.
"""

from __future__ import annotations

import atexit
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
from typing import BinaryIO

LARGEST = 1 << 20  # bytes of a request
PATIENCE = 60  # seconds until a command that hangs is killed
# Python reads these when it starts.
EARLY = ("PYTHON", "LANG", "LC_")


def run(
    *words: str, stdin: bytes | BinaryIO = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs ``trioecho WORDS`` to its end, with warnings as errors.

    Args:
        words: the command line after ``trioecho``.
        stdin: standard input: what a pipe brings, or a file.
        env: its environment; this process's own if None.
    """
    env = {"PYTHONIOENCODING": "utf-8", **(os.environ if env is None else env)}
    requests, early = _forker()
    assert _early(env) == early, "Python reads these when it starts: start it cold"
    (read_out, write_out), (read_err, write_err), (read_end, write_end) = (
        os.pipe() for _ in range(3)
    )
    read_in, write_in = os.pipe() if isinstance(stdin, bytes) else (os.dup(stdin.fileno()), -1)
    theirs = [read_in, write_out, write_err, write_end]
    request = json.dumps([words, os.getcwd(), env]).encode()
    socket.send_fds(requests, [request], theirs)
    for descriptor in theirs:
        os.close(descriptor)
    with ThreadPoolExecutor(3) as pool:
        out = pool.submit(_read, read_out)
        err = pool.submit(_read, read_err)
        if isinstance(stdin, bytes):
            pool.submit(_write, write_in, stdin)
        with open(read_end, encoding="ascii") as end:
            timer = threading.Timer(PATIENCE, os.kill, [int(end.readline()), signal.SIGKILL])
            timer.start()
            code = int(end.readline())
            timer.cancel()
    return subprocess.CompletedProcess(list(words), code, out.result(), err.result())


def shown(
    *words: str, stdin: str | BinaryIO = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As `run`, with text for bytes."""
    done = run(*words, stdin=stdin.encode() if isinstance(stdin, str) else stdin, env=env)
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def _write(descriptor: int, data: bytes) -> None:
    try:
        with open(descriptor, "wb", buffering=0) as file:
            while data:
                data = data[file.write(data) :]
    except BrokenPipeError:  # the command does not read all of it
        pass


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


def _become(standard: list[int], words: list[str], folder: str, env: dict[str, str]) -> list[str]:
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
    os.closerange(3, 4096)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return words


def _main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the tests do
    _import_all()
    gc.freeze()
    sys.argv[1:] = _fork_each(socket.socket(fileno=descriptor))
    runpy.run_module("trioecho", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
