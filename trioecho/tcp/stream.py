"""The bytes of one direction, put in order again: those that the engine takes to have arrived."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from trioecho.model import RST, SYN, Rung

#: Bytes of memory kept at most while a gap before them is open; then the gap is given up.
MOST_WAITING = 1 << 22
#: What a piece takes beside its bytes, about: two objects, its places in a dict and in a heap.
OVERHEAD = 192
#: Segments remembered of those that are taken to be dropped, until an ACK tells otherwise.
MOST_DOUBTED = 64


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
        self._doubted: list[tuple[int, bytes]] = []  # in the order of their coming
        self._verified = False  # whether a checksum was right, so that a wrong one says something

    @property
    def next(self) -> int | None:
        """The number of the byte that comes next in order, None before the first segment."""
        return self._next

    def take(self, rung: Rung) -> list[Piece]:
        """Take a segment that this end sent.

        The text of a RST is for a human reader, and no part of the stream (RFC 9293 §3.10.7.4).
        What its receiver drops waits for an ACK, which would tell that it was taken all the same.
        """
        segment, first = rung.segment, rung.seq
        if segment.flags & RST:
            return []
        if segment.flags & SYN:
            if first:
                return []  # another connection's
            first += 1
        sound = segment.sound()
        self._verified = self._verified or sound is True
        if any(fact.dropped for fact in rung.notes) or (self._verified and sound is False):
            if segment.payload:
                self._doubted = [*self._doubted[1 - MOST_DOUBTED :], (first, segment.payload)]
            return []
        return self.push(first, segment.payload)

    def acknowledged(self, ack: int | None) -> list[Piece]:
        """Take what was doubted, once the peer acknowledges it."""
        if not self._doubted or ack is None:
            return []
        covered = [one for one in self._doubted if one[0] + len(one[1]) <= ack]
        self._doubted = [one for one in self._doubted if one[0] + len(one[1]) > ack]
        return [piece for seq, payload in covered for piece in self.push(seq, payload)]

    def push(self, seq: int, payload: bytes) -> list[Piece]:
        """Take the payload of one segment."""
        if self._next is None:
            self._next = seq
        if payload:
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

    def missed(self, ack: int | None) -> list[Piece]:
        """Give up the gaps below an ACK of the peer, who has what the capture has missed."""
        pieces = []
        while ack is not None and self._order and self._order[0] < ack:
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
