"""The bytes of one direction in order, each with the times of its way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from trioecho.model import RST, SYN, Rung
from trioecho.requests.request import Moment
from trioecho.tcp.stream import Piece, Stream

#: Bytes missing in one place, up to which the rest is worth reading.
MOST_MISSING = 1 << 20
#: Segments of which the times are remembered until their bytes are in order.
MOST_TIMES = 4_096
#: Segments that end at the same byte, and wait.
MOST_REPEATS = 3


class Part(NamedTuple):
    """Some bytes of a direction.

    Args:
        data: the bytes; those that were not captured are zeros.
        moment: when they went over.
        broken: whether more is missing before them than is worth filling up.
    """

    data: bytes
    moment: Moment
    broken: bool


class Flow:
    """What one end sends.

    Attributes:
        fin: the number behind its last byte, once its FIN has come.
    """

    def __init__(self) -> None:
        self.fin: int | None = None
        self._stream = Stream()
        self._highest = 0
        self._came = 0
        self._left: deque[tuple[int, int]] = deque(maxlen=MOST_TIMES)  # up to which byte, when
        # Of segments that wait: up to which byte, and for each of them from which, and when.
        self._arrived: dict[int, list[tuple[int, int]]] = {}

    @property
    def ended(self) -> bool:
        """Whether all that it sends has come."""
        return self.fin is not None and (self._stream.next or 0) >= self.fin

    def take(self, rung: Rung) -> list[Part]:
        """Take a segment that this end sent.

        What a wire of ours has lost never arrives, but tells when its bytes were first sent. What a
        capture has cut is filled up with zeros.
        """
        segment = rung.segment
        start = rung.seq + (segment.flags >> 1 & 1)
        end = start + segment.length
        if segment.length and end > self._highest:
            self._highest = end
            self._left.append((end, rung.time))
        came = rung.arrived if rung.on_wire else rung.time
        if rung.lost or came is None:
            return []
        if segment.length:
            self._arrive(start, end, came)
            if end == self._stream.next:
                self._came = min(self._came, came)
        before = self._stream.next
        if len(segment.payload) < segment.length and not segment.flags & (SYN | RST):
            pieces = self._stream.push(start, segment.payload.ljust(segment.length, b"\0"))
        else:
            pieces = self._stream.take(rung)
        if segment.flags & 1 and not segment.flags & RST:
            self.fin = end
        return self._parts(before, pieces, rung.number)

    def acknowledged(self, rung: Rung) -> list[Part]:
        """Take an ACK of the peer: what is missing below it was not captured."""
        before = self._stream.next
        pieces = [*self._stream.acknowledged(rung.ack), *self._stream.missed(rung.ack)]
        return self._parts(before, pieces, rung.number) if pieces else []

    def flush(self, number: int) -> list[Part]:
        """What waits behind gaps, when nothing more can come."""
        before = self._stream.next
        return self._parts(before, self._stream.flush(), number)

    def _arrive(self, start: int, end: int, came: int) -> None:
        arrived = self._arrived
        arrived[end] = [*arrived.get(end, ())[-MOST_REPEATS:], (start, came)]
        if len(arrived) > MOST_TIMES:
            del arrived[next(iter(arrived))]

    def _came_at(self, start: int, end: int) -> int:
        """When bytes had come, with all before them: of segments that have them, with the first."""
        times = [came for since, came in self._arrived.pop(end, ()) if since <= start]
        return max(self._came, min(times, default=0))

    def _parts(self, before: int | None, pieces: Iterable[Piece], number: int) -> list[Part]:
        pieces = list(pieces)
        after = self._stream.next or 0
        at = after - sum(map(_size, pieces)) if before is None else before
        parts = []
        for missing, data in pieces:
            left = self._left_at(at + missing)
            broken = missing > MOST_MISSING
            start, at = at + missing, at + missing + len(data)
            self._came = self._came_at(start, at)
            filled = data if broken or not missing else bytes(missing) + data
            moment = Moment(min(left, self._came) if left else self._came, self._came, number, at)
            parts.append(Part(filled, moment, broken))
        return parts

    def _left_at(self, at: int) -> int:
        """When a byte was first sent, 0 where that is forgotten; those before it are, too."""
        while self._left and self._left[0][0] <= at:
            self._left.popleft()
        return self._left[0][1] if self._left else 0


def _size(piece: Piece) -> int:
    return piece.missing + len(piece.data)
