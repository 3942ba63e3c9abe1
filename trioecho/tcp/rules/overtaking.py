"""What the network did: a segment was overtaken on its way, or doubled, or captured late."""

from __future__ import annotations

from typing import Literal

from trioecho.model import SYN, Fact, Rung, State
from trioecho.model.sequence import distance
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Gap
from trioecho.tcp.rules.repetition import Retransmission
from trioecho.tcp.rules.words import ends, known_copy, later, of_rung, passed
from trioecho.tcp.step import CONTROL, Seen
from trioecho.text import bytes_of

# How many packets a sender may have sent by the time it sends one again. More would tell nothing
# where identifications are drawn by chance.
NEXT_PACKETS = 256


class OutOfOrder(Fact, frozen=True, tag="out-of-order"):
    """Overtaken: sent before what was seen before it. ``of``: the very same packet, if seen.

    ``acknowledged``: it is the capture that has it late: its ACK was seen before.
    """

    behind: int
    of: int | None = None
    acknowledged: bool = False

    trouble = True
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        return f"out of order: overtaken on its way, {bytes_of(self.behind)} behind the newest"


class CapturedLate(OutOfOrder, frozen=True):
    """The capture has it behind the ACK of it."""

    acknowledged: bool = True

    source = "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        return "captured late: its ACK was captured before it"

    def learn(self, seen: Seen) -> None:
        packet = seen.segment.identification
        sent = Sent(seen.seq, seen.end, seen.number, seen.time, packet)
        seen.mine.flight.settled.append(sent)


def captured_late(seen: Seen) -> CapturedLate | None:
    """None of it was seen before, and it was sent within a round trip of its ACK, or before it."""
    mine = seen.mine
    if seen.original is not None or seen.seq <= 0 or seen.wired:
        return None
    if seen.time - seen.theirs.ack_time >= seen.history.round_trip:
        return None
    if not any(first <= seen.seq and seen.end <= last for first, last in mine.unseen):
        return None
    return CapturedLate(max(0, mine.next - seen.seq))


class OvertakenCopy(OutOfOrder, frozen=True):
    """A packet that was doubled, and its copy overtaken; ``of`` is always known."""

    again = True
    source = "RFC 791 §3.2"

    def text(self, rung: Rung) -> str:
        return (
            f"out of order, {bytes_of(self.behind)} behind the newest: the very"
            f" packet{of_rung(self.of)} again{known_copy(rung)}"
        )


def overtaken_copy(seen: Seen) -> OvertakenCopy | None:
    """It is the same packet of one sent within a round trip, and was overtaken."""
    same = _same_packet(seen)
    if same is None or not _overtaken(seen):
        return None
    return OvertakenCopy(_behind(seen), same.number)


class SamePacket(Retransmission, frozen=True):
    """The network has doubled it, or it passes the tap twice: its sender sent it once."""

    cause: str | None = "same-packet"

    source = "RFC 791 §3.2"

    def text(self, rung: Rung) -> str:
        return f"the same packet{of_rung(self.of)} again{later(self.after)}{known_copy(rung)}"

    def learn(self, seen: Seen) -> None:
        """Nothing: it is not its sender's."""


#: The facts that say that a packet was doubled: its sender sent it once.
COPIES = (SamePacket, OvertakenCopy)


def same_packet(seen: Seen) -> SamePacket | None:
    """It has the IP identification and the bytes of one sent within a round trip; or both have
    none, and it comes within half a round trip and 1.5 ms, with no newer timestamp."""
    same = _same_packet(seen)
    return None if same is None else SamePacket(same.number, passed(same.time, seen.time))


def out_of_order(seen: Seen) -> OutOfOrder | None:
    """It was never seen, it was overtaken, and nothing of it is new or acknowledged."""
    told = seen.theirs.ack
    if seen.original is not None or seen.end > seen.mine.next or not _overtaken(seen):
        return None
    if told is not None and seen.seq < told:
        return None
    return OutOfOrder(_behind(seen))


class OvertakenAck(Fact, frozen=True, tag="overtaken-ack"):
    """An ACK with the number with which rung ``of`` begins, which was sent after it."""

    of: int

    source = "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        return (
            f"captured late: it has the number with which rung {self.of} begins, and was sent"
            " before that"
        )


def overtaken_ack(seen: Seen) -> OvertakenAck | None:
    """It only acknowledges, and its number is that of a segment in flight that was captured less
    than a round trip before it."""
    if seen.wired or any(fact.kind == "keep-alive" for fact in seen.found):
        return None
    for sent in seen.mine.flight.within(seen.seq, seen.seq + 1):
        if sent.seq == seen.seq and 0 <= seen.time - sent.time < seen.history.round_trip:
            return OvertakenAck(sent.number)
    return None


