"""What one end has sent and the other has not acknowledged, and which of it was sent again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from msgspec import Struct

from trioecho.model import FIN, SYN, Segment

#: The most unacknowledged segments kept for one end, and the most bytes of payload.
MOST_SENT, MOST_KEPT = 10_000, 1 << 20
#: Of what one segment repeats, so many are marked from each of its ends. It takes a segment of tiny
#: ones to repeat more, and no more than a header to claim that it repeats all.
MOST_MARKED = 128
#: How many segments that were sent more than once are remembered: they may come again.
MOST_LATEST = 64

_seq, _end = attrgetter("seq"), attrgetter("end")


class Sent(Struct, gc=False):
    """A segment that was sent: sequence numbers ``seq`` up to ``end``, its rung and its time.

    ``segment``: itself, if its payload is kept. ``repeated``: it was sent again. ``instead``: the
    rung that sent it again after the peer had dropped this one. ``too_large``: its sender was told
    that the path takes none so large. ``copied``: the network duplicated it, not its sender.
    """

    seq: int
    end: int
    number: int
    time: int
    identification: int = 0
    segment: Segment | None = None
    repeated: bool = False
    copied: bool = False
    instead: int = 0
    too_large: bool = False

    @property
    def payload(self) -> bytes:
        """Its payload, as far as it is kept and was captured."""
        segment = self.segment
        if segment is None:
            return b""
        return segment.payload[segment.length + (segment.flags & FIN) - self.end + self.seq :]


class Latest(list[Sent]):
    """The last 64 segments added.

    An empty list takes a tenth of an empty deque's memory, and a capture may have a million
    connections with a single segment.
    """

    __slots__ = ()

    def append(self, one: Sent) -> None:
        """Add one, and drop the oldest if there are too many."""
        super().append(one)
        if len(self) > MOST_LATEST:
            del self[0]


@dataclass(slots=True)
class Flight:
    """One end's segments in flight, as far as an observer knows.

    Args:
        sent: those that are not acknowledged, in order of sequence.
        kept: bytes of payload kept with them.
        settled: the last that were sent again before they were acknowledged.
        repeats: the last retransmissions, in order.
        ends: the SYN and the FIN, even when acknowledged.
    """

    sent: list[Sent] = field(default_factory=list)
    kept: int = 0
    settled: Latest = field(default_factory=Latest)
    repeats: Latest = field(default_factory=Latest)
    ends: tuple[Sent, ...] = ()

    def clear(self) -> None:
        """Forget everything."""
        self.kept, self.ends = 0, ()
        for kept in (self.sent, self.settled, self.repeats):
            kept.clear()

    def original(self, seq: int) -> Sent | None:
        """The segment that first carried sequence number ``seq``, if it is remembered."""
        for sent in self.within(seq, seq + 1):
            return sent
        known: tuple[Sent, ...] = (*self.settled, *reversed(self.ends))
        return next((sent for sent in known if sent.seq <= seq < sent.end), None)

    def only_copied(self, seq: int) -> bool:
        """Whether a sequence number came again in the network's copies alone."""
        copied = [one.copied for one in self.repeats if one.seq <= seq < one.end]
        return bool(copied) and all(copied)

    def within(self, seq: int, end: int) -> Iterator[Sent]:
        """The segments kept that overlap a range, in order."""
        first, beyond = self._places(seq, end)
        yield from self.sent[first:beyond]

    def _places(self, seq: int, end: int) -> tuple[int, int]:
        """The indexes in ``sent`` where a range begins and ends."""
        first = bisect_right(self.sent, seq, key=_end)
        return first, bisect_left(self.sent, end, first, key=_seq)

    def keep(self, seq: int, end: int, number: int, time: int, segment: Segment) -> None:
        """Keep a segment that follows all others until it is acknowledged."""
        if len(self.sent) >= MOST_SENT:
            return
        size = len(segment.payload)
        if size and not segment.flags & SYN and self.kept + size <= MOST_KEPT:  # see ``_keeps``
            kept: Segment | None = segment
            self.kept += size
        else:
            kept = None
        self.sent.append(Sent(seq, end, number, time, segment.identification, kept))

    def insert(self, seq: int, end: int, number: int, time: int, segment: Segment) -> None:
        """Keep a segment until it is acknowledged; a repetition keeps its first rung."""
        sent = self.sent
        if not sent or sent[-1].end <= seq:
            self.keep(seq, end, number, time, segment)
            return
        first, beyond = self._places(seq, end)
        repeated = first < beyond
        if repeated:
            for other in sent[first : min(beyond, first + MOST_MARKED)]:
                other.repeated = True
            for other in sent[max(first, beyond - MOST_MARKED) : beyond]:
                other.repeated = True
        if len(sent) >= MOST_SENT:
            return
        new = sent[-1].end if repeated else seq
        if new >= end:
            return  # all of it was sent before
        at = len(sent) if repeated else first
        kept = self._keeps(segment, max(0, len(segment.payload) - new + seq))
        sent.insert(at, Sent(new, end, number, time, segment.identification, kept))

    def _keeps(self, segment: Segment, size: int) -> Segment | None:
        """The segment, if there is room for so many bytes of its payload."""
        # On a SYN the payload stands one behind.
        if not size or segment.flags & SYN or self.kept + size > MOST_KEPT:
            return None
        self.kept += size
        return segment

    def acknowledged(self, ack: int) -> Sent | None:
        """Drop what ``ack`` covers."""
        last = None
        covered = payload = 0
        for one in self.sent:
            if one.end > ack:
                break
            last = one
            covered += 1
            segment = one.segment
            if segment is not None:  # ``one.payload`` without a call, for each ACK
                size = one.end - one.seq - segment.length - (segment.flags & FIN)
                payload += len(segment.payload) + size
            if one.repeated:
                one.segment = None
                self.settled.append(one)
        if covered:
            del self.sent[:covered]
            self.kept -= payload
        return last
