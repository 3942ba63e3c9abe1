"""The expected course of a connection: data and its acknowledgments."""

from __future__ import annotations

from typing import Literal

from trioecho.model import FIN, SYN, Segment, State
from trioecho.tcp import notes
from trioecho.tcp.half import Half
from trioecho.tcp.step import Step

# How much later than the quickest an ACK must be for its receiver to have held it back. Linux waits
# 40 ms, others up to 200 (RFC 1122 §4.2.3.2).
DELAYED = 30_000_000
# What was held back by Nagle's algorithm leaves as soon as that ACK is there.
AT_ONCE = 2_000_000


def data(step: Step) -> None:
    """Note new data, and whether it had to wait for a delayed ACK."""
    segment, mine = step.segment, step.mine
    if step.told:
        length, in_flight = segment.length, None
        if mine.acked is not None:
            sent = step.end if step.expected else max(step.end, mine.next or 0)
            in_flight = sent - mine.acked
        missing = length - len(segment.payload)
        if step.again:  # only what is behind the old bytes
            length += min(0, step.seq - (mine.next or 0))
            missing = min(missing, length)
        if length:
            step.found.append(notes.Data(length, in_flight, missing))
    if mine.held:
        # Whatever else arrived behind that ACK may be what this answers.
        last = step.theirs.ack_time == mine.held_time
        at_once = last and step.time - mine.held_time < AT_ONCE
        if at_once and _small(segment.length, segment, step.theirs):
            step.found.append(notes.NagleDelayedAck(mine.held))
            step.expected = False
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
    mine.ack_packet = segment.identification
    last = theirs.forget(ack)
    fin = theirs.fin
    length = (ack if fin is None or ack <= fin else fin) - (before if before else 1)
    if length > 0:
        pure = not segment.length and not segment.flags & (SYN | FIN)
        of = rtt = None
        if last is not None:
            of = last.number
            if last.end == ack and not theirs.clear < ack <= theirs.unclear:
                rtt = time - last.time
                if rtt >= 0:
                    theirs.rtt.add(rtt)
                late = rtt - min(theirs.rtt.least, initial_rtt or rtt) >= DELAYED
                if pure and late and not theirs.sent:
                    theirs.held = rtt if _small(last.end - last.seq, segment, mine) else 0
                    theirs.held_time = time
        if step.told:
            step.found.append(notes.Ack(length, pure, of, rtt))
    if fin is not None and ack > fin and not segment.flags & FIN:
        step_of_close: Literal[2, 4] = 2 if theirs is first_fin else 4
        waits, closed = mine.state is State.TIME_WAIT, mine.fin is not None and step.seq > mine.fin
        step.found.append(notes.FinAck(step_of_close, waits, closed, crossed))


def _small(length: int, segment: Segment, receiver: Half) -> bool:
    """Whether a payload leaves room in a segment; options take some of it (RFC 6691)."""
    options = 12 if segment.options.timestamps is not None else 0
    return length + options < (receiver.mss or 536)


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
