"""A large capture file read by several processes at once, each for a part of its connections.

Connections have nothing to do with each other, so each process tracks those whose ports fall to it
and passes over the others' frames, which costs it a glance. Nothing is exchanged but what each
connection came to.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from trioecho.capture.files import CaptureFile, open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import ConnectionSummary, Frame
from trioecho.reading import Reading, Share

#: Processes at most; each reads the whole file, so more bring less and less.
MOST = 8


class Part(Struct):
    """What one process found.

    Args:
        frames: TCP frames of its connections.
        first: the number of the first frame it was given, 0 if it was given none.
        start: its time, nanoseconds since the epoch.
        connections: what each of them came to.
    """

    frames: int
    first: int
    start: int
    connections: list[ConnectionSummary]


def processors() -> int:
    """How many processes may usefully read at once; 1 where they cannot be forked."""
    if not hasattr(os, "fork"):
        return 1
    return min(MOST, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)


def read_shared(
    path: str, parts: int, frames_of: Callable[[CaptureFile], Iterator[list[Frame]]]
) -> tuple[Part, str]:
    """Read a capture file in several processes.

    Args:
        path: the file; a regular one, since it is read several times.
        parts: how many processes, this one among them.
        frames_of: gives this process's batches, so that it can show its progress.

    Returns:
        All connections, numbered in the order of their first frames, and what was wrong with the
        file, ``""`` when it could be read to its end.

    Raises:
        TrioechoError: the file cannot be read, or another process died.
    """
    children = [_fork(path, Share(part, parts)) for part in range(1, parts)]
    collecting = gc.isenabled()
    gc.disable()  # the engine makes no circles, and there is much to look through
    try:
        share = Share(0, parts)
        with open_capture_file(path, passing=share.passes) as file:
            own = _read(file, share, frames_of)
            trouble = str(file.trouble or "")
        found = [own, *(_result(pipe) for _, pipe in children)]
    finally:
        if collecting:
            gc.enable()
        for child, pipe in children:
            os.close(pipe)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    connections = [one for part in found for one in part.connections]
    connections.sort(key=lambda one: one.first_frame)
    numbered = [replace(one, number=number) for number, one in enumerate(connections, 1)]
    # The capture's first frame was given to all, or to the one whose part it is.
    start = min(((part.first, part.start) for part in found if part.first), default=(0, 0))
    return Part(sum(part.frames for part in found), *start, numbered), trouble


def _read(
    file: CaptureFile, share: Share, frames_of: Callable[[CaptureFile], Iterator[list[Frame]]]
) -> Part:
    reading = Reading(share=share)
    for frames in frames_of(file):
        reading.notice(frames)
    connections = list(reading.connections())
    return Part(reading.frames, reading.first, reading.start or 0, connections)


def _fork(path: str, share: Share) -> tuple[int, int]:
    """Start a process for one share; returns its number and the pipe its result comes through."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, ours
    try:
        os.close(ours)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.disable()  # it ends soon, and the engine makes no circles
        with open_capture_file(path, passing=share.passes) as file:
            data = memoryview(msgspec.msgpack.encode(_read(file, share, iter)))
        while data:
            data = data[os.write(theirs, data) :]
    finally:
        os._exit(0)


def _result(pipe: int) -> Part:
    pieces = []
    while piece := os.read(pipe, 1 << 20):
        pieces.append(piece)
    try:
        return msgspec.msgpack.decode(b"".join(pieces), type=Part)
    except msgspec.DecodeError:
        raise TrioechoError(
            "A process that read a part of the file died", "There may be too little memory"
        ) from None
