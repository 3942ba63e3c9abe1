"""RST: why it was sent, as far as the wire tells.

Theory of operation
===================
A RST only says "no", so its cause is inferred from what came before it. The first question is
whether it answers anything. An answer comes soon after what it answers, but not sooner than the
path allows. By the book, a host without such a socket answers a segment with an ACK by a RST
without one, and the reverse (RFC 9293 §3.5.2); a close or an abort carries an ACK. The second is
when its sender last gave a sign of life: an end that spoke a moment ago has not restarted since.
"""

from __future__ import annotations

from typing import ClassVar

from trioecho.model import End, Fact, Rung, State
from trioecho.tcp.half import Asked, Half, ResetSent
from trioecho.tcp.rules.words import ends
from trioecho.tcp.states import UNANSWERED, Event
from trioecho.tcp.step import Seen

# An answer arrives within this time; over a satellite it takes 600 ms.
ANSWERED = 3_000_000_000
# An end that spoke this recently has not restarted, nor long forgotten the connection.
LATELY = 60_000_000_000
# After this long without an ACK, its sender gives up on a SYN-ACK (RFC 6298 §2: the first timeout).
PATIENCE = 1_000_000_000
# A reset that comes within this fraction of the path's round trip answers nothing.
HASTE = 16
# How many retransmissions there must be before the sender gives up.
TIMES = 2


class ConnectionRst(Fact, frozen=True, tag="connection-rst"):
    """A RST ends the connection at once; ``cause``: why, as far as the wire tells.

    Attributes:
        absent: whether its sender has no socket for the connection: it answers every segment the
            same way.
        moves: whether it changes its sender's state, if that is the sender at all.
        says: the sentence.
        says_lost: the same where it never arrives, so that nobody makes anything of it.
    """

    cause: str

    trouble = True
    absent: ClassVar[bool] = False
    moves: ClassVar[bool] = True
    says: ClassVar[str]
    says_lost: ClassVar[str] = ""

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        says = (rung.lost and self.says_lost) or self.says
        return says.format(mine=mine, theirs=theirs)

    def moved(self, seen: Seen) -> bool:
        """Whether its sender has changed its state by it."""
        return self.moves

    def learn(self, seen: Seen) -> None:
        mine = seen.mine
        mine.resets += 1
        if not self.moved(seen):
            return
        before = mine.reset if mine.state is State.CLOSED else None
        mine.reset = ResetSent(self if before is None else before.why, seen.time)
        mine.meet(Event.SEND_RST, seen.time)


class HalfOpen(ConnectionRst, frozen=True):
    """An answer: its sender, long silent or never heard, has no such connection."""

    cause: str = "half-open"
    absent = True
    says = "the {mine} knows nothing of this connection: it restarted, or has long forgotten it"
    source = "RFC 9293 §3.5.1"


# ---- an end that is closed or closes -------------------------------------------------------------


class TimeWaitAssassination(ConnectionRst, frozen=True):
    """It ends the peer's TIME-WAIT early (RFC 1337)."""

    cause: str = "time-wait-assassination"
    says = "it ends the {theirs}'s TIME-WAIT too early: an old duplicate may now do harm"
    source = "RFC 1337"


class Bystander(TimeWaitAssassination, frozen=True):
    """Its sender opens another connection, and goes on waiting for an ACK of its SYN."""

    moves = False


def time_wait_assassination(seen: Seen) -> TimeWaitAssassination | None:
    """The peer is in TIME-WAIT."""
    if seen.theirs.state is not State.TIME_WAIT:
        return None
    return Bystander() if seen.mine.state is State.SYN_RECEIVED else TimeWaitAssassination()


def same_reason(seen: Seen) -> ConnectionRst | None:
    """Its sender has reset the connection before, and has no socket, or got nothing since and does
    not answer anything."""
    mine = seen.mine
    if mine.state is not State.CLOSED or mine.reset is None:
        return None
    why = mine.reset.why
    assert isinstance(why, ConnectionRst)
    repeats = not _has_form_of_answer(seen) and _heard(seen.theirs) <= mine.reset.time
    return why if why.absent or repeats else None


class NoConnection(ConnectionRst, frozen=True):
    """An answer: there is no such connection any more, a moment after there was."""

    cause: str = "no-connection"
    absent = True
    says = "the answer to a segment: the {mine} no longer has this connection"
    source = "RFC 9293 §3.5.2"


class AfterClose(ConnectionRst, frozen=True):
    """A segment arrived for a socket that was already closed."""

    cause: str = "after-close"
    says = "the {mine} had already closed: no program is left there to read what arrived"
    source = "RFC 1122 §4.2.2.13"


def ended_by_wire(seen: Seen) -> NoConnection | None:
    """A reset that our wire forged has ended its connection, and its sender has sent none."""
    return NoConnection() if cut(seen) else None


