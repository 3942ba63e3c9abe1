"""What comes of a SYN that our wire forged: an end may take it for its peer's, or not."""

from __future__ import annotations

from trioecho.model import OTHER, RST, SYN, Fact, Rung, State
from trioecho.model.sequence import MASK
from trioecho.tcp.half import Asked, Half
from trioecho.tcp.rules.refusals import CHALLENGING, UnacceptableAck
from trioecho.tcp.rules.resets import ConnectionRst
from trioecho.tcp.rules.words import ends
from trioecho.tcp.states import UNANSWERED
from trioecho.tcp.step import Seen

# ---- it arrives ----------------------------------------------------------------------------------


class ForgedSyn(Fact, frozen=True, tag="forged-syn"):
    """A SYN that our wire forged reaches an end whose connection is open: it is not believed."""

    trouble = True
    source = "RFC 5961 §4.2"

    def text(self, rung: Rung) -> str:
        theirs = OTHER[rung.sender]
        return (
            f"the {theirs} is connected and does not believe a new SYN: it answers by a challenge"
            " ACK, unless it has just sent one"
        )


def forged_syn(seen: Seen) -> ForgedSyn | None:
    """It is a SYN, and its receiver is established or closes, but not in FIN-WAIT-2 or TIME-WAIT,
    where kernels differ."""
    if seen.segment.flags & SYN and seen.theirs.state in CHALLENGING:
        return ForgedSyn()
    return None


class ForgedSynBelieved(ForgedSyn, frozen=True):
    """It reaches an end that has seen no other SYN, and is taken for the peer's."""

    believed: bool = True

    source = "RFC 9293 §3.10.7.2 and §3.10.7.3"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return f"the {theirs} takes it for the {mine}'s, and answers it"


def forged_syn_believed(seen: Seen) -> ForgedSynBelieved | None:
    """It is a SYN, and its receiver is in SYN-SENT, or listens and no SYN of the peer has
    arrived."""
    opens = seen.theirs.state in (State.SYN_SENT, State.LISTEN) and not _syn_arrived(seen.mine)
    return ForgedSynBelieved() if seen.segment.flags & SYN and opens else None


class ForgedSynLate(ForgedSyn, frozen=True):
    """It reaches an end that has the peer's own SYN, and whose window it lies outside of."""

    late: bool = True

    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return (
            f"the {theirs} has the {mine}'s own SYN, and does not believe another: it answers by an"
            " ACK"
        )


def forged_syn_late(seen: Seen) -> ForgedSynLate | None:
    """It is a SYN, its receiver has answered the peer's SYN or is about to, and it neither has the
    same number nor one within the window."""
    opens = seen.theirs.state in (State.SYN_RECEIVED, *UNANSWERED) and _syn_arrived(seen.mine)
    if not seen.segment.flags & SYN or not opens:
        return None
    return None if 0 <= seen.seq <= seen.theirs.room else ForgedSynLate()


# ---- it was believed -----------------------------------------------------------------------------


class AnswersForged(Fact, frozen=True, tag="answers-forged"):
    """It acknowledges the SYN that our wire forged, rung ``of``, and not one of the peer's."""

    of: int

    trouble = dropped = True
    source = "RFC 9293 §3.10.7.3 and §3.10.7.4"

    def text(self, rung: Rung) -> str:
        return (
            f"it acknowledges the SYN that the wire forged, rung {self.of}, which the"
            f" {OTHER[rung.sender]} never sent"
        )


def answers_forged(seen: Seen) -> AnswersForged | None:
    """Its sender has believed a SYN that our wire forged, and it acknowledges that one."""
    believed, ack = seen.mine.believed, seen.segment.ack
    if believed is None or ack != (believed.isn + 1) & MASK:
        return None
    return AnswersForged(believed.number)


def resets_believer(seen: Seen) -> UnacceptableAck | None:
    """It is a RST with the number that a SYN has asked for which our wire forged, and which the
    peer has believed."""
    believed = seen.theirs.believed
    if believed is None or not seen.segment.flags & RST:
        return None
    return UnacceptableAck() if seen.segment.seq == (believed.isn + 1) & MASK else None


class ResetsForged(ConnectionRst, frozen=True):
    """It answers the SYN that our wire forged, rung ``of``, by an end that was opening."""

    of: int = 0
    cause: str = "forged-syn"
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return (
            f"it answers the SYN that the wire forged, rung {self.of}, within the window of a"
            f" connection that opens: the {mine} gives that up, and the {theirs} drops this reset"
        )


def resets_forged(seen: Seen) -> ResetsForged | None:
    """It is a RST that acknowledges a SYN which our wire forged in the peer's name, and no more."""
    forged = seen.theirs.forged
    if forged is None or forged.asked is not Asked.SYN or not seen.segment.flags & RST:
        return None
    return ResetsForged(of=forged.number) if seen.segment.ack == (forged.seq + 1) & MASK else None


class Misled(Fact, frozen=True, tag="misled"):
    """It is for an end that has believed the SYN that our wire forged, rung ``of``; ``reset``:
    it does not acknowledge that end's own SYN."""

    of: int
    reset: bool = False

    trouble = dropped = True
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        answer = "a reset" if self.reset else "an ACK"
        return (
            f"the {theirs} has taken the SYN that the wire forged, rung {self.of}, for the"
            f" {mine}'s: this one does not fit, and it answers by {answer}"
        )


def misled(seen: Seen) -> Misled | None:
    """Its receiver has believed a SYN that our wire forged, and has not been reset since; it is
    neither a RST nor has that SYN's number."""
    believed = seen.theirs.believed
    if believed is None or seen.segment.flags & RST or seen.theirs.state is State.CLOSED:
        return None
    if seen.segment.seq == believed.isn:
        return None
    waits, ack = seen.theirs.state is State.SYN_RECEIVED, seen.ack
    wrong = ack is not None and not seen.theirs.accepts(ack, seen.mine)
    return Misled(believed.number, reset=waits and wrong)


# ---- what these rules have in common -------------------------------------------------------------


def _syn_arrived(sender: Half) -> bool:
    """Whether an end's own SYN has reached the peer."""
    heard = sender.heard
    return heard is not None and any(one.seq <= 0 < one.end for one in heard.brought)
