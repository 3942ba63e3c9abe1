"""The expected course of a connection: data, its acknowledgments, its close, how a RST cuts it."""

from __future__ import annotations

from typing import Literal

from trioecho.model import FIN, SYN, Segment, State
from trioecho.tcp import notes
from trioecho.tcp.half import Half
from trioecho.tcp.notes import ResetCause
from trioecho.tcp.step import Step

# How much later than the quickest an ACK must be for its receiver to have held it back. Linux waits
# 40 ms, others up to 200 (RFC 1122 §4.2.3.2).
DELAYED = 30_000_000
# What was held back by Nagle's algorithm leaves as soon as that ACK is there.
AT_ONCE = 2_000_000


def data(step: Step) -> None:
    """Note new data, and whether it had to wait for a delayed ACK."""
    segment, mine = step.segment, step.mine
    in_flight = None
    if mine.acked is not None:
        sent = step.end if step.expected else max(step.end, mine.next or 0)
        in_flight = sent - mine.acked
    missing = segment.length - len(segment.payload)
    step.found.append(notes.Data(segment.length, in_flight, missing))
    if mine.held:
        at_once = step.time - step.theirs.ack_time < AT_ONCE
        if at_once and _small(segment.length, segment, step.theirs):
            step.found.append(notes.NagleDelayedAck(mine.held))
        mine.held = 0


def acknowledge(
    step: Step,
    ack: int,
    time: int,
    first_fin: Half | None,
    initial_rtt: int | None,
    crossed: bool,
) -> None:
    """Note what a segment that arrives acknowledges for the first time, and let go of it.

    Args:
        step: the segment.
        ack: what it acknowledges.
        time: when it arrived.
        first_fin: the half that closed first, if one has.
        initial_rtt: the handshake's round-trip time, if it was seen.
        crossed: whether neither FIN acknowledges the other.
    """
    segment, mine, theirs = step.segment, step.mine, step.theirs
    before = theirs.acked
    theirs.acked = ack
    last = theirs.forget(ack)
    fin = theirs.fin
    length = (ack if fin is None or ack <= fin else fin) - (before if before else 1)
    if length > 0:
        pure = not segment.length and not segment.flags & (SYN | FIN)
        of = rtt = None
        if last is not None:
            of = last.number
            if last.end == ack and not last.repeated:
                rtt = time - last.time
                if rtt >= 0:
                    theirs.rtt.add(rtt)
                late = rtt - min(theirs.rtt.least, initial_rtt or rtt) >= DELAYED
                if pure and late and not theirs.sent:
                    theirs.held = rtt if _small(last.end - last.seq, segment, mine) else 0
        step.found.append(notes.Ack(length, pure, of, rtt))
    if fin is not None and ack > fin and not segment.flags & FIN:
        step_of_close: Literal[2, 4] = 2 if theirs is first_fin else 4
        waits, closed = mine.state is State.TIME_WAIT, mine.fin is not None
        step.found.append(notes.FinAck(step_of_close, waits, closed, crossed))


def _small(length: int, segment: Segment, receiver: Half) -> bool:
    """Whether a payload leaves room in a segment; options take some of it (RFC 6691)."""
    options = 12 if segment.options.timestamps is not None else 0
    return length + options < (receiver.mss or 536)


def fast_open(step: Step) -> None:
    """Note what a SYN or a SYN-ACK says of Fast Open: its cookie, data on the SYN (RFC 7413)."""
    cookie = step.segment.options.fast_open
    if step.ack is None:
        if cookie is not None:
            length = step.segment.length
            step.found.append(notes.TfoSyn(length) if cookie else notes.TfoRequest())
        return
    if cookie:
        step.found.append(notes.TfoCookie(len(cookie)))
    if sent := step.theirs.syn_data:
        taken = min(step.ack - 1, sent)
        step.found.append(notes.TfoAck(taken) if taken > 0 else notes.TfoIgnored(sent))


def fin_step(step: Step, first_fin: Half | None) -> tuple[Literal[1, 3], bool]:
    """Which step of the close a FIN is, and whether it carries the ACK of the peer's FIN too."""
    if first_fin is None or first_fin is step.mine:
        return 1, False
    fin, acked = step.theirs.fin, step.theirs.acked
    if step.ack is None or fin is None or step.ack <= fin:
        return 3, False
    return 3, acked is None or acked <= fin


def reset_cause(step: Step) -> ResetCause:
    """Why a RST was sent, as far as the wire can tell (RFC 9293 §3.5.2)."""
    mine, theirs = step.mine, step.theirs
    if not takes_reset(step.seq, step.ack, theirs):
        return "out-of-window"
    if theirs.state is State.SYN_SENT and not mine.syn_seen:
        return "refused"
    if theirs.state is State.TIME_WAIT:
        return "time-wait-assassination"
    if not mine.segments or (mine.state is State.SYN_SENT and theirs.syn_seen and step.ack is None):
        return "half-open"
    if mine.fin is not None or mine.state is State.CLOSED:
        return "after-close"
    if mine.asked == "keep-alive" and theirs.ack_time < mine.asked_time:
        return "no-answer"
    if step.ack is None:
        return "half-open"  # a close or an abort carries an ACK; this answers by the book, §3.5.2
    # A server that resets instead of answering had not read the question; a client that resets may
    # have read its answer and had enough.
    unanswered = theirs.volume > 0 and theirs.next_time > mine.next_time
    return "unread-data" if mine.passive and unanswered else "aborted"


def takes_reset(seq: int, ack: int | None, receiver: Half) -> bool:
    """Whether a receiver acts on a RST.

    In SYN-SENT it must acknowledge the SYN; later it must have exactly the next sequence number,
    else it is answered with a challenge ACK or dropped (RFC 9293 §3.10.7.3, RFC 5961 §3).
    """
    if receiver.state is State.SYN_SENT:
        return ack is not None and acknowledges_syn(ack, receiver)
    if receiver.state is State.SYN_RECEIVED and seq == receiver.ack:
        return True
    return receiver.received.up_to in (None, seq)


def acknowledges_syn(ack: int, opener: Half) -> bool:
    """Whether an ACK that reaches an end in SYN-SENT is acceptable: ISS < ack <= SND.NXT."""
    return ack > 0 and (opener.next is None or ack <= opener.next)


def overlap(step: Step) -> None:
    """Note where a repeated segment differs from what was sent first (RFC 9293 §3.10.7.4)."""
    payload = step.segment.payload
    for sent in step.mine.within(step.seq, step.seq + len(payload)):
        start, end = max(sent.seq, step.seq), min(sent.end, step.seq + len(payload))
        then = sent.payload[start - sent.seq : end - sent.seq]
        now = payload[start - step.seq : end - step.seq][: len(then)]
        if then[: len(now)] != now:
            at = next(
                i for i, pair in enumerate(zip(then, now, strict=False)) if pair[0] != pair[1]
            )
            step.found.append(notes.SegmentOverlapConflict(sent.number, start + at))
            return
