"""RST while a connection opens, and RST that changes nothing."""

from __future__ import annotations

from trioecho.model import Rung, State
from trioecho.tcp.rules.resets import ConnectionRst, HalfOpen, cut
from trioecho.tcp.rules.words import ends
from trioecho.tcp.states import UNANSWERED
from trioecho.tcp.step import Seen

_NONE = (State.CLOSED, *UNANSWERED)
#: The states in which an end answers what it does not believe by a challenge ACK.
# Elsewhere kernels differ: Linux challenges none in TIME-WAIT, and behind a close takes any within
# the window in FIN-WAIT-2.
CHALLENGING = (
    State.ESTABLISHED,
    State.FIN_WAIT_1,
    State.CLOSE_WAIT,
    State.CLOSING,
    State.LAST_ACK,
)


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


class AnswersOldAck(ConnectionRst, frozen=True):
    """It answers rung ``of``, an ACK that came behind newer ones to an end that has closed."""

    of: int = 0
    cause: str = "old-ack"
    moves = False
    source = "RFC 9293 §3.10.7.1"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return (
            f"the {mine} has closed, and answers rung {self.of}, an older ACK; so its own number is"
            f" old, too, and the {theirs} drops this reset"
        )


def answers_old_ack(seen: Seen) -> AnswersOldAck | None:
    """It has no ACK, its sender is closed, and it has the number of the peer's last ACK that came
    behind a newer one."""
    late = seen.theirs.late_ack
    if late is None or seen.ack is not None or seen.mine.state is not State.CLOSED or _taken(seen):
        return None
    return AnswersOldAck(of=late[0]) if seen.seq == late[1] else None


class NumberZero(ConnectionRst, frozen=True):
    """It has the number 0, as where its sender knows none."""

    cause: str = "number-zero"
    moves = False
    says = (
        "its number is 0, as where an end without this connection answers a segment that has no"
        " ACK; the {theirs} drops this reset"
    )
    source = "RFC 9293 §3.10.7.1"


def number_zero(seen: Seen) -> NumberZero | None:
    """It has an ACK and the absolute number 0, which lies outside its receiver's window."""
    if seen.segment.seq or seen.ack is None or _taken(seen) or _in_window(seen) is not False:
        return None
    return NumberZero()


class NotTaken(ConnectionRst, frozen=True):
    """It changes nothing at its receiver; but an end that resets has let go of its connection."""

    def moved(self, seen: Seen) -> bool:
        """Whether that end has sent it: on our wire it has; in a capture it knows its number."""
        return seen.wired or seen.seq == seen.mine.next


class Challenged(NotTaken, frozen=True):
    """It may be a guess, so its receiver asks the end in whose name it came."""

    cause: str = "challenged"
    says = (
        "within the {theirs}'s window, but not its next number: the {theirs} does not take this"
        " reset, and answers by a challenge ACK, unless it has just sent one"
    )
    says_lost = (
        "within the {theirs}'s window, but not its next number: the {theirs} would not have taken"
        " this reset"
    )
    source = "RFC 5961 §3.2"


def challenged(seen: Seen) -> Challenged | None:
    """It lies within its receiver's window, and carries neither the next number nor, unless our
    wire forged it, the one that the peer acknowledged last."""
    if _counts(seen) or seen.theirs.state not in CHALLENGING:
        return None
    return Challenged() if _in_window(seen) else None


class OutOfWindow(NotTaken, frozen=True):
    """Its number lies outside its receiver's window, so it is dropped."""

    cause: str = "out-of-window"
    says = "outside the {theirs}'s window: the {theirs} drops this reset, and answers nothing"
    says_lost = "outside the {theirs}'s window: the {theirs} would have dropped this reset"
    source = "RFC 5961 §3.2"


def out_of_window(seen: Seen) -> OutOfWindow | None:
    """It lies outside the window of its receiver, which has a connection and is not in
    FIN-WAIT-2."""
    if _counts(seen) or seen.theirs.state in (State.FIN_WAIT_2, *_NONE):
        return None
    return OutOfWindow() if _in_window(seen) is False else None


