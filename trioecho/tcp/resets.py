"""RST: why it was sent, as far as the wire tells, and who takes it.

Theory of operation
===================
A RST says no more than "no", so its cause is read from what came before it. The first question is
whether it answers anything. An answer comes soon behind what it answers, but not sooner than the
way there and back allows. By the book a socket that is not there answers a segment with an ACK by
a RST without one, and the reverse (RFC 9293 §3.5.2); a close or an abort carries an ACK. The
second is when its sender last gave a sign of life: who spoke a moment ago has not restarted since.
"""

from __future__ import annotations

from trioecho.model import State
from trioecho.tcp import knowledge, notes
from trioecho.tcp.half import Half
from trioecho.tcp.notes import ResetCause
from trioecho.tcp.states import Event
from trioecho.tcp.step import Step

# An answer is here after this at the latest; by way of a satellite it takes 600 ms.
ANSWERED = 3_000_000_000
# Who spoke this recently has neither restarted nor forgotten for long.
LATELY = 60_000_000_000
# After this without an ACK, a SYN-ACK was waited for in vain (RFC 6298 §2: the first timeout).
PATIENCE = 1_000_000_000
# A reset that comes in less than this part of the way's own time answers nothing.
HASTE = 16
# How often the same must have been sent again before its sender gives up.
TIMES = 2

# These leave their sender in the state in which it was, if it is the sender at all.
_NO_END = frozenset(("out-of-window", "no-ack-of-syn", "unacceptable-ack"))
# A socket that is not there stays so: it answers each segment alike.
_NOT_THERE = frozenset(("refused", "half-open", "no-connection", "after-handshake", "gave-up"))


def reset(step: Step) -> None:
    """A RST leaves its sender."""
    why, mine = cause(step), step.mine
    step.found.append(notes.ConnectionRst(why))
    mine.resets += 1
    if why in _NO_END:
        return
    if why == "refused":
        mine.state_since = step.time  # so it was in none of the states that were presumed of it
    if mine.cut is None or mine.state is not State.CLOSED:
        mine.cut = why
    mine.cut_time = step.time
    mine.meet(Event.SEND_RST, step.time)


def cause(step: Step) -> ResetCause:
    """Why a RST was sent, as far as the wire tells."""
    mine, theirs = step.mine, step.theirs
    early = _before_synchronized(step)
    if early is not None:
        return early
    if theirs.state is State.TIME_WAIT:
        return "time-wait-assassination"
    prompted = _prompted(step)
    closed = mine.state is State.CLOSED
    if closed and mine.cut is not None:
        again = mine.cut in _NOT_THERE or _heard(theirs) <= mine.cut_time
        return mine.cut if again else "after-close"
    if mine.fin is not None or (closed and theirs.cut is None):
        if not prompted:
            return "unprompted"
        return "no-connection" if mine.fin is None else "after-close"
    if _in_vain(step):
        return "no-answer"
    # By the book an ACK is answered without one, and the reverse.
    if step.ack is None or (not mine.segments and theirs.segments and theirs.ack is None):
        return _not_there(step, prompted=prompted)
    if not mine.segments and not theirs.segments:
        return "unprompted"
    if mine.state is State.SYN_RECEIVED and mine.acked is None:
        return "unprompted"  # no program has had it yet
    # A server that resets instead of answering has perhaps not read the question; a client that
    # resets may have read its answer and had enough.
    unanswered = theirs.volume > 0 and theirs.next_time > mine.next_time
    return "unread-data" if mine.passive and unanswered else "aborted"


def takes_reset(seq: int, ack: int | None, receiver: Half) -> bool:
    """Whether a receiver acts on a RST.

    In SYN-SENT it must acknowledge the SYN; later it must have exactly the next sequence number,
    else it is answered with a challenge ACK or dropped (RFC 9293 §3.10.7.3, RFC 5961 §3).
    """
    if receiver.state is State.SYN_SENT:
        return ack is not None and knowledge.acceptable(ack, receiver)
    if receiver.state is State.SYN_RECEIVED and seq == receiver.ack:
        return True
    return receiver.received.up_to in (None, seq)


def _before_synchronized(step: Step) -> ResetCause | None:
    """What is to be asked first: who takes it, and what it answers while a connection opens."""
    mine, theirs, seq, bare = step.mine, step.theirs, step.seq, step.ack is None
    opening = mine.state in (State.SYN_SENT, State.SYN_RECEIVED)
    answers = bare and seq == theirs.ack  # what an end that has no such connection would send
    if opening and answers and not knowledge.acceptable(seq, mine, theirs):
        return "unacceptable-ack" if theirs.syn_seen else "half-open"
    taken = takes_reset(seq, step.ack, theirs)
    if theirs.state is State.SYN_SENT:
        return ("refused" if not mine.syn_seen else None) if taken else "no-ack-of-syn"
    if not taken and not answers:
        return "out-of-window"
    never = mine.ack is None or (theirs.acked is None and mine.ack > (theirs.next or 0))
    if mine.syn_seen and theirs.syn_seen and never:
        return "gave-up"  # its SYN was answered, and it has not acknowledged that
    return None


def _not_there(step: Step, *, prompted: bool) -> ResetCause:
    """Its form is that of an answer by an end that has no such connection."""
    mine = step.mine
    if not prompted or _hasty(step):
        return "unprompted"
    silent = step.time - max(_heard(mine), mine.cut_time)
    agreed_only = mine.passive and mine.syn_seen and mine.next == 1
    if agreed_only and (mine.ack or 0) <= 1 + step.theirs.syn_data and silent < LATELY:
        return "after-handshake"
    return "no-connection" if mine.segments and silent < LATELY else "half-open"


def _heard(sender: Half) -> int:
    """When the last of an end reached the other, or was sent if none carried an ACK."""
    return sender.ack_time or max(sender.asked_time, sender.next_time)


def _prompted(step: Step) -> bool:
    """Whether a RST can answer anything: what came since its sender spoke, or is unanswered yet."""
    mine, theirs, now = step.mine, step.theirs, step.time
    heard = _heard(theirs)
    spoken = max(_heard(mine), mine.cut_time)
    if not theirs.segments or now - heard > ANSWERED:
        return False
    return heard > spoken or bool(theirs.sent and now - theirs.sent[-1].time <= ANSWERED)


def _hasty(step: Step) -> bool:
    """Whether a RST comes sooner than an answer could to the first thing that is unanswered."""
    mine, sent = step.mine, step.theirs.sent
    if not sent or sent[0].time <= _heard(mine):
        return False
    return step.time - sent[0].time < mine.away // HASTE


def _in_vain(step: Step) -> bool:
    """Whether the sender has asked, or sent the same again, and nothing has come since."""
    mine, theirs = step.mine, step.theirs
    asked = mine.asked == "keep-alive" or theirs.window == 0
    if asked and theirs.ack_time < mine.asked_time:
        return True
    if mine.state is State.SYN_RECEIVED and mine.acked is None:
        return step.time - mine.next_time >= PATIENCE
    since, acked = theirs.ack_time, mine.acked or 0
    again = sum(sent.time > since and sent.end > acked for sent in mine.repeats)
    return again >= TIMES
