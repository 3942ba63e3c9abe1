"""Why a segment carries sequence numbers that were used before."""

from __future__ import annotations

from typing import Literal

from trioecho.model import SYN, Fact, Rung
from trioecho.model.sequence import distance
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Asked, FastSent, Gap
from trioecho.tcp.rules.words import ends, later, of_rung
from trioecho.tcp.step import CONTROL, Seen
from trioecho.text import bytes_of

# A fast retransmission follows the duplicate ACKs that ask for it at once; 20 ms is generous.
FAST = 20_000_000
# No common kernel's timer expires sooner than this (Linux's TCP_RTO_MIN; RFC 6298 asks for 1 s).
SHORTEST_TIMEOUT = 200_000_000
# Nor does a probe's: Linux waits at least two ticks of its clock.
SHORTEST_PROBE = 2_000_000
# How many packets a sender may have sent by the time it sends one again. More would tell nothing
# where identifications are drawn by chance.
NEXT_PACKETS = 256

RetransmissionCause = Literal[
    "timeout",
    "tail-loss-probe",
    "recovery",
    "same-packet",
    "repeated-syn",
    "ack-lost",
    "no-room",
    "refused",
    "gap",
]


# ---- all of it was acknowledged ------------------------------------------------------------------


class OutOfOrder(Fact, frozen=True, tag="out-of-order"):
    """Overtaken: sent before what was seen before it. ``of``: the very same packet, if seen.

    ``acknowledged``: it is the capture that has it late: its ACK was seen before.
    """

    behind: int
    of: int | None = None
    acknowledged: bool = False

    trouble = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        return f"out of order: overtaken on its way, {bytes_of(self.behind)} behind the newest"


class CapturedLate(OutOfOrder, frozen=True):
    """The capture has it behind the ACK of it."""

    acknowledged: bool = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        return "captured late: what acknowledges it was captured before it"

    def learn(self, seen: Seen) -> None:
        packet = seen.segment.identification
        sent = Sent(seen.seq, seen.end, seen.number, seen.time, packet)
        seen.mine.flight.settled.append(sent)


def captured_late(seen: Seen) -> CapturedLate | None:
    """None of it was seen before, and it comes within a round trip of its ACK."""
    mine = seen.mine
    if seen.original is not None or seen.seq <= 0:
        return None
    if seen.time - seen.theirs.ack_time >= seen.history.round_trip:
        return None
    if not any(first <= seen.seq and seen.end <= last for first, last in mine.unseen):
        return None
    return CapturedLate(max(0, (mine.next or 0) - seen.seq))


class SpuriousRetransmission(Fact, frozen=True, tag="spurious-retransmission"):
    """It repeats what has been acknowledged already."""

    of: int | None = None
    after: int | None = None

    trouble = again = True
    source = "RFC 3522"

    def text(self, rung: Rung) -> str:
        which = f"{of_rung(self.of)}{later(self.after)}"
        return f"spurious retransmission{which}: it had been acknowledged"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1


def spurious_retransmission(seen: Seen) -> SpuriousRetransmission | None:
    """The peer has acknowledged all of its data before."""
    return SpuriousRetransmission(*_first_sent(seen))


# ---- some of it was not --------------------------------------------------------------------------


class Retransmission(Fact, frozen=True, tag="retransmission"):
    """It repeats what rung ``of`` sent, ``after`` nanoseconds later.

    ``cause``, None where it cannot be told: ``timeout``; ``tail-loss-probe``: the last segment, too
    soon for a timeout (RFC 8985 §7.2); ``recovery``: while an earlier loss is repaired, its sender
    takes this for lost too; ``same-packet``: by its IP identification it is the very packet of rung
    ``of``, seen twice; ``repeated-syn``: a SYN-ACK, since the peer's SYN has come once more;
    ``ack-lost``: a SYN or a FIN that rung ``acked`` has acknowledged, in vain; ``no-room``: the
    peer's window was closed; ``refused``: a SYN that was answered by a reset; ``gap``: what was
    sent first has not been seen.
    """

    of: int | None = None
    after: int | None = None
    cause: RetransmissionCause | None = None
    acked: int | None = None

    trouble = again = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.8.1"

    def text(self, rung: Rung) -> str:
        return f"retransmission{of_rung(self.of)}{later(self.after)}{self.why(rung)}"

    def why(self, rung: Rung) -> str:
        """What made its sender repeat it, behind ``retransmission of rung 4 after 2 s``."""
        return ""

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1
        seen.mine.recover = seen.mine.next or 0


