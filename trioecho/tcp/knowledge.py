"""What a segment teaches an observer of its two ends, beside what is said of it."""

from __future__ import annotations

from trioecho.model import FIN, RST, SYN, Fact, Segment, State
from trioecho.model.ranges import take
from trioecho.model.sequence import MASK
from trioecho.tcp import notes
from trioecho.tcp.half import MOST_LATEST, Gap, Half, Sent
from trioecho.tcp.states import Event
from trioecho.tcp.step import Step

# Windows grow while segments are on their way; nothing is far beyond this many bytes.
LEAST_WINDOW = 1 << 16

#: The states before a connection is synchronized, or when it is no more.
OPENING = frozenset((State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED))


def plausible(step: Step) -> bool:
    """Whether a receiver could take a segment: not farther ahead than its window, told generously.

    What lies beyond was forged or garbled, and must not move what we know of its sender.
    """
    theirs = step.theirs
    if theirs.ack is None or theirs.window is None or not theirs.syn_seen:
        return True
    return step.seq <= theirs.ack + _room(theirs) * 4


def acceptable(ack: int, opener: Half, other: Half | None = None) -> bool:
    """Whether an ACK counts at an end that waits for the ACK of its SYN: ISS < ack <= SND.NXT.

    Another is answered by a RST, and changes nothing (RFC 9293 §3.10.7.3 and §3.10.7.4).

    Args:
        ack: the relative acknowledgment number.
        opener: the end that it reaches; in a later state every ACK counts.
        other: the end that sends it; what its window has room for may have come to it unseen.
    """
    if opener.state is not State.SYN_SENT and opener.state is not State.SYN_RECEIVED:
        return True
    if ack <= 0 or opener.next is None:
        return ack > 0
    unseen = _room(other) if other is not None and opener.state is State.SYN_RECEIVED else 0
    return ack <= opener.next + unseen


def _room(half: Half) -> int:
    """How much a window has room for, in bytes, told generously."""
    return max((half.window or 0) << (half.scale or 0), LEAST_WINDOW)


def repeats(note: Fact) -> bool:
    """Whether a note says that a segment carries what was seen before."""
    return isinstance(note, notes.AGAIN) or (
        isinstance(note, notes.OutOfOrder) and note.of is not None
    )


def is_copy(step: Step) -> bool:
    """Whether it is the very packet that was seen before: its sender has not sent it again."""
    return any(
        (isinstance(note, notes.Retransmission) and note.cause == "same-packet")
        or (isinstance(note, notes.OutOfOrder) and note.of is not None)
        for note in step.found
    )


def remember(step: Step) -> None:
    """Bring what is known of the sender's stream up to date with an unexpected segment."""
    segment, mine, seq, end = step.segment, step.mine, step.seq, step.end
    copied = step.again and is_copy(step)
    if not copied and mine.next is not None and max(seq, mine.acked or seq) < min(end, mine.next):
        mine.doubt(seq, mine.next)
    if step.again:
        packet = segment.identification
        mine.repeats.append(Sent(seq, end, step.number, step.time, packet, copied=copied))
    if segment.flags & RST or not plausible(step):
        return
    if segment.flags & (SYN | FIN) and not step.again:
        last = Sent(seq, end, step.number, step.time, segment.identification)
        mine.ends = (*mine.ends[-1:], last)
    if end > seq:
        mine.remember(seq, end, step.number, step.time, segment)
    if mine.asked == "zero-window-probe":
        mine.doubt(seq, end)  # sent until it is taken
        return
    new = mine.seen.add(seq, end)
    if len(mine.unseen) > 1 or (seq < 1 and not mine.syn_seen):
        left, late = take(mine.unseen, seq, end)
        mine.unseen, new = left[-MOST_LATEST:], new + late
    mine.volume += min(segment.length, new)
    if mine.next is None or end > mine.next:
        mine.next, mine.next_time = end, step.time


def learn_isn(segment: Segment, mine: Half, theirs: Half) -> None:
    """The first segment of each end tells, or lets us guess, its ISN.

    Where the SYN was not seen, the first number seen becomes 1, as if a SYN had come before it.
    """
    if mine.isn is None:
        mine.isn = segment.seq if segment.flags & SYN else segment.seq - 1
    elif segment.flags & SYN and mine.isn & MASK != segment.seq and not _stands(mine):
        mine.begin_again(theirs)  # what was guessed before was wrong, or that attempt is over
        mine.isn = segment.seq
    if theirs.isn is None and segment.ack is not None:
        theirs.isn = segment.ack - 1


