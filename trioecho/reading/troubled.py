"""Events held back until it is known which connections had trouble.

They come out in the order of the capture. A connection may get into trouble with its very last
segment, so what stands behind one without trouble waits for the end. Memory is bounded: what is
more goes through a temporary file.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Generic, TypeAlias, TypeVar

from trioecho.model import Call, Process, Rung, Stopped

Event: TypeAlias = Rung | Call | Process | Stopped
Held = TypeVar("Held", bound=Event)

#: Bytes of memory that events may take before a file takes more, and of one piece of that file.
MOST_BYTES, PIECE = 64 << 20, 1 << 20
_OVERHEAD = 1_000  # bytes of an event beside a frame's, about


class HeldEvents(Generic[Held]):
    """A queue of events, from which those of troubled connections come out."""

    def __init__(
        self, troubled: Callable[[Held], bool], most: int = MOST_BYTES, piece: int = PIECE
    ) -> None:
        self._troubled = troubled
        self._most, self._piece = most, piece
        self._first: deque[Held] = deque()
        self._last: list[Held] = []  # behind those in the file
        self._first_size = self._last_size = 0
        self._file: IO[bytes] | None = None
        self._read = self._pieces = 0

    def close(self) -> None:
        """Drop the temporary file, if there is one."""
        if self._file is not None:
            self._file.close()

    def put(self, events: Sequence[Held]) -> list[Held]:
        """Take events.

        Returns:
            Those before which no rung waits any more.
        """
        size = _size(events)
        if not self._last and not self._pieces and self._first_size + size <= self._most:
            self._first.extend(events)
            self._first_size += size
        else:
            self._last.extend(events)
            self._last_size += size
            if self._last_size >= self._piece:
                self._write()
        found: list[Held] = []
        while self._first or self._refill():
            if not self._troubled(self._first[0]):
                break
            found.append(self._first.popleft())
        self._first_size -= _size(found)
        return found

    def rest(self) -> Iterator[list[Held]]:
        """The other events of troubled connections, once there are no more to take."""
        while self._first or self._refill():
            if found := list(filter(self._troubled, self._first)):
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
        """Take the next piece, when the first events have gone; whether there is one."""
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


def _size(events: Iterable[Event]) -> int:
    return sum(map(_size_of, events))


def _size_of(event: Event) -> int:
    if not isinstance(event, Rung):
        return _OVERHEAD
    frames = (event.segment.frame, *event.segment.earlier)
    return sum(len(frame.data) + _OVERHEAD for frame in frames)
