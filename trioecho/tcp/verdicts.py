"""What a segment's numbers say about loss, repetition and windows.

Theory of operation
===================
A verdict compares one segment with what was seen of its connection before, never with what comes
after. The questions are asked in the order in which tshark's users know the answers (its manual,
"TCP Analysis"), so that the same segment gets the same name here and there:

1. Is it only a question or an answer: a zero-window probe, a keep-alive, the ACK of one?
2. Does it leave a gap (lost-segment), move or fill the window?
3. Does it repeat the last ACK (duplicate-ack)?
4. Does it acknowledge what was never seen (ack-lost-segment)?
5. Does it send again what was sent: acknowledged already (spurious), asked for by duplicate ACKs
   (fast), merely late (out-of-order), or else a plain retransmission?

Most segments do just what is expected; ``ordinary`` tells those at a glance.
"""

from __future__ import annotations

from typing import Literal

from trioecho.model import FIN, RST, SYN, Fact, Segment, State
from trioecho.model.sequence import distance
from trioecho.tcp import notes
from trioecho.tcp.half import Gap, Half, Sent
from trioecho.tcp.step import Step

# A fast retransmission follows the duplicate ACKs that ask for it at once; 20 ms is generous.
FAST = 20_000_000
# How late a segment may be and still count as overtaken, where the handshake told no RTT.
LATE = 3_000_000
# No common kernel's timer runs out sooner than this (Linux's TCP_RTO_MIN; RFC 6298 asks for 1 s).
SHORTEST_TIMEOUT = 200_000_000
# Nor does a probe: Linux waits at least two ticks of its clock.
SHORTEST_PROBE = 2_000_000
# How many packets a sender may have sent by the time it sends one again. More would tell nothing
# where identifications are drawn by chance.
NEXT_PACKETS = 256
# Keep-alives are sent after whole seconds.
SHORTEST_KEEP_ALIVE = 1_000_000_000

CONTROL = SYN | FIN | RST


def ordinary(step: Step) -> bool:
    """Whether a segment does just what is expected, so that ``judge`` would find nothing.

    It is on the path of every segment, hence one row of comparisons: in order, no control bit, no
    window closed, it acknowledges what was seen, it brings something new, and it leaves room.
    """
    segment, mine, theirs, ack = step.segment, step.mine, step.theirs, step.ack
    if (
        step.seq != mine.next
        or segment.flags & CONTROL
        or ack is None
        or not segment.window
        or not theirs.window
        or (seen := theirs.seen.up_to) is None
        or ack > seen
    ):
        return False
    if not segment.length:
        return ack != mine.ack
    told = theirs.ack
    return (
        told is not None
        and step.end > told
        and not (theirs.syn_seen and step.end == told + (theirs.window << shift(theirs, mine)))
    )


def judge(step: Step, rtt: int | None) -> None:
    """Note the verdicts on a segment, none if it does what is expected.

    Args:
        step: the segment; both halves are as known before it.
        rtt: the handshake's round-trip time in nanoseconds, None when it was not seen.

    Source: RFC 9293 §3.8, RFC 5681 §3.2, RFC 1122 §4.2.3.6; the names are tshark's.
    """
    segment, seq, ack, mine, theirs = step.segment, step.seq, step.ack, step.mine, step.theirs
    found = step.found
    length, window = segment.length, segment.window
    control = segment.flags & CONTROL
    plain = not control and ack is not None
    empty = plain and not length and seq == mine.next
    repeats = empty and ack == mine.ack
    same = repeats and window > 0 and window == mine.window
    keeps_alive = False

    if length == 1 and seq == mine.next and theirs.window == 0:
        found.append(notes.ZeroWindowProbe())
    elif same and theirs.asked == "keep-alive":
        found.append(notes.KeepAliveAck())
    elif empty and window == 0 == mine.window and theirs.asked == "zero-window-probe":
        found.append(notes.ZeroWindowProbeAck())
    else:
        if window == 0 and not control:
            over = theirs.fin is not None and theirs.fin < (ack or 0)
            found.append(notes.ZeroWindow(still=mine.window == 0, over=over))
        if mine.next is not None and not control & RST:
            if seq > mine.next:
                found.append(notes.LostSegment(seq - mine.next))
            elif length <= 1 and seq == mine.next - 1 and not control and _idle(step, rtt):
                keeps_alive = step.again = True
                # Linux asks for room with a number that is taken, and without the byte.
                closed = theirs.window == 0
                found.append(notes.ZeroWindowProbe() if closed else notes.KeepAlive())
        if repeats and window and window != mine.window:
            found.append(notes.WindowUpdate(window << shift(mine, theirs)))
        if length and not control and _fills_window(step):
            found.append(notes.WindowFull())
        if same:
            found.append(_duplicate(step, ack or 0, rtt))
        if repeats and theirs.asked in ("reset", "syn"):
            found.append(notes.ChallengeAck(theirs.asked))
        elif repeats and theirs.forged and (ack or 0) <= theirs.forged_next:
            found.append(notes.ChallengeAck(theirs.forged))
        if plain and mine.ack is None and theirs.state is State.SYN_SENT and ack not in (0, 1):
            found.append(notes.ChallengeAck("half-open"))

    seen = theirs.seen.up_to
    if ack is not None and seen is not None and ack > seen:
        _beyond(found, step, ack, seen)
    if keeps_alive:
        return
    if length and theirs.ack is not None and seq + length <= theirs.ack:
        found.append(_acknowledged(step, rtt))
    elif (length or control & (SYN | FIN)) and mine.next is not None and seq < mine.next:
        again = _again(step, mine.next, rtt)
        if again is not None:
            found.append(again)


