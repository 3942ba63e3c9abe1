"""What a segment teaches an observer of its two ends, beside what is said of it."""

from __future__ import annotations

from trioecho.model import RST, SYN, Segment, State
from trioecho.tcp import notes
from trioecho.tcp.half import Half
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


def remember(step: Step) -> None:
    """Bring what is known of the sender's stream up to date with an unexpected segment."""
    segment, mine, seq, end = step.segment, step.mine, step.seq, step.end
    if step.again:
        mine.repeats.append((seq, end, step.number))
    if end > seq:
        # Data on a SYN stands one behind its number, and is compared with nothing.
        payload = b"" if segment.flags & SYN else segment.payload
        mine.remember(seq, end, step.number, step.time, payload)
    if mine.asked == "zero-window-probe" or segment.flags & RST or not plausible(step):
        return
    if mine.next is None or end > mine.next:
        new = segment.length if mine.next is None else end - mine.next
        mine.volume += max(0, min(segment.length, new))
        mine.next, mine.next_time = end, step.time
    if mine.contiguous is None or seq == mine.contiguous:
        mine.contiguous = mine.next


def learn_isn(segment: Segment, mine: Half, theirs: Half) -> None:
    """The first segment of each end tells, or lets us guess, its ISN.

    Where the SYN was not seen, the first number seen becomes 1, as if a SYN had come before it.
    """
    if mine.isn is None:
        mine.isn = segment.seq if segment.flags & SYN else segment.seq - 1
    elif segment.flags & SYN and mine.isn & MASK != segment.seq:
        mine.isn = segment.seq  # what was guessed before was wrong, or that attempt is over
        mine.next = mine.contiguous = None
        mine.sent.clear()
        mine.kept = 0
    if theirs.isn is None and segment.ack is not None:
        theirs.isn = segment.ack - 1


def listen_again(passive: Half, opener: Half) -> None:
    """A reset attempt is over: what the listening end knew and sent of it counts no more."""
    passive.isn = passive.next = passive.contiguous = passive.acked = None
    passive.ack = passive.received = opener.acked = None
    passive.syn_seen = False
    passive.sent.clear()
    passive.kept = 0


def evidence(step: Step, ack: int) -> None:
    """What an end acknowledges has arrived there, whether we saw it arrive or not."""
    mine, theirs = step.mine, step.theirs
    if mine.state is State.SYN_SENT and ack >= 1 and not step.segment.flags & (SYN | RST):
        mine.meet(Event.RECEIVE_SYN_ACK, step.time)
    mine.advance(ack)
    if theirs.fin is not None:
        take_fin(mine, theirs, step.time)


def take_fin(mine: Half, theirs: Half, time: int) -> None:
    """Once everything up to the peer's FIN is here, the FIN is processed (RFC 9293 §3.10.7.4)."""
    if theirs.fin is None or mine.fin_received:
        return
    if mine.received is not None and mine.received > theirs.fin:
        mine.fin_received = True
        mine.meet(Event.RECEIVE_FIN, time)


def consequences(step: Step) -> None:
    """What the verdicts on a segment change for the verdicts on those that follow it."""
    mine, theirs = step.mine, step.theirs
    mine.asked = ""
    mine.retransmissions += step.again
    flags = step.segment.flags
    if flags & RST:
        mine.asked = "reset"
    elif flags & SYN and mine.state is State.ESTABLISHED:
        mine.asked = "syn"
    for note in step.found:
        match note:
            case notes.ZeroWindowProbe() | notes.KeepAlive():
                mine.asked = note.kind
            case notes.DuplicateAck():
                mine.duplicates += 1
            case notes.OutOfOrder() | notes.Retransmission(of=None):
                mine.volume += step.segment.length  # it fills a hole
            case notes.AckLostSegment():
                theirs.contiguous = theirs.next
