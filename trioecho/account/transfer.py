"""A bulk transfer: each transmission of one end, whether it was lost, and its round trip."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

#: Transmissions of one transfer that are remembered; a longer one goes on as another.
MOST = 10_000
#: While none is lost, so many are; they show the least round trip, and what a bucket has held.
KEPT = 2_000
#: Of a number in a column, without its sign.
_BITS = 64


class Transfer:
    """What one end sends without a pause of its own, in columns, since there may be many.

    Args:
        acked: up to where all was acknowledged before.

    Attributes:
        times: when each transmission was sent, nanoseconds since the epoch.
        sizes: their bytes.
        lost: 1 for those that did not arrive, as far as is known.
        trips: their round-trip times in nanoseconds; 0 where that is not known.
    """

    __slots__ = (
        *("_acked", "_before", "_ends", "_last", "_repeated", "_starts"),
        *("lost", "sizes", "times", "trips"),
    )

    def __init__(self, acked: int = 0) -> None:
        self.times = array("q")
        self.sizes = array("i")
        self.lost = bytearray()
        self.trips = array("q")
        self._acked = acked
        # Bytes that travel together: where they begin and end, and their last two transmissions.
        self._starts = array("q")
        self._ends = array("q")
        self._last = array("i")
        self._before = array("i")
        self._repeated = 0  # up to where something was sent again

    @property
    def end(self) -> int:
        """One past the last byte that was sent."""
        return self._ends[-1]

    def sent(self, time: int, first: int, end: int, full: int, *, lost: bool | None) -> None:
        """Bytes are sent, for the first time or again.

        Args:
            time: when.
            first: where they begin.
            end: where they end.
            full: bytes of a full segment, of which offload may have merged several.
            lost: whether they did not arrive; None where only a repetition will tell.
        """
        known = self._ends[-1] if self._ends else first
        if first < known:
            self._again(time, first, min(end, known), lost=lost)
        for start in range(max(first, known), end, full):
            after = min(start + full, end)
            self._starts.append(start)
            self._ends.append(after)
            self._last.append(len(self.times))
            self._before.append(-1)
            self._add(time, after - start, lost=bool(lost))

    @property
    def spoilt(self) -> bool:
        """Whether something was lost or sent again, so that nothing is forgotten any more."""
        return bool(self._repeated) or 1 in self.lost

    def all_sent(self, segments: Sequence[tuple[int, int, int, int]]) -> None:
        """Segments are sent in order, for the first time: as ``sent``, a column at a time.

        An ACK of one may be taken after this as well as between: each is found by its end.

        Args:
            segments: of each, when, where it begins and ends, and the bytes of a full segment,
                which none exceeds.
        """
        count, known = len(segments), len(self.times)
        self.times.extend([one[0] for one in segments])
        self._starts.extend([one[1] for one in segments])
        self._ends.extend([one[2] for one in segments])
        self.sizes.extend([one[2] - one[1] for one in segments])
        self.lost.extend(bytes(count))
        self.trips.frombytes(bytes(count * self.trips.itemsize))
        self._last.extend(range(known, known + count))
        self._before.extend(array("i", [-1]) * count)

    def needless(self, first: int, end: int) -> None:
        """What was sent again had arrived before (RFC 2883)."""
        for piece in self._within(first, end):
            if self._before[piece] >= 0:
                self.lost[self._before[piece]] = False

    def heard(self, time: int, ack: int, newest: int | None) -> None:
        """An ACK comes.

        Args:
            time: when.
            ack: up to where all has arrived.
            newest: the end of what has arrived last behind a gap, as SACK tells; None for none.
        """
        if newest is not None:
            self._measure(time, newest)
        elif ack > max(self._acked, self._repeated):
            self._measure(time, ack)
        if ack > self._acked:
            self._acked = ack

    def _add(self, time: int, size: int, *, lost: bool) -> None:
        self.times.append(time)
        self.sizes.append(size)
        self.lost.append(lost)
        self.trips.append(0)

    def _again(self, time: int, first: int, end: int, *, lost: bool | None) -> None:
        self._repeated = self._ends[-1]
        for piece in self._within(first, end):
            last = self._last[piece]
            if lost is None:
                self.lost[last] = True
            self._before[piece], self._last[piece] = last, len(self.times)
            self._add(time, self.sizes[last], lost=bool(lost))

    def _measure(self, time: int, end: int) -> None:
        """A round trip, of what was sent just once (RFC 6298 §3)."""
        piece = bisect_right(self._ends, end) - 1
        if piece < 0 or self._ends[piece] != end or self._before[piece] >= 0:
            return
        sending = self._last[piece]
        took = time - self.times[sending]
        if not self.trips[sending] and took.bit_length() < _BITS:  # a file's times may be any
            self.trips[sending] = took

    def _within(self, first: int, end: int) -> range:
        """The pieces with any of these bytes."""
        return range(bisect_right(self._ends, first), bisect_right(self._starts, end - 1))

    def forget(self) -> None:
        """Forget the oldest that have arrived, if there are many and each was sent once."""
        if len(self.times) < 2 * KEPT or self.spoilt:
            return
        count = min(KEPT, bisect_right(self._ends, self._acked))
        if not count:
            return
        for column in (self.times, self.sizes, self.lost, self.trips, self._starts, self._ends):
            del column[:count]
        self._last, self._before = array("i", range(len(self.times))), self._before[count:]