def retransmission(seen: Seen) -> Retransmission | None:
    """Any other segment with numbers that were used before."""
    return Retransmission(*_first_sent(seen))


class OvertakenCopy(OutOfOrder, frozen=True):
    """A packet that was doubled, and its copy overtaken; ``of`` is always known."""

    again = True

    @property
    def source(self) -> str:
        return "RFC 791 §3.2"

    def text(self, rung: Rung) -> str:
        return (
            f"out of order: the very packet{of_rung(self.of)} again, by its IP identification,"
            f" {bytes_of(self.behind)} behind the newest"
        )


def overtaken_copy(seen: Seen) -> OvertakenCopy | None:
    """It has the IP identification and the bytes of one sent within a round trip, and was
    overtaken."""
    same = _same_packet(seen)
    if same is None or not _overtaken(seen):
        return None
    return OvertakenCopy(_behind(seen), same.number)


class SamePacket(Retransmission, frozen=True):
    """The network has doubled it, or it passes the tap twice: its sender sent it once."""

    cause: RetransmissionCause | None = "same-packet"

    @property
    def source(self) -> str:
        return "RFC 791 §3.2"

    def text(self, rung: Rung) -> str:
        return (
            f"the very packet{of_rung(self.of)} again{later(self.after)}, by its IP"
            " identification: it passes here twice, or was doubled on its way"
        )

    def learn(self, seen: Seen) -> None:
        """Nothing: it is not its sender's."""


#: The facts that say that a packet was doubled: its sender sent it once.
COPIES = (SamePacket, OvertakenCopy)


def same_packet(seen: Seen) -> SamePacket | None:
    """It has the IP identification and the bytes of one sent within a round trip."""
    same = _same_packet(seen)
    return None if same is None else SamePacket(same.number, seen.time - same.time)


class Timeout(Retransmission, frozen=True):
    """A timer has expired at its sender."""

    cause: RetransmissionCause | None = "timeout"

    @property
    def source(self) -> str:
        return "RFC 6298 §5"

    def why(self, rung: Rung) -> str:
        return ": no ACK has come"


def answered_already(seen: Seen) -> Timeout | None:
    """Two duplicate ACKs ask for it, but its sender has answered them before, a round trip and the
    shortest timeout ago: only a timer sends it once more (RFC 6675 §5)."""
    fast = seen.mine.fast
    if fast is None or fast.seq != seen.seq or seen.theirs.duplicates < 2 or not _asked(seen):
        return None
    if seen.time - fast.time < SHORTEST_TIMEOUT + (seen.history.initial_rtt or 0):
        return None
    return Timeout(*_first_sent(seen))


class FastRetransmission(Fact, frozen=True, tag="fast-retransmission"):
    """A retransmission asked for by ``duplicates`` ACKs, or if below 2 by SACK blocks alone."""

    of: int | None = None
    after: int | None = None
    duplicates: int = 0

    trouble = again = True

    @property
    def source(self) -> str:
        return "RFC 6675 §5" if self.duplicates < 2 else "RFC 5681 §3.2"

    def text(self, rung: Rung) -> str:
        what = f"fast retransmission{of_rung(self.of)}{later(self.after)}"
        if self.duplicates < 2:
            return f"{what}: SACK told that it is missing"
        return f"{what}: duplicate ACKs ask for it, {self.duplicates} so far"

    def learn(self, seen: Seen) -> None:
        mine = seen.mine
        mine.retransmissions += 1
        mine.recover = mine.next or 0
        mine.fast = FastSent(seen.seq, seen.time)


