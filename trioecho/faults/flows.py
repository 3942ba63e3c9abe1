"""Which segment this is: its kinds, and its number among those of its kind in its connection.

PURE. A connection is a pair of endpoints; a SYN with another sequence number than the one before
begins the next. An item is what a number counts: a SYN, a SYN-ACK and a FIN by their place in
sequence space, a segment of data by the bytes that it was the first to bring. Whatever overlaps an
item later is one more transmission of it. Pure ACKs, RSTs and segments at large are each an item,
since nothing marks one as a repetition of another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict

from msgspec import Struct

from trioecho.faults.items import KINDS, Kind
from trioecho.model import ACK, FIN, OTHER, RST, SYN, End, Endpoint, Segment
from trioecho.model.sequence import MASK, distance, relative
from trioecho.packet.build import tcp_packet

MOST_FLOWS = 10_000
# The most data items remembered: of one end, and over all connections.
MOST_ITEMS, MOST_ITEMS_IN_ALL = 4_096, 200_000
MOST_MARKS = 64  # places of SYNs and FINs, of one end
FAR = 1 << 30  # how far a forged SYN is from what is expected


class Sight(Struct, frozen=True, gc=False):
    """A segment as one of a kind.

    Args:
        kind: the kind.
        own: its item's number among those of its end, from 1.
        joint: its item's number among those of both ends, from 1.
        transmission: how many times the item has been sent, including this one.
    """

    kind: Kind
    own: int
    joint: int
    transmission: int = 1


class _Item(Struct):
    """An item that may be sent again; data lies from ``start`` up to ``end``, relative numbers."""

    start: int
    end: int
    own: int
    joint: int
    transmissions: int = 1


class Side:
    """One end's segments.

    Attributes:
        syn: the sequence number of its SYN, or None before one.
        next: the raw sequence number after everything it sent; None before its first segment.
        expects: the raw one it expects next from the other end; None while unknown.
    """

    def __init__(self) -> None:
        self.syn: int | None = None
        self.next: int | None = None
        self.expects: int | None = None
        self.counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.base = 0
        self.high = 0  # behind its last byte of data, relative to base
        self.marks: dict[tuple[Kind, int], _Item] = {}
        self.items: list[_Item] = []


class Flow:
    """One connection's segments, counted."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sides: dict[End, Side] = {"client": Side(), "server": Side()}
        self._joint: dict[Kind, int] = dict.fromkeys(KINDS, 0)

    @property
    def remembered(self) -> int:
        """How many items of data are kept."""
        return sum(len(side.items) for side in self.sides.values())

    def see(self, end: End, segment: Segment, remember: bool) -> list[Sight]:
        """Count a segment, and return everything it counts as; ``remember`` keeps its data item."""
        side, flags = self.sides[end], segment.flags
        sights = [self._next(side, "segment")]
        if flags & RST:
            sights.append(self._next(side, "rst"))
            return sights
        if side.next is None or (flags & SYN and not side.counts["data"]):
            side.base = side.next = segment.seq
        if flags & SYN:
            if not flags & ACK:
                side.syn = segment.seq
            sights.append(self._mark(side, "syn-ack" if flags & ACK else "syn", segment.seq))
        elif flags & FIN:
            sights.append(self._mark(side, "fin", segment.seq + segment.length & MASK))
        elif segment.ack is not None and not segment.length:
            sights.append(self._next(side, "ack"))
        if segment.length:
            sights += self._data(side, segment, remember)
        behind = segment.seq + segment.space & MASK
        if distance(behind, side.next) > 0:
            side.next = behind
        if segment.ack is not None and (
            side.expects is None or distance(segment.ack, side.expects) > 0
        ):
            side.expects = segment.ack
        return sights

    def place(self, end: End, segment: Segment) -> int:
        """The number of a segment's first byte of data, once it was seen; a stream's first is 1."""
        return _place(self.sides[end], segment)

    def arrived(self, end: End, segment: Segment) -> None:
        """Note that a segment reaches the other end at once."""
        other = self.sides[OTHER[end]]
        behind = segment.seq + segment.space & MASK
        if segment.flags & RST:
            return
        if other.expects is None:
            if segment.flags & SYN:
                other.expects = behind
        elif distance(segment.seq, other.expects) <= 0 < distance(behind, other.expects):
            other.expects = behind

    def forge(self, to: End, flag: int, offset: int, end: End, segment: Segment) -> bytes:
        """Forge one end's next segment, as the other end expects it."""
        side = self.sides[to]
        seq = (side.expects or 0) + offset + (FAR if flag == SYN else 0)
        ends = segment.source, segment.destination
        source, destination = ends if to != end else ends[::-1]
        if flag == RST and side.next is not None:
            return tcp_packet(source, destination, seq, side.next, flag | ACK)
        return tcp_packet(source, destination, seq, 0, flag, 0 if flag == RST else 65_535)

    def _next(self, side: Side, kind: Kind) -> Sight:
        side.counts[kind] = own = side.counts[kind] + 1
        self._joint[kind] = joint = self._joint[kind] + 1
        return Sight(kind, own, joint)

    def _mark(self, side: Side, kind: Kind, place: int) -> Sight:
        """Count a SYN, SYN-ACK or FIN at its sequence number."""
        item = side.marks.get((kind, place))
        if item is not None:
            item.transmissions += 1
            return Sight(kind, item.own, item.joint, item.transmissions)
        sight = self._next(side, kind)
        if len(side.marks) < MOST_MARKS:
            side.marks[kind, place] = _Item(place, place, sight.own, sight.joint)
        return sight

    def _data(self, side: Side, segment: Segment, remember: bool) -> list[Sight]:
        start = _place(side, segment)
        end, high = start + segment.length, side.high
        sights = []
        first = bisect_right(side.items, start, key=lambda item: item.end)
        beyond = bisect_left(side.items, end, first, key=lambda item: item.start)
        for item in side.items[first:beyond]:
            item.transmissions += 1
            sights.append(Sight("data", item.own, item.joint, item.transmissions))
        if end > high:
            sight = self._next(side, "data")
            if remember:
                side.items.append(_Item(max(start, high), end, sight.own, sight.joint))
                if len(side.items) > MOST_ITEMS:
                    del side.items[: MOST_ITEMS // 4]
            sights.append(sight)
            side.high = end
        return sights


def _place(side: Side, segment: Segment) -> int:
    begin = segment.seq + (segment.flags >> 1 & 1)  # a SYN stands before the data
    return relative(begin, side.base, side.high)


class Flows:
    """All connections; if there are too many, those quiet longest are forgotten.

    Attributes:
        begun: how many there were.
    """

    def __init__(self) -> None:
        self.begun = 0
        self._flows: OrderedDict[tuple[Endpoint, Endpoint], Flow] = OrderedDict()
        self._remembered = 0

    def see(self, end: End, segment: Segment, remember: bool) -> tuple[Flow, list[Sight]]:
        """Find a segment's connection, and count it there as `Flow.see` does."""
        key = (segment.source, segment.destination)
        if end == "server":
            key = key[::-1]
        flow = self._flows.get(key)
        if flow is None or _begins_anew(flow, end, segment):
            self._forget(key)
            self.begun += 1
            flow = self._flows[key] = Flow(self.begun)
            if len(self._flows) > MOST_FLOWS:
                self._forget(next(iter(self._flows)))
        else:
            self._flows.move_to_end(key)
        if not (remember and segment.length):
            return flow, flow.see(end, segment, remember)
        before = flow.remembered
        sights = flow.see(end, segment, remember)
        self._remembered += flow.remembered - before
        while self._remembered > MOST_ITEMS_IN_ALL:
            self._forget(next(iter(self._flows)))
        return flow, sights

    def _forget(self, key: tuple[Endpoint, Endpoint]) -> None:
        flow = self._flows.pop(key, None)
        if flow is not None:
            self._remembered -= flow.remembered


def _begins_anew(flow: Flow, end: End, segment: Segment) -> bool:
    """Whether a SYN begins another connection: its end has already sent something else."""
    side = flow.sides[end]
    return (
        segment.flags & (SYN | ACK | RST) == SYN
        and side.next is not None
        and side.syn != segment.seq
    )