def ack_after_reset(seen: Seen) -> NoConnection | None:
    """Its sender has reset the connection before, and the peer waits for the ACK of nothing: it
    answers a mere ACK."""
    mine, waits = seen.mine, seen.theirs.flight.sent
    if mine.state is not State.CLOSED or mine.reset is None or waits or seen.ack is not None:
        return None
    return NoConnection()


def after_reset(seen: Seen) -> AfterClose | None:
    """Its sender has reset the connection before."""
    mine = seen.mine
    return AfterClose() if mine.state is State.CLOSED and mine.reset is not None else None


class Unprompted(ConnectionRst, frozen=True):
    """Nothing has come that it could answer, and no program is seen to close."""

    cause: str = "unprompted"
    says = (
        "nothing was seen that it could answer: perhaps the {mine} ends the connection of its own"
        " accord, or a device on the way does so in its name"
    )
    source = "RFC 9293 §3.5.3"


def unprompted_by_closed(seen: Seen) -> Unprompted | None:
    """Its sender has sent its FIN or is closed, and nothing came in the last 3 s that it could
    answer."""
    return Unprompted() if _closes(seen) and not _prompted(seen) else None


def after_close(seen: Seen) -> AfterClose | None:
    """Its sender has sent its FIN."""
    return AfterClose() if _closes(seen) else None


# ---- an end that is open -------------------------------------------------------------------------


class NoAnswer(ConnectionRst, frozen=True):
    """Its sender probed or retransmitted, and got no answer."""

    cause: str = "no-answer"
    says = (
        "the {mine} gives up: it has probed or retransmitted, and heard nothing from the {theirs}"
    )
    source = "RFC 9293 §3.8.3 and §3.8.4"


def question_unanswered(seen: Seen) -> NoAnswer | None:
    """Its sender's keep-alive or probe was not answered."""
    mine, theirs = seen.mine, seen.theirs
    asked = mine.asked is Asked.KEEP_ALIVE or seen.heard.window == 0
    return NoAnswer() if asked and theirs.ack_time < mine.asked_time else None


def synack_unanswered(seen: Seen) -> NoAnswer | None:
    """Its sender's SYN-ACK was not acknowledged for 1 s."""
    if _agrees(seen.mine) and seen.time - seen.mine.next_time >= PATIENCE:
        return NoAnswer()
    return None


def repeated_in_vain(seen: Seen) -> NoAnswer | None:
    """Its sender has sent the same again twice or more, and nothing has come since."""
    mine, since = seen.mine, seen.theirs.ack_time
    if _agrees(mine):
        return None
    acked = mine.acked or 0
    again = sum(
        sent.time > since and sent.end > acked and not sent.copied for sent in mine.flight.repeats
    )
    return NoAnswer() if again >= TIMES else None


def unprompted_answer(seen: Seen) -> Unprompted | None:
    """It has the form of an answer, but nothing came in the last 3 s that it could answer, or what
    came did so in less than a sixteenth of the time that the path takes."""
    if not _has_form_of_answer(seen):
        return None
    return Unprompted() if not _prompted(seen) or _hasty(seen) else None


class AfterHandshake(ConnectionRst, frozen=True):
    """A server that had agreed does not keep the connection."""

    cause: str = "after-handshake"
    absent = True
    says = (
        "the {mine} had answered the SYN, but drops the connection: its backlog is full, or its"
        " program is gone"
    )
    source = "RFC 9293 §3.5.2"


def after_handshake(seen: Seen) -> AfterHandshake | None:
    """It has the form of an answer, and its sender has sent nothing but its SYN-ACK, less than a
    minute ago."""
    mine = seen.mine
    if not (_has_form_of_answer(seen) and mine.passive and mine.syn_seen and mine.next == 1):
        return None
    if (mine.ack or 0) > 1 + seen.theirs.syn_data or not _spoke_lately(seen):
        return None
    return AfterHandshake()


def no_connection(seen: Seen) -> NoConnection | None:
    """It has the form of an answer, and its sender spoke less than a minute ago."""
    if _has_form_of_answer(seen) and seen.mine.segments and _spoke_lately(seen):
        return NoConnection()
    return None


def half_open(seen: Seen) -> HalfOpen | None:
    """It has the form of an answer."""
    return HalfOpen() if _has_form_of_answer(seen) else None


def first_of_all(seen: Seen) -> Unprompted | None:
    """Nothing was seen before it."""
    return Unprompted() if not seen.mine.segments and not seen.theirs.segments else None


def not_accepted_yet(seen: Seen) -> Unprompted | None:
    """Its sender's SYN is not acknowledged: no program has had the connection yet."""
    return Unprompted() if _agrees(seen.mine) else None


