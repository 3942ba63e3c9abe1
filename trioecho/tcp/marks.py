"""What a segment's options and bits say beyond sequence and window; each is rare."""

from __future__ import annotations

from trioecho.model import RST, URG, Segment
from trioecho.model.sequence import SPACE, distance, relative
from trioecho.tcp import ecn, notes
from trioecho.tcp.half import Half
from trioecho.tcp.knowledge import LEAST_WINDOW
from trioecho.tcp.step import Step

# What an Ethernet frame of 1500 bytes has room for, and what a jumbo frame of 9000 has.
ETHERNET_MSS, JUMBO_MSS = 1460, 8960

# A SACK block lies within a window or two; one whose SYN was not seen may be shifted by as much.
_LARGEST_SCALE = 14


def look(step: Step, said: set[str], *, from_client: bool) -> None:
    """Note what the options and the bits of a ``rare`` segment say.

    Args:
        step: the segment.
        said: what was said of its connection and need not be repeated; it is added to.
        from_client: whether the client sent it.

    Source: RFC 2018, RFC 2883, RFC 3168, RFC 8684, RFC 9768.
    """
    segment, found = step.segment, step.found
    options, flags = segment.options, segment.flags
    if options.sack and step.ack is not None:
        _sack(step, step.ack)
    if flags & URG:
        found.append(notes.Urgent(segment.urgent))
    ecn.look(step)
    for subtype in options.mptcp:
        if subtype != "DSS" or "DSS" not in said:
            said.add(subtype)
            found.append(notes.Mptcp(subtype))
    if segment.seq + segment.space > SPACE:
        found.append(notes.SequenceWrap())
    if segment.length > ETHERNET_MSS and "large" not in said:
        mss = step.theirs.mss or ETHERNET_MSS
        if segment.length > min(mss, JUMBO_MSS):
            said.add("large")
            found.append(notes.SegmentationOffload(segment.length, mss))
    if segment.checksum_unfilled and "checksum" not in said:
        said.add("checksum")
        found.append(notes.ChecksumOffload("client" if from_client else "server"))


def old_timestamp(segment: Segment, seq: int, mine: Half, theirs: Half) -> int:
    """How far a segment's timestamp lies behind the newest that arrived in order, 0 if it does not.

    TS.Recent moves only with segments that fill the receiver's next number (RFC 7323 §4.3), so a
    segment that was merely overtaken is not taken for an old duplicate. No RST is one (§5.3).
    """
    timestamps = segment.options.timestamps
    if timestamps is None or segment.flags & RST:
        return 0
    if mine.timestamp is None:
        mine.timestamp = timestamps[0]
        return 0
    ahead = distance(timestamps[0], mine.timestamp)
    if ahead < 0:
        return -ahead
    if ahead and ((had := theirs.received.up_to) is None or seq <= had):
        mine.timestamp = timestamps[0]
    return 0


def _sack(step: Step, ack: int) -> None:
    isn = step.theirs.isn or 0
    blocks = tuple(
        (relative(left, isn, ack), relative(right, isn, ack))
        for left, right in step.segment.options.sack
    )
    scale = step.mine.scale or 0 if step.mine.syn_seen else _LARGEST_SCALE
    far = (step.theirs.next or 0) + 4 * max(step.segment.window << scale, LEAST_WINDOW)
    if any(right > far for _, right in blocks):
        step.found.append(notes.Sack(blocks, outside=True))
        return
    step.mine.sack = blocks
    step.theirs.doubt(ack, max(right for _, right in blocks))
    first, *others = blocks
    if first[1] <= ack or any(left <= first[0] and first[1] <= right for left, right in others):
        if step.theirs.asked != "keep-alive":  # whose byte is none: of course it is there already
            repeats = reversed(step.theirs.repeats)
            again = (sent for sent in repeats if sent.seq < first[1] and first[0] < sent.end)
            if (of := next(again, None)) is not None:
                step.found.append(notes.Dsack(*first, of.number, of.copied))
            else:
                step.found.append(notes.Dsack(*first))
        blocks = tuple(others)
    if blocks:
        step.found.append(notes.Sack(blocks))
