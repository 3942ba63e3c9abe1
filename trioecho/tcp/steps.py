"""The expected course of a connection: its acknowledgments, its close, and how a RST cuts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from trioecho.model import FIN, SYN, Segment, State
from trioecho.tcp import notes
from trioecho.tcp.half import Half
from trioecho.tcp.notes import Note, ResetCause

if TYPE_CHECKING:
    from trioecho.tcp.connection import Connection

# What an Ethernet frame of 1500 bytes has room for, and what a jumbo frame of 9000 has.
ETHERNET_MSS = 1460
JUMBO_MSS = 8960


def acknowledge(
    found: list[Note],
    segment: Segment,
    time: int,
    ack: int,
    mine: Half,
    theirs: Half,
    first_fin: Half | None,
) -> None:
    """Note what a segment that arrives acknowledges for the first time, and let go of it."""
    before = theirs.acked
    if before is not None and ack <= before:
        return
    theirs.acked = ack
    last = theirs.forget(ack)
    data_end = ack if theirs.fin is None else min(ack, theirs.fin)
    length = data_end - max(before or 1, 1)
    if length > 0:
        pure = not segment.length and not segment.flags & (SYN | FIN)
        of = rtt = None
        if last is not None:
            of = last.number
            if last.end == ack and not last.repeated:
                rtt = time - last.time
        found.append(notes.Ack(length, pure, of, rtt))
    if theirs.fin is not None and ack > theirs.fin and not segment.flags & FIN:
        step: Literal[2, 4] = 2 if theirs is first_fin else 4
        found.append(notes.FinAck(step, mine.state is State.TIME_WAIT))


def fast_open(found: list[Note], segment: Segment, ack: int | None, theirs: Half) -> None:
    """What a SYN or a SYN-ACK says of data on the SYN (RFC 7413)."""
    if ack is None:
        if segment.options.fast_open:
            found.append(notes.TfoSyn(segment.length))
    elif theirs.syn_data:
        taken = min(ack - 1, theirs.syn_data)
        found.append(notes.TfoAck(taken) if taken > 0 else notes.TfoIgnored(theirs.syn_data))


def fin_step(
    ack: int | None, mine: Half, theirs: Half, first_fin: Half | None
) -> tuple[Literal[1, 3], bool]:
    """Which step of the close a FIN is, and whether it carries the ACK of the peer's FIN too."""
    if first_fin is None or first_fin is mine:
        return 1, False
    fin = theirs.fin
    if ack is None or fin is None or ack <= fin:
        return 3, False
    return 3, theirs.acked is None or theirs.acked <= fin


def reset_cause(seq: int, ack: int | None, mine: Half, theirs: Half) -> ResetCause:
    """Why a RST was sent, as far as the wire can tell (RFC 9293 §3.5.2)."""
    if not takes_reset(seq, ack, theirs):
        return "out-of-window"
    if theirs.state is State.SYN_SENT and not mine.syn_seen:
        return "refused"
    if not mine.segments or (mine.state is State.SYN_SENT and theirs.syn_seen and ack is None):
        return "half-open"
    if mine.fin is not None:
        return "after-close"
    return "aborted"


def takes_reset(seq: int, ack: int | None, receiver: Half) -> bool:
    """Whether a receiver acts on a RST.

    In SYN-SENT it must acknowledge the SYN; later it must have exactly the next sequence number,
    else it is answered with a challenge ACK or dropped (RFC 9293 §3.10.7.3, RFC 5961 §3).
    """
    if receiver.state is State.SYN_SENT:
        return ack is None or ack == receiver.next
    if receiver.state is State.SYN_RECEIVED and seq == receiver.ack:
        return True
    return receiver.received is None or seq == receiver.received


def offload(
    found: list[Note], segment: Segment, mine: Half, theirs: Half, connection: Connection
) -> None:
    """Say once for a connection what looks like an error and is none."""
    said = connection.offload_said
    if segment.length > ETHERNET_MSS and notes.SegmentationOffload not in said:
        mss = theirs.mss or ETHERNET_MSS
        if segment.length > min(mss, JUMBO_MSS):
            said.add(notes.SegmentationOffload)
            found.append(notes.SegmentationOffload(segment.length, mss))
    if segment.checksum_unfilled and notes.ChecksumOffload not in said:
        said.add(notes.ChecksumOffload)
        found.append(notes.ChecksumOffload("client" if mine is connection.client else "server"))