class ProgramStopped(ConnectionRst, frozen=True):
    """trioecho has stopped its sender's program."""

    cause: str = "program-stopped"
    says = (
        "trioecho has stopped the {mine}'s program, and its kernel ends what that left open: by a"
        " reset where data is unread, nobody has accepted, or SO_LINGER is 0"
    )
    source = "RFC 1122 §4.2.2.13"


def program_stopped(seen: Seen) -> ProgramStopped | None:
    """We stopped its sender's program before, which had sent no FIN, and it does not have the form
    of an answer."""
    history = seen.history
    end: End = "client" if seen.mine is history.client else "server"
    stopped = None if history.told is None else history.told.stopped.get(end)
    if stopped is None or seen.time < stopped or _closes(seen) or _has_form_of_answer(seen):
        return None
    return ProgramStopped()


class UnreadData(ConnectionRst, frozen=True):
    """A server that resets instead of answering: perhaps it had not read."""

    cause: str = "unread-data"
    says = (
        "the {mine} ended abruptly, perhaps before it had read what the {theirs} sent: then data"
        " is lost"
    )
    source = "RFC 1122 §4.2.2.13, RFC 2525 §2.17"


def unread_data(seen: Seen) -> UnreadData | None:
    """Its sender opened passively, and the peer's data are newer than all that it sent.

    A client that resets may have read its answer and had enough.
    """
    mine, theirs = seen.mine, seen.theirs
    if mine.passive and theirs.volume > 0 and theirs.next_time > mine.next_time:
        return UnreadData()
    return None


class Aborted(ConnectionRst, frozen=True):
    """Its program closed, or died, with SO_LINGER 0, or with data ``unread``, if it got any, or
    before it had ``accepted`` the connection, if it has not sent any."""

    unread: bool = True
    accepted: bool = True
    cause: str = "aborted"
    source = "RFC 9293 §3.10.5"

    def text(self, rung: Rung) -> str:
        hows = ["with data unread"] * self.unread + ["with SO_LINGER 0"]
        hows += ["before it had accepted the connection"] * (not self.accepted)
        return f"the {rung.sender} aborts: its program closed, or died, {' or '.join(hows)}"


def aborted(seen: Seen) -> Aborted | None:
    """Any other RST."""
    mine, theirs, opening = seen.mine, seen.theirs, seen.history.opening
    got = not opening or theirs.volume > 0
    return Aborted(unread=got, accepted=not (opening and mine.passive) or mine.volume > 0)


# ---- what the rules have in common ---------------------------------------------------------------


def _closes(seen: Seen) -> bool:
    """Whether its sender has sent its FIN, or is closed other than by the peer's reset."""
    mine = seen.mine
    return mine.fin is not None or (mine.state is State.CLOSED and seen.theirs.reset is None)


def cut(seen: Seen) -> bool:
    """Whether our wire has reset its sender: then all that it sends is an answer."""
    closed = seen.mine.state in (State.CLOSED, *UNANSWERED)
    gone = closed and seen.mine.reset is None and seen.mine.fin is None
    return gone and seen.history.reset_by == "wire"


def _agrees(mine: Half) -> bool:
    """Whether an end waits for the ACK of its SYN-ACK."""
    return mine.state is State.SYN_RECEIVED and mine.acked is None


def _has_form_of_answer(seen: Seen) -> bool:
    """Whether an end that has no such connection would send this.

    By the book it answers an ACK without one, and the reverse.
    """
    if seen.ack is None:
        return True
    return not seen.mine.segments and bool(seen.theirs.segments) and seen.theirs.ack is None


def _heard(sender: Half) -> int:
    """When an end's last segment reached the other, or was sent if none carried an ACK."""
    return sender.ack_time or max(sender.asked_time, sender.next_time)


def _spoke(mine: Half) -> int:
    """When the sender of a reset last sent a segment."""
    return max(_heard(mine), mine.reset.time if mine.reset is not None else 0)


def _spoke_lately(seen: Seen) -> bool:
    return seen.time - _spoke(seen.mine) < LATELY


def _prompted(seen: Seen) -> bool:
    """Whether it can answer anything: what came since its sender spoke, or is unanswered yet."""
    theirs, now = seen.theirs, seen.time
    heard, sent = _heard(theirs), theirs.flight.sent
    if not theirs.segments or now - heard > ANSWERED:
        return False
    return cut(seen) or heard > _spoke(seen.mine) or bool(sent and now - sent[-1].time <= ANSWERED)


def _hasty(seen: Seen) -> bool:
    """Whether it comes sooner than an answer could to the first thing that is unanswered."""
    mine, sent, heard = seen.mine, seen.theirs.flight.sent, seen.theirs.heard
    if not sent or sent[0].time <= _heard(mine):
        return False
    if heard is not None:  # a wire that knows what has arrived
        return not heard.brought
    return seen.time - sent[0].time < mine.tap_rtt // HASTE
