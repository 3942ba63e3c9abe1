"""Which sight of a segment is the first, where it crosses several interfaces."""

from __future__ import annotations

from dataclasses import dataclass

from trioecho.model import ACK, SYN, Endpoint, Segment
from trioecho.model.sequence import distance


class Sights:
    """Follows each direction of a connection on one interface; what others show are copies.

    A frame that crosses a bridge and what is connected to it is seen on each. To take the second
    sight for a retransmission would be a lie, so what a direction shows counts on the interface
    that saw it first.

    Ports are used again, a bond goes on through another of its members, a ring drops a frame: then
    another interface shows what is new, and the direction is followed there from then on. A copy
    comes after its original and shows nothing new.

    Attributes:
        interfaces: the numbers of those on which a direction was followed.
    """

    def __init__(self) -> None:
        self.interfaces: set[int] = set()
        self._ways: dict[tuple[Endpoint, Endpoint], _Way] = {}

    def __len__(self) -> int:
        return len(self._ways)

    def is_copy(self, segment: Segment) -> bool:
        """Whether a segment has been seen on another interface; they come in order of time."""
        here = segment.frame.interface
        flow = segment.source, segment.destination
        way = self._ways.get(flow)
        if way is not None and segment.flags & (SYN | ACK) == SYN and segment.seq != way.syn:
            self.forget(*flow)  # the ports are used again
            way = None
        if way is None:
            way = self._ways[flow] = _Way()
        if way.shows_new(segment):
            if way.interface != here:
                way.interface = here
                self.interfaces.add(here)
            return False
        return way.interface != here

    def forget(self, one: Endpoint, other: Endpoint) -> None:
        """Follow a connection's two directions no more."""
        self._ways.pop((one, other), None)
        self._ways.pop((other, one), None)

    def leave(self, interface: int) -> None:
        """Follow nothing on an interface any more: what was is seen elsewhere first, if at all."""
        ways = self._ways
        self._ways = {flow: way for flow, way in ways.items() if way.interface != interface}


@dataclass(slots=True)
class _Way:
    """One direction of a connection: where it is followed, and the highest numbers it has shown.

    Args:
        interface: where, -1 for nowhere yet.
        syn: the number of its SYN, raw as all of them.
        end: one past the last number it has used.
        ack: what it has acknowledged.
    """

    interface: int = -1
    syn: int | None = None
    end: int | None = None
    ack: int | None = None

    def shows_new(self, segment: Segment) -> bool:
        """Whether a segment shows more than those before it, or another SYN."""
        end, ack = segment.seq + segment.space, segment.ack
        if segment.flags & SYN and segment.seq != self.syn:
            self.syn, self.end, self.ack = segment.seq, end, ack
            return True
        new = False
        if self.end is None or distance(end, self.end) > 0:
            self.end, new = end, True
        if ack is not None and (self.ack is None or distance(ack, self.ack) > 0):
            self.ack, new = ack, True
        return new
