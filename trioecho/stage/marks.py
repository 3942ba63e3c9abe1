"""Marks: requests that a capture has not answered yet."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import trio

from trioecho.capture import Capture

T = TypeVar("T")


class Marks(Generic[T]):
    """The pending marks of one capture, each with what was known when it was requested.

    An empty batch answers the oldest: all frames captured before it was requested have come.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._asked: deque[tuple[T, trio.Event]] = deque()

    def __bool__(self) -> bool:
        return bool(self._asked)

    def ask(self, known: T) -> trio.Event:
        """Ask for a mark; the event is set when it has come."""
        reached = trio.Event()
        self._asked.append((known, reached))
        self._capture.mark()
        return reached

    def answered(self) -> T:
        """Match an empty batch with its mark; what was known when it was requested."""
        known, reached = self._asked.popleft()
        reached.set()
        return known

    def end(self) -> None:
        """Answer all pending marks, because the capture has ended."""
        while self._asked:
            self.answered()