def shift(mine: Half, theirs: Half) -> int:
    """By how many bits ``mine``'s window is shifted: only if both ends offered to (RFC 7323)."""
    return mine.scale if mine.scale is not None and theirs.scale is not None else 0


def _idle(step: Step, rtt: int | None) -> bool:
    """Whether its sender has nothing on its way, so that it may ask for a sign of life.

    A byte that is not acknowledged is sent again; so is one whose ACK cannot have come back yet.
    The number of a FIN stands also in an older ACK that the FIN has overtaken.
    """
    mine, theirs, now = step.mine, step.theirs, step.time
    if mine.acked is not None and mine.next is not None and mine.acked < mine.next:
        return False
    if mine.fin is not None and now - mine.next_time < SHORTEST_KEEP_ALIVE:
        return False
    return not step.segment.length or now - theirs.ack_time >= (rtt or LATE)


def _duplicate(step: Step, ack: int, rtt: int | None) -> notes.DuplicateAck:
    """What an ACK that says nothing new may be for, beside that a byte is missing."""
    mine, theirs, packet = step.mine, step.theirs, step.segment.identification
    if packet and packet == mine.ack_packet and step.time - mine.ack_time < (rtt or LATE):
        return notes.DuplicateAck(mine.duplicates, mine.ack_number, "same-packet")
    cause: Literal["fin", "syn", "nothing"] | None = None
    if theirs.fin is not None and theirs.fin < ack:
        cause = "fin"
    elif theirs.asked == "repeated-syn-ack":
        cause = "syn"
    elif theirs.next is not None and ack >= theirs.next:
        cause = "nothing"
    return notes.DuplicateAck(mine.duplicates + 1, mine.ack_number, cause)


def _fills_window(step: Step) -> bool:
    theirs = step.theirs
    if theirs.ack is None or theirs.window is None or not theirs.syn_seen:
        return False
    return step.end == theirs.ack + (theirs.window << shift(theirs, step.mine))


def _beyond(found: list[Fact], step: Step, ack: int, seen: int) -> None:
    """It acknowledges more than was seen without a gap."""
    mine, theirs = step.mine, step.theirs
    if theirs.asked == "zero-window-probe" and mine.ack is not None and ack == mine.ack + 1:
        if step.segment.window:
            found.append(notes.WindowUpdate(step.segment.window << shift(mine, theirs)))
    elif ack != mine.ack:
        found.append(notes.AckLostSegment(theirs.seen.missing(seen, ack)))


def _acknowledged(step: Step, rtt: int | None) -> Fact:
    """Why a segment carries what has been acknowledged before."""
    mine, now = step.mine, step.time
    first = mine.original(step.seq)
    if first is None:
        fresh = any(first <= step.seq and step.end <= last for first, last in mine.unseen)
        if fresh and step.seq > 0 and now - step.theirs.ack_time < (rtt or LATE):
            return notes.OutOfOrder(max(0, (mine.next or 0) - step.seq), acknowledged=True)
        return notes.SpuriousRetransmission()
    if same := _same_packet(step, first, rtt):
        return notes.Retransmission(same.number, now - same.time, "same-packet")
    return notes.SpuriousRetransmission(first.number, now - first.time)


def _again(step: Step, expected: int, rtt: int | None) -> Fact | None:
    """Why a segment carries sequence numbers that were used before."""
    segment, seq, mine, theirs, now = step.segment, step.seq, step.mine, step.theirs, step.time
    if segment.length > 1 and seq == expected - 1:
        return None  # the byte before was a probe, and this is the data at last
    if segment.flags & SYN and step.ack is not None and mine.ack is None:
        return None  # simultaneous open: its SYN again, but now with an ACK
    first = mine.original(seq)
    of = first.number if first else None
    after = now - first.time if first else None
    soon = now - theirs.ack_time < FAST
    gap = mine.gap(seq)
    passed = mine.next_time if gap is None else gap.time
    overtaken = now - passed < (rtt or LATE) and step.end != expected
    if gap is not None and _sent_later(segment, gap):
        overtaken = False
    if first is not None and (same := _same_packet(step, first, rtt)):
        if overtaken:
            return notes.OutOfOrder(expected - seq, same.number)
        return notes.Retransmission(same.number, now - same.time, "same-packet")
    asked = theirs.ack == seq and soon
    if asked and theirs.duplicates >= 2:
        # It answered them once already: only a timer sends it once more (RFC 6675 §5).
        if mine.fast == seq and now - mine.fast_time >= SHORTEST_TIMEOUT + (rtt or 0):
            return notes.Retransmission(of, after, "timeout")
        return notes.FastRetransmission(of, after, theirs.duplicates)
    if first is not None and _no_room(step, first):
        return notes.Retransmission(of, after, "no-room")
    if (soon or first is None) and seq < mine.recover and (theirs.ack == seq or _hole(step)):
        return notes.Retransmission(of, after, "recovery")
    if asked and _lost(step):
        return notes.FastRetransmission(of, after, theirs.duplicates)
    told = theirs.ack
    whole = step.end <= expected and (told is None or seq >= told)
    if first is None and overtaken and whole:
        return notes.OutOfOrder(expected - seq)
    cause = _cause(step, first, expected, rtt)
    acked = theirs.ack_number if cause == "ack-lost" else None
    return notes.Retransmission(of, after, cause, acked)


