"""What a segment teaches an observer of its two ends, beside what is said of it."""

from __future__ import annotations

from trioecho.model import FIN, RST, SYN, Segment, State
from trioecho.tcp import notes
from trioecho.tcp.half import BEFORE, MOST_GONE, Gap, Half, Sent
from trioecho.tcp.notes import Note
from trioecho.tcp.ranges import Ranges, take
from trioecho.tcp.sequence import MASK
from trioecho.tcp.states import Event
from trioecho.tcp.step import Step

# Windows grow while segments are on their way; nothing is far beyond this many bytes.
_LEAST_WINDOW = 1 << 16


def plausible(step: Step) -> bool:
    """Whether a receiver could take a segment: not farther ahead than its window, told generously.

    What lies beyond was forged or garbled, and must not move what we know of its sender.
    """
    theirs = step.theirs
    if theirs.ack is None or theirs.window is None or not theirs.syn_seen:
        return True
    window = theirs.window << (theirs.scale or 0)
    return step.seq <= theirs.ack + max(window, _LEAST_WINDOW) * 4


def repeats(note: Note) -> bool:
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
    if mine.next is not None and seq < mine.next and end > max(seq, mine.acked or seq):
        mine.unclear = mine.unclear if copied else mine.next
    if step.again:
        mine.repeats.append(Sent(seq, end, step.number, step.time, segment.identification))
    if segment.flags & RST or not plausible(step):
        return
    if segment.flags & SYN and not step.again:
        mine.gaps.clear()
        mine.unclear, mine.unseen = 0, [BEFORE]
    if segment.flags & (SYN | FIN) and not step.again:
        mine.ends.append(Sent(seq, end, step.number, step.time, segment.identification))
    if end > seq:
        mine.remember(seq, end, step.number, step.time, segment)
    if mine.asked == "zero-window-probe":
        mine.unclear = max(mine.unclear, end)  # sent until it is taken
        return
    new = mine.seen.add(seq, end)
    if len(mine.unseen) > 1 or (seq < 1 and not mine.syn_seen):
        new += take(mine.unseen, seq, end)
        del mine.unseen[:-MOST_GONE]
    mine.volume += min(segment.length, new)
    if mine.next is None or end > mine.next:
        mine.next, mine.next_time = end, step.time


def learn_isn(segment: Segment, mine: Half, theirs: Half) -> None:
    """The first segment of each end tells, or lets us guess, its ISN.

    Where the SYN was not seen, the first number seen becomes 1, as if a SYN had come before it.
    """
    if mine.isn is None:
        mine.isn = segment.seq if segment.flags & SYN else segment.seq - 1
    elif segment.flags & SYN and mine.isn & MASK != segment.seq:
        mine.isn = segment.seq  # what was guessed before was wrong, or that attempt is over
        mine.next, mine.seen = None, Ranges()
        mine.sent.clear()
        mine.gone.clear()
        mine.kept = 0
    if theirs.isn is None and segment.ack is not None:
        theirs.isn = segment.ack - 1


def listen_again(passive: Half, opener: Half) -> None:
    """A reset attempt is over: what the listening end knew and sent of it counts no more."""
    passive.isn = passive.next = passive.ack = passive.acked = opener.acked = None
    passive.seen, passive.received = Ranges(), Ranges()
    passive.syn_seen = False
    passive.sent.clear()
    passive.gone.clear()
    passive.kept = 0


def evidence(step: Step, ack: int) -> None:
    """What an end acknowledges has arrived there, whether we saw it arrive or not."""
    mine, theirs = step.mine, step.theirs
    if mine.state is State.SYN_SENT and ack >= 1 and not step.segment.flags & (SYN | RST):
        mine.meet(Event.RECEIVE_SYN_ACK, step.time)
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
                pass  # without its byte, it is answered as any old number is
            case notes.ZeroWindowProbe() | notes.KeepAlive():
                mine.asked, mine.asked_time = note.kind, step.time
            case notes.ChallengeAck():
                theirs.forged = ""
            case notes.DuplicateAck(cause="same-packet"):
                pass
            case notes.DuplicateAck():
                mine.duplicates += 1
                mine.ack_packet = step.segment.identification
            case notes.ZeroWindow() | notes.ZeroWindowProbeAck():
                mine.full_time = step.time
            case notes.LostSegment() if plausible(step):
                stamps = step.segment.options.timestamps
                newest = stamps[0] if stamps is not None else None
                packet = step.segment.identification
                mine.gaps.append(Gap(mine.next or 0, step.seq, step.time, newest, packet))
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
                theirs.unseen += theirs.seen.gaps(step.ack or 0)
                del theirs.unseen[:-MOST_GONE]
                theirs.seen.advance(step.ack or 0)
                theirs.unclear = max(theirs.unclear, theirs.next or 0)
    if theirs.asked == "zero-window-probe" and step.ack == (theirs.next or 0) + 1:
        # The byte of the probe was taken.
        theirs.next = step.ack
        theirs.volume += 1
        theirs.seen.advance(step.ack)