class NotNext(NotTaken, frozen=True):
    """It does not carry the next number; it is not known what its receiver makes of it.

    ``closed``: it lies within the window of an end in FIN-WAIT-2, of which Linux keeps little more
    than its numbers if its program has closed the socket, and not just one direction.
    """

    closed: bool = False
    cause: str = "not-next"
    says = "not the next number that the {theirs} expects: by the book it does not take this reset"
    says_lost = (
        "not the next number that the {theirs} expects: by the book it would not have taken this"
        " reset"
    )
    source = "RFC 5961 §3.2"

    def text(self, rung: Rung) -> str:
        linux = "; Linux does, without a sign, if the program there has closed its socket"
        return super().text(rung) + linux * (self.closed and not rung.lost)


def not_next(seen: Seen) -> NotNext | None:
    """It carries neither the next number nor, unless our wire forged it, the one that the peer
    acknowledged last; its receiver has a connection."""
    if _counts(seen) or seen.theirs.state in _NONE:
        return None
    return NotNext(closed=seen.theirs.state is State.FIN_WAIT_2 and bool(_in_window(seen)))


class ForgedTaken(ConnectionRst, frozen=True):
    """A RST that our wire forged, and that its receiver cannot tell from one of the peer's."""

    cause: str = "forged"
    moves = False
    says = (
        "its numbers are right: the {theirs} takes this reset for the {mine}'s, and its connection"
        " is over"
    )
    source = "RFC 5961 §3.2"


def forged_taken(seen: Seen) -> ForgedTaken | None:
    """Its receiver has a connection, and takes it."""
    return ForgedTaken() if seen.theirs.state not in _NONE and _taken(seen) else None


class ForgedInVain(ConnectionRst, frozen=True):
    """A RST that our wire forged, and whose receiver has no connection."""

    cause: str = "forged-in-vain"
    moves = False
    says = "the {theirs} has no connection that it could end, and ignores this reset"
    source = "RFC 9293 §3.10.7.1 and §3.10.7.2"


def forged_in_vain(seen: Seen) -> ForgedInVain | None:
    """Its receiver is in CLOSED or LISTEN."""
    return ForgedInVain() if seen.theirs.state in _NONE else None


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
    """Both SYNs were seen, and its sender has neither acknowledged the peer's nor been reset by our
    wire."""
    mine, theirs = seen.mine, seen.theirs
    if cut(seen):
        return None
    if theirs.state is State.SYN_SENT or not mine.syn_seen or not theirs.syn_seen:
        return None
    if mine.ack is None or (theirs.acked is None and mine.ack > theirs.next):
        return GaveUp()
    return None


def _taken(seen: Seen) -> bool:
    return seen.theirs.takes_reset(seen.seq, seen.ack, sack=seen.history.sack)


def _counts(seen: Seen) -> bool:
    """Whether it is taken, or shows at least what its sender was told last."""
    return _taken(seen) or (not seen.forged and _answers_ack(seen))


def _in_window(seen: Seen) -> bool | None:
    """Whether its number lies within the window that its receiver told last, where that is known.

    Without its SYN, an end's scale is unknown.
    """
    theirs = seen.theirs
    if theirs.ack is None or theirs.window is None:
        return None
    beyond = seen.seq - theirs.ack
    known = theirs.shift_known
    least = theirs.window << (theirs.shift if known else 0)
    if 0 <= beyond < least:
        return True
    return False if known or not 0 <= beyond < theirs.room else None


def _answers_ack(seen: Seen) -> bool:
    """Whether it is what an end without such a connection would send upon the peer's last ACK."""
    return seen.ack is None and seen.seq == seen.heard.ack


def _answers_wrong_ack(seen: Seen) -> bool:
    """Whether it answers an ACK that does not count, as happens only to an end that opens."""
    return _answers_ack(seen) and not seen.mine.accepts(seen.seq, seen.theirs)