def _no_room(step: Step, first: Sent) -> bool:
    """Whether the receiver had no room for a segment when it was last sent, as far as it told."""
    mine, theirs = step.mine, step.theirs
    if theirs.full_time < first.time or (theirs.ack is not None and step.end <= theirs.ack):
        return False
    again = (sent.time for sent in mine.repeats if sent.seq < step.end and step.seq < sent.end)
    return theirs.full_time >= max(again, default=first.time)


def _sent_later(segment: Segment, gap: Gap) -> bool:
    """Whether a segment that fills a gap was sent behind the first that was seen beyond it: its
    clock is later (RFC 7323 §3.2), or its packet has one of the next identifications."""
    stamps = segment.options.timestamps
    if stamps is not None and gap.timestamp is not None and stamps[0] != gap.timestamp:
        return distance(stamps[0], gap.timestamp) > 0
    if not segment.identification or not gap.identification:
        return False
    return 0 < segment.identification - gap.identification & 0xFFFF < NEXT_PACKETS


def _hole(step: Step) -> bool:
    """Whether the receiver's last SACK blocks show a segment missing below what it has."""
    sack = step.theirs.sack
    inside = any(left < step.end and step.seq < right for left, right in sack)
    return not inside and any(step.end <= left for left, _ in sack)


def _lost(step: Step) -> bool:
    """Whether SACK blocks alone tell a segment lost: more than two segments' worth of bytes lie
    beyond it (RFC 6675 §4, IsLost). A receiver that opens its window with each ACK repeats none."""
    beyond = sum(right - left for left, right in step.theirs.sack if left >= step.end)
    return beyond > 2 * (step.theirs.mss or step.segment.length)


def _same_packet(step: Step, first: Sent, rtt: int | None) -> Sent | None:
    """What was the very same packet, if it is not the sender that repeats, but the way.

    A sender counts its packets (RFC 6864 §4), and sends none again before an ACK could have come.
    """
    packet, end, earliest = step.segment.identification, step.end, step.time - (rtt or LATE)
    if packet:
        for sent in (*reversed(step.mine.repeats), first):
            if (sent.identification, sent.end) == (packet, end) and sent.time > earliest:
                return sent if _same_bytes(step, first) else None
    return None


def _same_bytes(step: Step, first: Sent) -> bool:
    """Whether a segment carries the bytes that were sent first, as far as these are kept."""
    now = step.segment.payload[max(0, first.seq - step.seq) :]
    then = first.payload[max(0, step.seq - first.seq) :]
    length = min(len(now), len(then))
    return now[:length] == then[:length]


def _cause(
    step: Step, first: Sent | None, expected: int, rtt: int | None
) -> notes.RetransmissionCause | None:
    """What made the sender repeat a segment that no duplicate ACKs asked for, if it can be told.

    A tail loss probe repeats the last segment once, about two round trips after it (RFC 8985 §7.2),
    and sooner than any timer. A SYN that comes once more is answered once more, and at once.
    """
    if step.segment.flags & SYN and step.ack is not None:
        theirs = step.theirs
        if theirs.asked in ("syn", "repeated-syn") and step.time - theirs.asked_time < FAST:
            return "repeated-syn"
    mine, theirs, flags = step.mine, step.theirs, step.segment.flags
    if flags & SYN and theirs.asked == "reset":
        return "refused"
    if flags & SYN and step.ack is None and mine.ack is not None:
        return None  # it has answered the SYN-ACK already: this one means something else
    if flags & CONTROL and theirs.ack is not None and step.end <= theirs.ack:
        return "ack-lost"
    if first is None:
        return None if mine.gap(step.seq) is None else "gap"
    after = step.time - first.time
    if after >= SHORTEST_TIMEOUT:
        return "timeout"
    known = mine.rtt.least if mine.rtt.count else rtt
    last = step.end == expected and not first.repeated and not flags & SYN
    if last and known and after >= max(known * 3 // 2, SHORTEST_PROBE):
        return "tail-loss-probe"
    return None
