"""One segment on its way through the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from trioecho.model import FIN, RST, SYN, Fact, Segment
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Half, Heard
from trioecho.tcp.history import History

CONTROL = SYN | FIN | RST


class Seen(Struct, gc=False):
    """A segment, its place in its connection, and what was found of it.

    Args:
        segment: the segment.
        number: its rung's number.
        time: when it was sent, nanoseconds since the epoch.
        seq, ack: its relative numbers; ack is None when the ACK bit is off.
        end: one past the sequence space it takes.
        mine, theirs: the half that sent it, and the other.
        history: the connection it belongs to.
        found: the facts so far.
        told: whether a rung is wanted, so that data and their ACKs are worth a fact.
        expected: whether it does just what is expected, so that no rule need be asked.
        pure: whether it only acknowledges: no data, no control bit, the next number.
        same_ack: whether it is pure and repeats its sender's last acknowledgment number.
        original: what first carried its first number, if that was used before.
        again: whether it repeats what was sent before, or uses its number without meaning it.
        copied: whether it is the same packet that was seen before.
        forged: whether a wire of ours sent it in the name of ``mine``.
        sack: its SACK blocks in relative numbers.
        subtype: the Multipath TCP option that is asked about.
        arrival: when it arrived.
        opens: whether its ACK is the first to arrive at the other end.
        newly: how many bytes it acknowledges for the first time.
        last: the last segment among them, if it covers one whole.
        brought_by: the rung that brought the last byte that it acknowledges, on a wire that knows.
        rtt: the time since that was sent, where it tells the round-trip time.
    """

    segment: Segment
    number: int
    time: int
    seq: int
    ack: int | None
    end: int
    mine: Half
    theirs: Half
    history: History
    found: list[Fact]
    told: bool = True
    expected: bool = False
    pure: bool = False
    same_ack: bool = False
    original: Sent | None = None
    again: bool = False
    copied: bool = False
    forged: bool = False
    sack: tuple[tuple[int, int], ...] = ()
    subtype: str = ""
    arrival: int = 0
    opens: bool = False
    newly: int = 0
    last: Sent | None = None
    brought_by: int | None = None
    rtt: int | None = None

    @property
    def acknowledges(self) -> int:
        """Its acknowledgment number, 0 when the ACK bit is off."""
        return self.ack or 0

    @property
    def wired(self) -> bool:
        """Whether it comes from a wire that knows what arrives, and what it has doubled."""
        return self.mine.heard is not None

    @property
    def heard(self) -> Half | Heard:
        """What the sender knows of what the other end told: on a wire that knows, what arrived."""
        return self.theirs.heard or self.theirs

    @property
    def older(self) -> bool:
        """Whether its sender has acknowledged more before, and nothing by that which was not seen:
        it says nothing of the window now."""
        ack, newest = self.ack, self.mine.ack
        if ack is None or newest is None:
            return False
        return ack < newest <= self.theirs.next

    @property
    def least_rtt(self) -> int | None:
        """Its sender's shortest round-trip time, or else the handshake's."""
        rtt = self.mine.rtt
        return self.history.initial_rtt if rtt is None else rtt.least

    @property
    def plausible(self) -> bool:
        """Whether its receiver could take it: not farther ahead than its window, told generously.

        What lies beyond was forged or garbled, and must not move what is known of its sender.
        """
        theirs = self.theirs
        if theirs.ack is None or theirs.window is None or not theirs.shift_known:
            return True
        return self.seq <= theirs.ack + theirs.room * 4


#: What a rule is: it looks at a segment and what is known, changes nothing, and may find a fact.
Rule: TypeAlias = Callable[[Seen], Fact | None]
