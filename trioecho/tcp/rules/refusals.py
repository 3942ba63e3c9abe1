"""RST while a connection opens, and RST that changes nothing."""

from __future__ import annotations

from trioecho.model import State
from trioecho.tcp.rules.resets import ConnectionRst, HalfOpen
from trioecho.tcp.step import Seen


class UnacceptableAck(ConnectionRst, frozen=True):
    """An answer to an ACK of what its sender never sent, while it opens."""

    cause: str = "unacceptable-ack"
    moves = False
    says = "the {theirs} acknowledged what the {mine} never sent; this reset answers it"
    source = "RFC 9293 §3.10.7.3 and §3.10.7.4"


def unacceptable_ack(seen: Seen) -> UnacceptableAck | None:
    """It answers, while its sender opens, a peer whose SYN was seen and who acknowledged what was
    never sent."""
    if _answers_wrong_ack(seen) and seen.theirs.syn_seen:
        return UnacceptableAck()
    return None


def earlier_connection(seen: Seen) -> HalfOpen | None:
    """It answers, while its sender opens, a peer whose SYN was not seen and who acknowledged what
    was never sent."""
    return HalfOpen() if _answers_wrong_ack(seen) else None


class Refused(ConnectionRst, frozen=True):
    """An answer to a SYN: nothing listens there."""

    cause: str = "refused"
    absent = True
    says = "refused: nothing listens on that port, so the {mine}'s kernel answers for it"
    source = "RFC 9293 §3.5.2"

    def learn(self, seen: Seen) -> None:
        seen.mine.state_since = seen.time  # it was in none of the states presumed of it
        super().learn(seen)


def refused(seen: Seen) -> Refused | None:
    """It acknowledges the SYN of a peer in SYN-SENT, and its sender has sent no SYN."""
    if seen.theirs.state is State.SYN_SENT and not seen.mine.syn_seen and _taken(seen):
        return Refused()
    return None


class NoAckOfSyn(ConnectionRst, frozen=True):
    """The peer is in SYN-SENT and ignores it, since it does not acknowledge the SYN."""

    cause: str = "no-ack-of-syn"
    moves = False
    says = "it does not acknowledge the {theirs}'s SYN: the {theirs} ignores this reset"
    source = "RFC 9293 §3.10.7.3"


def no_ack_of_syn(seen: Seen) -> NoAckOfSyn | None:
    """The peer is in SYN-SENT, and it does not acknowledge the SYN."""
    if seen.theirs.state is State.SYN_SENT and not _taken(seen):
        return NoAckOfSyn()
    return None


class ForgedReset(ConnectionRst, frozen=True):
    """One that a wire of ours sent in an end's name, and that its receiver takes for real."""

    cause: str = "forged"
    moves = False
    says = "exactly the next number the {theirs} expects: it accepts this as the {mine}'s own reset"
    source = "RFC 5961 §3.2"


def forged(seen: Seen) -> ForgedReset | None:
    """A wire of ours made it, and the peer takes it."""
    return ForgedReset() if seen.forged and _taken(seen) else None


class Challenged(ConnectionRst, frozen=True):
    """It does not carry the next number, but one in the window: its receiver asks whether it is
    meant."""

    cause: str = "challenged"
    moves = False
    says = (
        "within the {theirs}'s window, but not the next number: it does not accept this reset, and"
        " may ask by a challenge ACK whether it is meant"
    )
    source = "RFC 5961 §3.2"


def challenged(seen: Seen) -> Challenged | None:
    """It carries neither the next number nor the one that the peer acknowledged last, but one in
    the window that the peer told last."""
    theirs = seen.theirs
    first = theirs.received.up_to
    if _taken(seen) or _answers_ack(seen) or first is None or not theirs.shift_known:
        return None
    spoke = (theirs.next or 0) > 1 or (theirs.ack or 0) > 1  # a SYN's window is not scaled
    within = first < seen.seq < first + ((theirs.window or 0) << theirs.shift * spoke)
    return Challenged() if within and theirs.state is not State.SYN_SENT else None


class OutOfWindow(ConnectionRst, frozen=True):
    """It does not carry the next number, so its receiver ignores it."""

    cause: str = "out-of-window"
    moves = False
    says = "not the next number the {theirs} expects: it ignores this reset"
    source = "RFC 5961 §3.2"


def out_of_window(seen: Seen) -> OutOfWindow | None:
    """It carries neither the next number nor the one that the peer acknowledged last."""
    return None if _taken(seen) or _answers_ack(seen) else OutOfWindow()


class GaveUp(ConnectionRst, frozen=True):
    """Its sender no longer waits for the SYN-ACK that has come."""

    cause: str = "gave-up"
    absent = True
    says = (
        "the {mine} no longer waits for this answer: it has given up, or only probed whether the"
        " port is open"
    )
    source = "RFC 9293 §3.10.7.1"


def gave_up(seen: Seen) -> GaveUp | None:
    """Both SYNs were seen, and its sender has never acknowledged the peer's."""
    mine, theirs = seen.mine, seen.theirs
    if theirs.state is State.SYN_SENT or not mine.syn_seen or not theirs.syn_seen:
        return None
    if mine.ack is None or (theirs.acked is None and mine.ack > (theirs.next or 0)):
        return GaveUp()
    return None


def _taken(seen: Seen) -> bool:
    return seen.theirs.takes_reset(seen.seq, seen.ack)


def _answers_ack(seen: Seen) -> bool:
    """Whether it is what an end without such a connection would send upon the peer's last ACK."""
    return seen.ack is None and seen.seq == seen.heard.ack


def _answers_wrong_ack(seen: Seen) -> bool:
    opening = seen.mine.state is State.SYN_SENT or seen.mine.state is State.SYN_RECEIVED
    return opening and _answers_ack(seen) and not seen.mine.accepts(seen.seq, seen.theirs)
