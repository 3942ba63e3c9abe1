"""A large capture file read by several processes at once, each for a part of its connections.

Connections have nothing to do with each other, so each process tracks those whose ports fall to it
and passes over the others' frames, which costs it a glance. Nothing is exchanged but what each
connection came to.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import ConnectionSummary, Frame
from trioecho.reading.reading import Reading, Share

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Processes at most; each reads the whole file, so more bring less and less.
MOST = 8

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def processors() -> int:
    """How many processes may usefully read at once; 1 where they are not simply forked."""
    if sys.platform != "linux":
        return 1
    return min(MOST, len(os.sched_getaffinity(0)))


def read_shared(
    path: str, parts: int, frames_of: Callable[[CaptureFile], Iterator[list[Frame]]]
) -> tuple[list[ConnectionSummary], str, int | None]:
    """Read a capture file in several processes.

    It forks, so no thread may run beside this one.

    Returns:
        All connections, numbered in the order of their first frames, and what was wrong with the
        file, ``""`` when it could be read to its end; and how many packets it says were dropped.

    Raises:
        TrioechoError: the file cannot be read, or another process died.
    """
    with ExitStack() as stack:
        try:
            others = [stack.enter_context(_reader(path, Share(n, parts))) for n in range(1, parts)]
        except OSError:  # there may be no more processes; nothing is lost but time
            stack.close()
            return read_shared(path, 1, frames_of)
        stack.enter_context(_without_collecting())
        share = Share(0, parts)
        with open_capture_file(path, passing=share.passes) as file:
            found = _read(file, share, frames_of)
            trouble, dropped = str(file.trouble or ""), file.dropped
        for wait in others:
            found += wait()
    found.sort(key=lambda one: one.first_frame)
    return [replace(one, number=number) for number, one in enumerate(found, 1)], trouble, dropped


def _read(
    file: CaptureFile, share: Share, frames_of: Callable[[CaptureFile], Iterator[list[Frame]]]
) -> list[ConnectionSummary]:
    reading = Reading(share=share)
    for frames in frames_of(file):
        reading.notice(frames)
    reading.rest()
    return list(reading.connections())


@contextmanager
def _reader(path: str, share: Share) -> Iterator[Callable[[], list[ConnectionSummary]]]:
    """A process that reads one share; given is what waits for its result.

    It ends with the block, whether it is done or not.
    """
    from multiprocessing import get_context

    fork = get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=_read_and_send, args=(path, share, theirs), daemon=True)

    def wait() -> list[ConnectionSummary]:
        try:
            return msgspec.msgpack.decode(ours.recv_bytes(), type=list[ConnectionSummary])
        except EOFError:
            process.join()
            code = process.exitcode or 0
            why = f"signal {-code} ended it" if code < 0 else "its traceback stands above"
            hint = "There may be too little memory" if code == -signal.SIGKILL else ""
            what = f"A process that read a part of the file died: {why}"
            raise TrioechoError(what, hint) from None

    with ours:
        try:
            with theirs, _signals_held():
                process.start()
            yield wait
        finally:
            if process.pid is not None:
                process.kill()
                process.join()
            process.close()


def _read_and_send(path: str, share: Share, pipe: Connection) -> None:
    """What such a process does; the parent, which gets the same signals, speaks of them."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    with _without_collecting(), open_capture_file(path, passing=share.passes) as file:
        pipe.send_bytes(msgspec.msgpack.encode(_read(file, share, iter)))


@contextmanager
def _signals_held() -> Iterator[None]:
    """Signals wait: a handler of ours would unwind our caller's stack in the new process too."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """The engine makes no circles, and there is much to look through."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
