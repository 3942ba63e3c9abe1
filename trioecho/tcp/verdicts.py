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
"""

from __future__ import annotations

from trioecho.model import FIN, RST, SYN, Segment
from trioecho.tcp import notes
from trioecho.tcp.half import Half
from trioecho.tcp.notes import Note

# A fast retransmission follows the duplicate ACKs that ask for it at once; 20 ms is generous.
FAST = 20_000_000
# How late a segment may be and still count as overtaken, where the handshake told no RTT.
LATE = 3_000_000

_CONTROL = SYN | FIN | RST


def judge(
    segment: Segment, seq: int, ack: int | None, mine: Half, theirs: Half, rtt: int | None
) -> list[Note]:
    """The verdicts on a segment.

    Args:
        segment: the segment.
        seq, ack: its relative numbers.
        mine: the end that sent it, as known before it.
        theirs: the other end.
        rtt: the handshake's round-trip time in nanoseconds, None when it was not seen.

    Returns:
        The notes, none for a segment that does what is expected.

    Source: RFC 9293 §3.8, RFC 5681 §3.2, RFC 1122 §4.2.3.6; the names are tshark's.
    """
    found: list[Note] = []
    length = segment.length
    control = segment.flags & _CONTROL
    plain = not control and ack is not None
    repeats_ack = plain and not length and seq == mine.next and ack == mine.ack

    if length == 1 and seq == mine.next and theirs.window == 0:
        found.append(notes.ZeroWindowProbe())
    elif (
        repeats_ack
        and segment.window
        and segment.window == mine.window
        and theirs.asked == "keep-alive"
    ):
        found.append(notes.KeepAliveAck())
    elif (
        plain
        and not length
        and segment.window == 0 == mine.window
        and seq == mine.next
        and theirs.asked == "zero-window-probe"
    ):
        found.append(notes.ZeroWindowProbeAck())
    else:
        _window(found, segment, seq, mine, theirs, repeats_ack)
        if repeats_ack and segment.window and segment.window == mine.window:
            found.append(notes.DuplicateAck(mine.duplicates + 1, mine.ack_number))

    if ack is not None and theirs.contiguous is not None and ack > theirs.contiguous:
        if theirs.asked == "zero-window-probe" and mine.ack is not None and ack == mine.ack + 1:
            found.append(notes.WindowUpdate(segment.window << (mine.scale or 0)))
        elif theirs.next is not None and theirs.contiguous < theirs.next:
            found.append(notes.AckLostSegment(ack - theirs.contiguous))
        elif not theirs.duplicates and not theirs.outrun:
            # Beyond all that was seen: said once as long as the peer only repeats its own ACK.
            found.append(notes.AckLostSegment(ack - theirs.contiguous))
            theirs.outrun = True

    if length and theirs.ack is not None and seq + length <= theirs.ack:
        if not any(isinstance(note, notes.KeepAlive) for note in found):
            found.append(_acknowledged_already(segment, seq, mine))
    elif (length or control & (SYN | FIN)) and mine.next is not None and seq < mine.next:
        again = _again(segment, seq, mine, theirs, rtt)
        if again is not None:
            found.append(again)
    return found


def _acknowledged_already(segment: Segment, seq: int, mine: Half) -> Note:
    first = mine.original(seq)
    if first is None:
        return notes.SpuriousRetransmission()
    return notes.SpuriousRetransmission(first.number, segment.frame.time - first.time)


def _window(
    found: list[Note], segment: Segment, seq: int, mine: Half, theirs: Half, repeats_ack: bool
) -> None:
    """Gaps, keep-alives, and what the window says."""
    length = segment.length
    control = segment.flags & _CONTROL
    if segment.window == 0 and not control:
        found.append(notes.ZeroWindow())
    if mine.next is not None and not control & RST:
        if seq > mine.next:
            found.append(notes.LostSegment(seq - mine.next))
        elif length <= 1 and seq == mine.next - 1 and not control:
            found.append(notes.KeepAlive())
    if repeats_ack and segment.window and segment.window != mine.window:
        found.append(notes.WindowUpdate(segment.window << _shift(mine, theirs)))
    if (
        length
        and not control
        and theirs.ack is not None
        and theirs.window is not None
        and theirs.syn_seen
        and seq + length == theirs.ack + (theirs.window << _shift(theirs, mine))
    ):
        found.append(notes.WindowFull())


def _shift(mine: Half, theirs: Half) -> int:
    """By how many bits ``mine``'s window is shifted: only if both ends offered to (RFC 7323)."""
    return mine.scale if mine.scale is not None and theirs.scale is not None else 0


def _again(segment: Segment, seq: int, mine: Half, theirs: Half, rtt: int | None) -> Note | None:
    """Why a segment carries sequence numbers that were used before."""
    now = segment.frame.time
    length = segment.length
    end = seq + segment.space
    assert mine.next is not None
    if length <= 1 and seq == mine.next - 1 and not segment.flags & _CONTROL:
        return None  # a keep-alive
    if segment.flags & SYN and segment.ack is not None and mine.ack is None:
        return None  # simultaneous open: its SYN again, but now with an ACK
    first = mine.original(seq)
    of = first.number if first else None
    after = now - first.time if first else None
    if length > 1 and seq == mine.next - 1:
        return None  # the byte before was a probe, and this is the data at last
    soon = now - theirs.ack_time < FAST
    if theirs.duplicates >= 2 and soon and (theirs.ack == seq or _unsacked(seq, end, theirs)):
        return notes.FastRetransmission(of, after, theirs.duplicates)
    if now - mine.next_time < (rtt or LATE) and end != mine.next:
        return notes.OutOfOrder(mine.next - seq)
    return notes.Retransmission(of, after)


def _unsacked(seq: int, end: int, theirs: Half) -> bool:
    """Whether a receiver that reports SACK blocks is known to lack this range."""
    return bool(theirs.sack) and not any(
        left <= seq and end <= right for left, right in theirs.sack
    )
