"""The bytes of one direction, put in order again."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

#: Bytes of memory kept at most while a gap before them is open; then the gap is given up.
MOST_WAITING = 1 << 22
#: What a piece takes beside its bytes, about: two objects, its places in a dict and in a heap.
OVERHEAD = 192


class Piece(NamedTuple):
    """Bytes of a stream in their order, and how many are missing before them."""

    missing: int
    data: bytes


class Stream:
    """Reassembles what one end sent, from segments in any order. Bounded.

    Of bytes that were sent twice the first ones count, as for a receiver that had read them.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, bytes] = {}
        self._order: list[int] = []  # a heap of where those that wait begin
        self._size = 0

    def push(self, seq: int, payload: bytes) -> list[Piece]:
        """Take the payload of one segment."""
        if self._next is None:
            self._next = min(seq, 1) if seq <= 1 else seq
        if payload and seq + len(payload) > self._next:
            known = self._waiting.get(seq, b"")
            if not known:
                heappush(self._order, seq)
                self._size += OVERHEAD
            if len(payload) > len(known):
                self._waiting[seq] = payload
                self._size += len(payload) - len(known)
        pieces = self._drain()
        while self._size > MOST_WAITING:
            pieces += self._skip()
        return pieces

    def flush(self) -> list[Piece]:
        """What is left behind gaps, when nothing more can come."""
        pieces = []
        while self._waiting:
            pieces += self._skip()
        return pieces

    def _drain(self) -> list[Piece]:
        pieces = []
        assert self._next is not None
        while self._order and self._order[0] <= self._next:
            seq = heappop(self._order)
            payload = self._waiting.pop(seq)
            self._size -= len(payload) + OVERHEAD
            fresh = payload[self._next - seq :]
            if fresh:
                pieces.append(Piece(0, fresh))
                self._next += len(fresh)
        return pieces

    def _skip(self) -> list[Piece]:
        """Give up the first gap."""
        assert self._next is not None
        seq = self._order[0]
        missing, self._next = seq - self._next, seq
        first, *rest = self._drain()
        return [Piece(missing, first.data), *rest]
