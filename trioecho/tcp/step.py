"""One segment on its way through the engine."""

from __future__ import annotations

from msgspec import Struct

from trioecho.model import Fact, Segment
from trioecho.tcp.half import Half


class Step(Struct, gc=False):
    """A segment, its place in its connection, and what has been found to say of it.

    Args:
        segment: the segment.
        number: its rung's number.
        time: when it was sent, nanoseconds since the epoch.
        seq, ack: its relative numbers; ack is None when the ACK bit is off.
        end: one past the sequence space it takes.
        mine: the half that sent it.
        theirs: the other.
        found: the notes so far.
        told: whether a rung is wanted, so that data and their ACKs are worth a note.
        expected: whether it does just what is expected, so that no verdict is due.
        again: whether it repeats what was sent before, or uses its number without meaning it.
    """

    segment: Segment
    number: int
    time: int
    seq: int
    ack: int | None
    end: int
    mine: Half
    theirs: Half
    found: list[Fact]
    told: bool = True
    expected: bool = False
    again: bool = False