class OlderAck(Fact, frozen=True, tag="older-ack"):
    """An ACK that acknowledges ``behind`` bytes less than the newest, 0 if only the FIN is missing.
    Rung ``of`` overtook it: on a wire that knows the first that did, otherwise the newest.

    ``answer``: what it may draw: an ACK, since its sequence number is old, too, or a RST, since its
    receiver has closed.
    """

    behind: int
    of: int
    answer: Literal["ack", "rst"] | None = None

    @property
    def source(self) -> str:
        return "RFC 9293 §3.10.7.1" if self.answer == "rst" else "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        theirs = ends(rung)[1]
        far = bytes_of(self.behind) if self.behind else "only the FIN"
        does = {
            "ack": f"its sequence number is old, too, so the {theirs} drops it, and may answer with"
            " an ACK",
            "rst": f"the {theirs} has closed, and may answer with a RST",
        }.get(self.answer or "", f"the {theirs} ignores its number and window")
        return (
            f"an older ACK, overtaken on its way by rung {self.of}, {far} behind the newest: {does}"
        )

    def learn(self, seen: Seen) -> None:
        seen.mine.late_ack = seen.number, seen.acknowledges


def older_ack(seen: Seen) -> OlderAck | None:
    """It only acknowledges, and less than an ACK that has arrived before it; that one acknowledged
    nothing unseen."""
    segment, ack, mine, theirs = seen.segment, seen.ack, seen.mine, seen.theirs
    acked, of = theirs.acked or 0, theirs.acked_rung
    if of is None or ack is None or ack >= acked:
        return None
    if segment.length or segment.flags & CONTROL:
        return None
    if ack <= 0 and theirs.syn_seen:
        return None  # it acknowledges nothing of this connection
    if acked > (mine.ack or 0):
        return None  # not newer, but wrong: its sender has gone back from it
    behind = (acked if theirs.fin is None else min(acked, theirs.fin)) - ack
    if mine.heard is not None:
        of = mine.heard.overtaken.get(seen.number, of)
    if theirs.state is State.CLOSED:
        return OlderAck(behind, of, "rst")
    return OlderAck(behind, of, "ack" if seen.seq < (theirs.ack or 0) else None)


def _behind(seen: Seen) -> int:
    """How far it begins behind the newest of its sender."""
    return seen.mine.next - seen.seq


def _overtaken(seen: Seen) -> bool:
    """Whether it may be late, and not sent again: less than a round trip behind what passed it."""
    mine, gap = seen.mine, seen.mine.gap(seen.seq)
    passed = mine.next_time if gap is None else gap.time
    if seen.end == mine.next or abs(seen.time - passed) >= seen.history.round_trip:
        return False
    return gap is None or not _sent_later(seen, gap)


def _sent_later(seen: Seen, gap: Gap) -> bool:
    """Whether a segment that fills a gap was sent behind the first that was seen beyond it.

    Its clock is later (RFC 7323 §3.2), or its packet has one of the next identifications.
    """
    segment, stamps = seen.segment, seen.segment.options.timestamps
    if stamps is not None and gap.timestamp is not None and stamps[0] != gap.timestamp:
        return distance(stamps[0], gap.timestamp) > 0
    if not segment.identification or not gap.identification:
        return False
    return 0 < segment.identification - gap.identification & 0xFFFF < NEXT_PACKETS


def _same_packet(seen: Seen) -> Sent | None:
    """The very same packet as it was seen before, if not its sender repeats it, but the network.

    A sender counts its packets (RFC 6864 §4), and sends none again before an ACK could have come.
    A wire that knows tells what it has doubled.
    """
    first, packet = seen.original, seen.segment.identification
    if first is None or seen.wired or not (packet or _no_newer(seen)):
        return None
    earliest = seen.time - (seen.history.round_trip if packet else seen.history.at_once)
    # A SYN-ACK may be asked for again just as its timer expires.
    repeats = seen.mine.flight.repeats if packet or not seen.segment.flags & SYN else ()
    for sent in (*reversed(repeats), first):
        if (sent.identification, sent.end) == (packet, seen.end) and sent.time > earliest:
            return sent if _same_bytes(seen, first) else None
    return None


def _no_newer(seen: Seen) -> bool:
    """Whether its timestamp is no newer than its sender's newest, if it has one."""
    stamps, recent = seen.segment.options.timestamps, seen.mine.ts_recent
    return stamps is None or recent is None or distance(stamps[0], recent) <= 0


def _same_bytes(seen: Seen, first: Sent) -> bool:
    """Whether it carries the bytes that were sent first, as far as these are kept."""
    now = seen.segment.payload[max(0, first.seq - seen.seq) :]
    then = first.payload[max(0, seen.seq - first.seq) :]
    length = min(len(now), len(then))
    return now[:length] == then[:length]
