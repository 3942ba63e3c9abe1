"""Frames of one direction: a header of a fixed size, which tells how much follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from trioecho.requests.request import Moment


class Frame(NamedTuple):
    """A frame that is whole.

    Args:
        head: its header.
        payload: what follows it; empty where only its length is of interest.
        size: bytes that follow it.
        first, last: when its first and its last byte went over.
    """

    head: bytes
    payload: bytes
    size: int
    first: Moment
    last: Moment


class Frames:
    """Bytes of one direction, put together to frames.

    Args:
        header: bytes of a header.
        size_of: how many bytes follow a header; raises GiveUp where it is none.
        keeps: whether what follows a header is of interest; else it is counted only.
        skip: bytes before the first frame.
    """

    def __init__(
        self,
        header: int,
        size_of: Callable[[bytes], int],
        keeps: Callable[[bytes], bool],
        *,
        skip: int = 0,
    ) -> None:
        self._header, self._size_of, self._keeps = header, size_of, keeps
        self._skip = skip
        self._head = b""
        self._payload = bytearray()
        self._size = self._rest = 0
        self._first: Moment | None = None

    def read(self, data: bytes, moment: Moment) -> Iterator[Frame]:
        """The frames that are whole with some bytes, which went over at a moment."""
        at = min(self._skip, len(data))
        self._skip -= at
        while at < len(data):
            if len(self._head) < self._header:
                if not self._head:
                    self._first = moment
                piece = data[at : at + self._header - len(self._head)]
                self._head += piece
                at += len(piece)
                if len(self._head) < self._header:
                    return
                self._size = self._rest = self._size_of(self._head)
            taken = min(self._rest, len(data) - at)
            if self._keeps(self._head):
                self._payload += data[at : at + taken]
            self._rest -= taken
            at += taken
            if not self._rest:
                assert self._first is not None
                payload = bytes(self._payload)
                yield Frame(self._head, payload, self._size, self._first, moment)
                self._head = b""
                self._payload.clear()