def fast_retransmission(seen: Seen) -> FastRetransmission | None:
    """Two duplicate ACKs or more ask for just this byte, the last within 20 ms."""
    if seen.theirs.duplicates >= 2 and _asked(seen):
        return FastRetransmission(*_first_sent(seen), seen.theirs.duplicates)
    return None


class NoRoom(Retransmission, frozen=True):
    """The receiver had no room for it when it was last sent."""

    cause: RetransmissionCause | None = "no-room"

    @property
    def source(self) -> str:
        return "RFC 9293 §3.8.6"

    def why(self, rung: Rung) -> str:
        return f": the {ends(rung)[1]} had no room for it"


def no_room(seen: Seen) -> NoRoom | None:
    """Since it was last sent, its receiver has told that its window is closed."""
    first, mine, theirs = seen.original, seen.mine, seen.theirs
    if first is None or theirs.no_room_time < first.time:
        return None
    if theirs.ack is not None and seen.end <= theirs.ack:
        return None
    repeats = mine.flight.repeats
    again = (sent.time for sent in repeats if sent.seq < seen.end and seen.seq < sent.end)
    if theirs.no_room_time < max(again, default=first.time):
        return None
    return NoRoom(*_first_sent(seen))


class Recovery(Retransmission, frozen=True):
    """Its sender repairs a loss, and takes this segment for lost too."""

    cause: RetransmissionCause | None = "recovery"

    @property
    def source(self) -> str:
        return "RFC 6582 §3.2, RFC 6675 §5"

    def why(self, rung: Rung) -> str:
        return f": the {rung.sender} takes this for lost too, and goes on to repair the loss"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1


def recovery(seen: Seen) -> Recovery | None:
    """It lies below what had been sent when its sender last began to send again, and the newest
    ACK, within 20 ms, asks for it or shows a hole there."""
    if seen.seq >= seen.mine.recover:
        return None
    if seen.original is not None and not _soon(seen):
        return None
    if seen.theirs.ack != seen.seq and not _in_a_hole(seen):
        return None
    return Recovery(*_first_sent(seen))


def told_by_sack(seen: Seen) -> FastRetransmission | None:
    """The newest ACK, within 20 ms, asks for just this byte, and its SACK blocks cover more than
    two segments' worth of bytes beyond it."""
    if _asked(seen) and _lost(seen):
        return FastRetransmission(*_first_sent(seen), seen.theirs.duplicates)
    return None


def out_of_order(seen: Seen) -> OutOfOrder | None:
    """It was never seen, it was overtaken, and nothing of it is new or acknowledged."""
    told = seen.theirs.ack
    if seen.original is not None or seen.end > (seen.mine.next or 0) or not _overtaken(seen):
        return None
    if told is not None and seen.seq < told:
        return None
    return OutOfOrder(_behind(seen))


class RepeatedSyn(Retransmission, frozen=True):
    """A SYN-ACK that answers the peer's repeated SYN."""

    cause: RetransmissionCause | None = "repeated-syn"

    @property
    def source(self) -> str:
        return "RFC 9293 §3.10.7.4"

    def why(self, rung: Rung) -> str:
        return f": the {ends(rung)[1]}'s SYN has come once more, and is answered once more"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1
        seen.theirs.asked = None


def repeated_syn(seen: Seen) -> RepeatedSyn | None:
    """It is a SYN-ACK, and the peer's SYN arrived again within 20 ms before it."""
    theirs = seen.theirs
    if not seen.segment.flags & SYN or seen.ack is None:
        return None
    if theirs.asked is not Asked.SYN and theirs.asked is not Asked.REPEATED_SYN:
        return None
    return RepeatedSyn(*_first_sent(seen)) if seen.time - theirs.asked_time < FAST else None


