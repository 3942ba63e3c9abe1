"""How a connection closes: the FINs and their ACKs."""

from __future__ import annotations

from typing import Literal

from trioecho.model import FIN, Fact, Rung, State
from trioecho.tcp.rules.words import ends
from trioecho.tcp.step import Seen


class ConnectionFin(Fact, frozen=True, tag="connection-fin"):
    """A FIN ends one direction.

    ``step``: 1 for the end that closes first, 3 for the other (of the close's four steps).
    ``acknowledges``: it also carries the ACK of the other's FIN, which is step 2.
    ``simultaneous``: both FINs were sent before either was taken. ``presumed``: its sender was
    presumed to have taken the other's, and to be in CLOSE-WAIT.
    """

    step: Literal[1, 3]
    acknowledges: bool = False
    simultaneous: bool = False
    presumed: bool = False

    implied = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.6, case 3" if self.simultaneous else "RFC 9293 §3.6"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        if self.presumed:
            return (
                f"the {mine} closes too, before its socket has taken the {theirs}'s FIN: it never"
                " was in CLOSE-WAIT, this is a simultaneous close"
            )
        if self.simultaneous:
            return (
                f"the {mine} closes too, before the other's FIN has arrived: a simultaneous close"
            )
        if self.step == 1:
            return f"1 of 4: the {mine} closes its direction: it sends no more, but still receives"
        if self.acknowledges:
            return f"2 and 3 of 4: the {mine} acknowledges that and closes its own direction too"
        return f"3 of 4: the {mine} closes its direction too"


def crossing_fin(seen: Seen) -> ConnectionFin | None:
    """It is a FIN that does not acknowledge the peer's, which was sent too."""
    if not crosses(seen):
        return None
    presumed = seen.mine.state is State.CLOSE_WAIT
    return ConnectionFin(3, simultaneous=True, presumed=presumed)


def first_fin(seen: Seen) -> ConnectionFin | None:
    """It is a FIN, and the peer has sent none before it."""
    first = seen.history.first_fin
    return ConnectionFin(1) if first is None or first is seen.mine else None


def fin_with_ack(seen: Seen) -> ConnectionFin | None:
    """It is a FIN, and the first segment of its sender that acknowledges the peer's."""
    fin, acked = seen.theirs.fin, seen.mine.ack
    if fin is None or seen.ack is None or seen.ack <= fin or (acked is not None and acked > fin):
        return None
    return ConnectionFin(3, acknowledges=True)


def second_fin(seen: Seen) -> ConnectionFin | None:
    """It is any other FIN, after the peer's."""
    return ConnectionFin(3)


def crosses(seen: Seen) -> bool:
    """Whether the peer has sent a FIN that this segment does not acknowledge."""
    fin = seen.theirs.fin
    return fin is not None and (seen.ack is None or seen.ack <= fin)


class FinAck(Fact, frozen=True, tag="fin-ack"):
    """An ACK of a FIN: step 2 or step 4 of the close. ``time_wait``: its sender now waits.

    ``closed``: its sender has sent its own FIN before; ``crossed``: neither of the two FINs
    acknowledges the other, so that both ends will wait.
    """

    step: Literal[2, 4]
    time_wait: bool = False
    closed: bool = False
    crossed: bool = False

    implied = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.6, case 3" if self.crossed else "RFC 9293 §3.6"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        if self.crossed:
            return f"the {mine} acknowledges the FIN that crossed its own: both ends will wait" + (
                " in TIME-WAIT"
            )
        if self.step == 2:
            may = "nor will it" if self.closed else "it may still send"
            return f"2 of 4: the {mine} knows the {theirs} will send no more; {may}"
        if self.time_wait:
            return f"4 of 4: closed; the {mine} waits in TIME-WAIT, in case this ACK is lost"
        return "4 of 4: closed"


def fin_ack(seen: Seen) -> FinAck | None:
    """It acknowledges the peer's FIN for the first time as it arrives, and is no FIN itself."""
    mine, theirs, history = seen.mine, seen.theirs, seen.history
    if theirs.fin is None or seen.acknowledges <= theirs.fin or seen.segment.flags & FIN:
        return None
    if seen.ack != theirs.acked:
        return None  # an older ACK
    closed = mine.fin is not None and seen.seq > mine.fin
    return FinAck(
        2 if theirs is history.first_fin else 4,
        mine.state is State.TIME_WAIT,
        closed,
        history.fins_crossed,
    )
