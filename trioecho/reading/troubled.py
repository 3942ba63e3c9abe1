"""Rungs held back until it is known which connections had trouble.

They come out in the order of the capture. A connection may get into trouble with its very last
segment, so what stands behind one without trouble waits for the end. Memory is bounded: what is
more goes through a temporary file.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO

from trioecho.model import Rung

#: Bytes of memory that rungs may take before a file takes more, and of one piece of that file.
MOST_BYTES, PIECE = 64 << 20, 1 << 20
_OVERHEAD = 1_000  # bytes of a rung beside its frame's, about


class HeldRungs:
    """A queue of rungs, from which those of troubled connections come out."""

    def __init__(
        self, troubled: Callable[[int], bool], most: int = MOST_BYTES, piece: int = PIECE
    ) -> None:
        self._troubled = troubled
        self._most, self._piece = most, piece
        self._first: deque[Rung] = deque()
        self._last: list[Rung] = []  # behind those in the file
        self._first_size = self._last_size = 0
        self._file: IO[bytes] | None = None
        self._read = self._pieces = 0

    def close(self) -> None:
        """Drop the temporary file, if there is one."""
        if self._file is not None:
            self._file.close()

    def put(self, rungs: Sequence[Rung]) -> list[Rung]:
        """Take rungs.

        Returns:
            Those before which no rung waits any more.
        """
        size = _size(rungs)
        if not self._last and not self._pieces and self._first_size + size <= self._most:
            self._first.extend(rungs)
            self._first_size += size
        else:
            self._last.extend(rungs)
            self._last_size += size
            if self._last_size >= self._piece:
                self._write()
        found: list[Rung] = []
        while self._first or self._refill():
            if not self._troubled(self._first[0].connection):
                break
            found.append(self._first.popleft())
        self._first_size -= _size(found)
        return found

    def rest(self) -> Iterator[list[Rung]]:
        """The other rungs of troubled connections, once there are no more to take."""
        while self._first or self._refill():
            if found := [rung for rung in self._first if self._troubled(rung.connection)]:
                yield found
            self._first.clear()

    def _write(self) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115
        self._file.seek(0, 2)
        pickle.dump(self._last, self._file, pickle.HIGHEST_PROTOCOL)
        self._pieces += 1
        self._last, self._last_size = [], 0

    def _refill(self) -> bool:
        """Take the next piece, when the first rungs have gone; whether there is one."""
        if self._pieces and self._file is not None:
            self._file.seek(self._read)
            self._first.extend(pickle.load(self._file))  # of our own writing
            self._read = self._file.tell()
            self._pieces -= 1
        else:
            self._first.extend(self._last)
            self._last, self._last_size = [], 0
        self._first_size = _size(self._first)
        return bool(self._first)


def _size(rungs: Iterable[Rung]) -> int:
    frames = ((rung.segment.frame, *rung.segment.earlier) for rung in rungs)
    return sum(len(frame.data) + _OVERHEAD for several in frames for frame in several)