class RefusedSyn(Retransmission, frozen=True):
    """Its sender does not take a reset for an answer."""

    cause: RetransmissionCause | None = "refused"

    @property
    def source(self) -> str:
        return "RFC 9293 §3.10.7.3"

    def why(self, rung: Rung) -> str:
        return f": it was answered by a reset, and the {rung.sender} tries once more"


def refused_syn(seen: Seen) -> RefusedSyn | None:
    """It is a SYN, and the peer's last segment was a reset."""
    if seen.segment.flags & SYN and seen.theirs.asked is Asked.RESET:
        return RefusedSyn(*_first_sent(seen))
    return None


def syn_after_answer(seen: Seen) -> Retransmission | None:
    """It is a SYN of one who has acknowledged the peer's SYN-ACK: it means something else."""
    if seen.segment.flags & SYN and seen.ack is None and seen.mine.ack is not None:
        return Retransmission(*_first_sent(seen))
    return None


class AckLost(Retransmission, frozen=True):
    """The peer has acknowledged this SYN or FIN, in rung ``acked``."""

    cause: RetransmissionCause | None = "ack-lost"

    @property
    def source(self) -> str:
        return "RFC 6298 §5"

    def why(self, rung: Rung) -> str:
        where = f" in rung {self.acked}" if self.acked is not None else ""
        return f": the answer{where} did not arrive in time, or was not taken"


def ack_lost(seen: Seen) -> AckLost | None:
    """It is a SYN or FIN that the peer has acknowledged before."""
    told = seen.theirs.ack
    if seen.segment.flags & CONTROL and told is not None and seen.end <= told:
        return AckLost(*_first_sent(seen), acked=seen.theirs.ack_rung)
    return None


class FillsGap(Retransmission, frozen=True):
    """What was sent first was lost before the tap, or took another path."""

    cause: RetransmissionCause | None = "gap"

    def why(self, rung: Rung) -> str:
        return ": what was sent first did not come by here"


def fills_gap(seen: Seen) -> FillsGap | None:
    """It was never seen, and lies in a gap."""
    if seen.original is None and seen.mine.gap(seen.seq) is not None:
        return FillsGap()
    return None


def timeout(seen: Seen) -> Timeout | None:
    """It was first sent 200 ms ago or more."""
    first = seen.original
    if first is not None and seen.time - first.time >= SHORTEST_TIMEOUT:
        return Timeout(*_first_sent(seen))
    return None


class TailLossProbe(Retransmission, frozen=True):
    """Its sender asks, before its timer expires, whether its last segment has arrived."""

    cause: RetransmissionCause | None = "tail-loss-probe"

    @property
    def source(self) -> str:
        return "RFC 8985 §7"

    def why(self, rung: Rung) -> str:
        return ", before a timeout: a tail loss probe"