def _stands(half: Half) -> bool:
    """Whether an end's SYN is known, and more has come behind it: another SYN is not its own."""
    return half.syn_seen and half.state not in OPENING and (half.next or 0) > 1


def dropped(step: Step) -> bool:
    """Whether its receiver drops a segment, by its timestamp."""
    return notes.Paws in map(type, step.found)


def evidence(step: Step, ack: int) -> None:
    """What an end acknowledges has arrived there, whether we saw it arrive or not."""
    mine, theirs = step.mine, step.theirs
    if not acceptable(ack, theirs, mine):
        return
    if not step.segment.flags & (SYN | RST):
        if mine.state is State.SYN_SENT and ack >= 1:
            mine.meet(Event.RECEIVE_SYN_ACK, step.time)
        elif mine.state is State.SYN_RECEIVED and ack > 1 + theirs.syn_data:
            mine.meet(Event.RECEIVE_ACK_OF_SYN, step.time)  # which came before what it has now
    mine.received.advance(ack)
    if theirs.fin is not None:
        take_fin(mine, theirs, step.time)


def take_fin(mine: Half, theirs: Half, time: int) -> None:
    """Once everything up to the peer's FIN is here, the FIN is processed (RFC 9293 §3.10.7.4)."""
    if theirs.fin is None or mine.fin_received:
        return
    received = mine.received.up_to
    if received is not None and received > theirs.fin:
        mine.fin_received = True
        mine.meet(Event.RECEIVE_FIN, time)


def consequences(step: Step) -> None:
    """What the verdicts on a segment change for the verdicts on those that follow it."""
    mine, theirs = step.mine, step.theirs
    mine.asked = ""
    if theirs.window == 0 and step.segment.length:
        theirs.full_time = step.time
    flags = step.segment.flags
    if flags & RST:
        mine.asked = "reset"
    elif flags & SYN and step.ack is not None and step.again:
        mine.asked = "repeated-syn-ack"
    elif flags & SYN and mine.state is State.ESTABLISHED:
        mine.asked = "syn"
    elif flags & SYN and step.ack is None and step.again and not is_copy(step):
        mine.asked = "repeated-syn"
    for note in step.found:
        match note:
            case notes.ZeroWindowProbe() if not step.segment.length:
                mine.asked_time = step.time  # without its byte, its answer is that to an old number
            case notes.ZeroWindowProbe() | notes.KeepAlive():
                mine.asked, mine.asked_time = note.kind, step.time
            case notes.ChallengeAck():
                theirs.forged = ""
            case notes.DuplicateAck(cause="same-packet"):
                pass
            case notes.DuplicateAck():
                mine.duplicates += 1
                mine.ack_packet = step.segment.identification
            case notes.ZeroWindow(over=False) | notes.ZeroWindowProbeAck():
                mine.full_time = step.time
            case notes.LostSegment() if plausible(step):
                stamps = step.segment.options.timestamps
                newest = stamps[0] if stamps is not None else None
                packet = step.segment.identification
                gap = Gap(mine.next or 0, step.seq, step.time, newest, packet)
                mine.gaps = (*mine.gaps[1 - MOST_LATEST :], gap)
            case notes.SpuriousRetransmission() | notes.Retransmission(cause="recovery"):
                mine.retransmissions += 1
            case notes.Retransmission(cause="same-packet"):
                pass  # not its sender's
            case notes.Retransmission(cause="repeated-syn"):
                mine.retransmissions += 1
                theirs.asked = ""
            case notes.Retransmission() | notes.FastRetransmission():
                mine.retransmissions += 1
                mine.recover = mine.next or 0
                if isinstance(note, notes.FastRetransmission):
                    mine.fast, mine.fast_time = step.seq, step.time
            case notes.OutOfOrder(acknowledged=True):
                packet = step.segment.identification
                mine.gone.append(Sent(step.seq, step.end, step.number, step.time, packet))
            case notes.AckLostSegment():
                unseen = (*theirs.unseen, *theirs.seen.gaps(step.ack or 0))
                theirs.unseen = unseen[-MOST_LATEST:]
                theirs.seen.advance(step.ack or 0)
                theirs.doubt(theirs.acked or 0, theirs.next or 0)
    if theirs.asked == "zero-window-probe" and step.ack == (theirs.next or 0) + 1:
        # The byte of the probe was taken.
        theirs.next = step.ack
        theirs.volume += 1
        theirs.seen.advance(step.ack)
