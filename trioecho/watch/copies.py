"""Finds the copies among the segments of several interfaces."""

from __future__ import annotations

from dataclasses import dataclass

from trioecho.model import ACK, SYN, Endpoint, Segment
from trioecho.model.sequence import distance


class CopyFilter:
    """Follows each direction of a connection on one interface; segments on others are copies.

    A frame that crosses a bridge is seen on the bridge and on each of its ports. Counting it twice
    would report a retransmission that never was, so the first interface to see it counts.

    A direction may move: ports are used again, a bond fails over, a ring drops a frame. Then
    another interface shows something new, and the direction is followed there. A copy shows nothing
    new, since it comes after its original.

    Attributes:
        interfaces: the numbers of the interfaces on which a direction was followed.
    """

    def __init__(self) -> None:
        self.interfaces: set[int] = set()
        self._directions: dict[tuple[Endpoint, Endpoint], _Direction] = {}

    def __len__(self) -> int:
        return len(self._directions)

    def is_copy(self, segment: Segment) -> bool:
        """Whether a segment was seen on another interface; ask in order of time."""
        here = segment.frame.interface
        flow = segment.source, segment.destination
        direction = self._directions.get(flow)
        if direction and segment.flags & (SYN | ACK) == SYN and segment.seq != direction.syn:
            self.forget(*flow)  # the ports are used again
            direction = None
        if direction is None:
            direction = self._directions[flow] = _Direction()
        if direction.advance(segment):
            if direction.interface != here:
                direction.interface = here
                self.interfaces.add(here)
            return False
        return direction.interface != here

    def forget(self, one: Endpoint, other: Endpoint) -> None:
        """Stops following both directions of a connection."""
        self._directions.pop((one, other), None)
        self._directions.pop((other, one), None)

    def leave(self, interface: int) -> None:
        """Stops following anything on an interface, such as one that has gone down."""
        self._directions = {
            flow: one for flow, one in self._directions.items() if one.interface != interface
        }


@dataclass(slots=True)
class _Direction:
    """Where a direction is followed (-1: nowhere yet) and the highest raw numbers it has shown."""

    interface: int = -1
    syn: int | None = None
    end: int | None = None
    ack: int | None = None

    def advance(self, segment: Segment) -> bool:
        """Takes in a segment; whether it shows more than those before it, or another SYN."""
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