def tail_loss_probe(seen: Seen) -> TailLossProbe | None:
    """It repeats the last segment for the first time, a round trip and a half after it or more."""
    first, mine = seen.original, seen.mine
    if first is None or first.repeated or seen.end != mine.next or seen.segment.flags & SYN:
        return None
    known = mine.rtt.least if mine.rtt.count else seen.history.initial_rtt
    if not known or seen.time - first.time < max(known * 3 // 2, SHORTEST_PROBE):
        return None
    return TailLossProbe(*_first_sent(seen))


# ---- other bytes ---------------------------------------------------------------------------------


class SegmentOverlapConflict(Fact, frozen=True, tag="segment-overlap-conflict"):
    """It repeats bytes that rung ``of`` sent with other values, from ``at`` on."""

    of: int
    at: int

    trouble = True
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        return (
            f"from byte {self.at} on it differs from what rung {self.of} sent: somebody tampers,"
            " or the sender is broken"
        )


def segment_overlap_conflict(seen: Seen) -> SegmentOverlapConflict | None:
    """It repeats a byte that is not acknowledged with another value."""
    payload = seen.segment.payload
    if not seen.again or not payload or not seen.mine.flight.kept or seen.segment.flags & SYN:
        return None
    for sent in seen.mine.flight.within(seen.seq, seen.seq + len(payload)):
        start, end = max(sent.seq, seen.seq), min(sent.end, seen.seq + len(payload))
        then = sent.payload[start - sent.seq : end - sent.seq]
        now = payload[start - seen.seq : end - seen.seq][: len(then)]
        if then[: len(now)] != now:
            pairs = zip(then, now, strict=False)
            at = next(at for at, (old, new) in enumerate(pairs) if old != new)
            return SegmentOverlapConflict(sent.number, start + at)
    return None


# ---- what the rules have in common ---------------------------------------------------------------


def acknowledged_before(seen: Seen) -> bool:
    """Whether it has data, and the peer has acknowledged all of them."""
    length, told = seen.segment.length, seen.theirs.ack
    return bool(length) and told is not None and seen.seq + length <= told


def used_before(seen: Seen) -> bool:
    """Whether it takes sequence numbers, and begins with one that was used before.

    Not so the data behind a keep-alive or a probe with a byte, nor a SYN that is sent again with an
    ACK when two SYNs have crossed.
    """
    segment, mine = seen.segment, seen.mine
    if mine.next is None or seen.seq >= mine.next or seen.end == seen.seq:
        return False
    if segment.length > 1 and seen.seq == mine.next - 1:
        return False
    return not (segment.flags & SYN and seen.ack is not None and mine.ack is None)


def _first_sent(seen: Seen) -> tuple[int | None, int | None]:
    """The rung that first carried its first number, and how long ago that was."""
    first = seen.original
    return (None, None) if first is None else (first.number, seen.time - first.time)


def _behind(seen: Seen) -> int:
    """How far it begins behind the newest of its sender."""
    return (seen.mine.next or 0) - seen.seq


def _soon(seen: Seen) -> bool:
    """Whether it comes right behind the peer's last ACK."""
    return seen.time - seen.theirs.ack_time < FAST


def _asked(seen: Seen) -> bool:
    """Whether the peer's last ACK, right before it, asks for just this byte."""
    return seen.theirs.ack == seen.seq and _soon(seen)


def _overtaken(seen: Seen) -> bool:
    """Whether it may be late, and not sent again: less than a round trip behind what passed it."""
    mine, gap = seen.mine, seen.mine.gap(seen.seq)
    passed = mine.next_time if gap is None else gap.time
    if seen.end == mine.next or seen.time - passed >= seen.history.round_trip:
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


def _in_a_hole(seen: Seen) -> bool:
    """Whether the receiver's last SACK blocks show it missing below what they have."""
    sack = seen.theirs.sack
    inside = any(left < seen.end and seen.seq < right for left, right in sack)
    return not inside and any(seen.end <= left for left, _ in sack)


def _lost(seen: Seen) -> bool:
    """Whether SACK blocks alone tell it lost: more than two segments' worth of bytes lie beyond it.

    That is RFC 6675 §4's IsLost. A receiver that opens its window with each ACK repeats none.
    """
    beyond = sum(right - left for left, right in seen.theirs.sack if left >= seen.end)
    return beyond > 2 * (seen.theirs.mss or seen.segment.length)


def _same_packet(seen: Seen) -> Sent | None:
    """The very same packet as it was seen before, if not its sender repeats it, but the network.

    A sender counts its packets (RFC 6864 §4), and sends none again before an ACK could have come.
    """
    first, packet = seen.original, seen.segment.identification
    if first is None or not packet:
        return None
    earliest = seen.time - seen.history.round_trip
    for sent in (*reversed(seen.mine.flight.repeats), first):
        if (sent.identification, sent.end) == (packet, seen.end) and sent.time > earliest:
            return sent if _same_bytes(seen, first) else None
    return None


def _same_bytes(seen: Seen, first: Sent) -> bool:
    """Whether it carries the bytes that were sent first, as far as these are kept."""
    now = seen.segment.payload[max(0, first.seq - seen.seq) :]
    then = first.payload[max(0, seen.seq - first.seq) :]
    length = min(len(now), len(then))
    return now[:length] == then[:length]
