"""Why a segment carries sequence numbers that were used before."""

from __future__ import annotations

from typing import ClassVar

from trioecho.model import SYN, Fact, Rung, State
from trioecho.tcp.half import Asked, FastSent, Half
from trioecho.tcp.rules.data import room_of_options
from trioecho.tcp.rules.words import ends, later, of_rung, passed
from trioecho.tcp.step import Seen

# A fast retransmission follows the duplicate ACKs that ask for it at once; 20 ms is generous.
FAST = 20_000_000
# How many packets a sender may have sent by the time it sends one again. More would tell nothing
# where identifications are drawn by chance.
NEXT_PACKETS = 256


# ---- all of it was acknowledged ------------------------------------------------------------------


class SpuriousRetransmission(Fact, frozen=True, tag="spurious-retransmission"):
    """It repeats what rung ``acked`` has acknowledged already."""

    of: int | None = None
    after: int | None = None
    acked: int | None = None

    trouble = again = True
    source = "RFC 3522"

    def text(self, rung: Rung) -> str:
        which = f"{of_rung(self.of)}{later(self.after)}"
        by = f"rung {self.acked}" if self.acked is not None else "the peer"
        seen_here = "" if rung.on_wire else f", if that ACK reached the {rung.sender}"
        return f"spurious retransmission{which}: {by} had acknowledged it{seen_here}"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1


def spurious_retransmission(seen: Seen) -> SpuriousRetransmission | None:
    """The peer has acknowledged all of its data before."""
    return SpuriousRetransmission(*first_sent(seen), seen.mine.acked_rung)


# ---- some of it was not --------------------------------------------------------------------------


class Retransmission(Fact, frozen=True, tag="retransmission"):
    """It repeats what rung ``of`` sent, ``after`` nanoseconds later.

    ``cause``: what made its sender repeat it, None where that cannot be told. ``acked``: the rung
    that acknowledged it, in vain.

    Attributes:
        why: the cause in words, behind ``retransmission of rung 4 after 2 s``.
    """

    of: int | None = None
    after: int | None = None
    cause: str | None = None
    acked: int | None = None

    trouble = again = True
    why: ClassVar[str] = ""
    source = "RFC 9293 §3.8.1"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        acked = f" in rung {self.acked}" if self.acked is not None else ""
        why = self.why.format(mine=mine, theirs=theirs, acked=acked)
        return f"retransmission{of_rung(self.of)}{later(self.after)}{why}"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1
        seen.mine.recover = seen.mine.next


def retransmission(seen: Seen) -> Retransmission | None:
    """Any other segment with numbers that were used before."""
    return Retransmission(*first_sent(seen))


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
            return f"{what}: SACK shows that it is missing"
        return f"{what}: duplicate ACKs ask for it, {self.duplicates} so far"

    def learn(self, seen: Seen) -> None:
        mine = seen.mine
        mine.retransmissions += 1
        mine.recover = mine.next
        mine.fast = FastSent(seen.seq, seen.time)


def fast_retransmission(seen: Seen) -> FastRetransmission | None:
    """Two duplicate ACKs or more ask for just this byte, the last within 20 ms."""
    if seen.heard.duplicates >= 2 and asked(seen):
        return FastRetransmission(*first_sent(seen), seen.heard.duplicates)
    return None


class Smaller(Retransmission, frozen=True):
    """The path does not take it as it was first sent, and has told its sender."""

    cause: str | None = "path-mtu"

    why = ": in smaller segments, since the path takes none so large"
    source = "RFC 1191 §6.1, RFC 8201 §5.4"

    def learn(self, seen: Seen) -> None:
        super().learn(seen)
        first, segment = seen.original, seen.segment
        if first is not None and first.seq == seen.seq:  # so much the path takes, and no more
            seen.theirs.mss = segment.length + room_of_options(segment)


def smaller(seen: Seen) -> Smaller | None:
    """Its first number was sent in a larger segment, and ICMP has told its sender that this was too
    large."""
    first = seen.original
    if first is None or not first.too_large or seen.end - seen.seq >= first.end - first.seq:
        return None
    return Smaller(*first_sent(seen))


class Rack(Retransmission, frozen=True):
    """Something sent later has arrived, and it has had the time of a round trip to do so, too."""

    cause: str | None = "rack"

    why = ": SACK shows that what was sent later has arrived: the {mine} considers it lost (RACK)"
    source = "RFC 8985 §6.2"


def rack(seen: Seen) -> Rack | None:
    """SACK blocks show a hole there and what was sent behind it, and a round trip has passed since
    it was last sent, but not yet the 200 ms of the shortest timer."""
    first, known = seen.original, seen.least_rtt
    if first is None or not known or not _in_a_hole(seen):
        return None
    return Rack(*first_sent(seen)) if seen.time - first.time >= known else None


class NoRoom(Retransmission, frozen=True):
    """The receiver had no room for it when it was last sent."""

    cause: str | None = "no-room"

    why = ": the {theirs} had no room for it"
    source = "RFC 9293 §3.8.6"


def no_room(seen: Seen) -> NoRoom | None:
    """Since it was last sent, its receiver has told that its window is closed."""
    first, mine, theirs = seen.original, seen.mine, seen.theirs
    if first is None:
        return None
    if seen.heard.ack is not None and seen.end <= seen.heard.ack:
        return None
    repeats = mine.flight.repeats
    again = (sent.time for sent in repeats if sent.seq < seen.end and seen.seq < sent.end)
    if theirs.no_room_time < max(again, default=first.time):
        return None
    return NoRoom(*first_sent(seen))


class Recovery(Retransmission, frozen=True):
    """Its sender repairs a loss, and takes this segment for lost too."""

    cause: str | None = "recovery"

    why = ": the {mine} considers this lost too, and continues its loss recovery"
    source = "RFC 6582 §3.2, RFC 6675 §5"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1


class FirstRecovery(Recovery, frozen=True):
    """It is the first that its sender repairs after its tail-loss probe, rung ``probe``."""

    probe: int | None = None

    source = "RFC 8985 §6.2 and §7"

    def text(self, rung: Rung) -> str:
        mine, told = rung.sender, f"retransmission{of_rung(self.of)}{later(self.after)}"
        probed = f"after its probe, rung {self.probe}"
        return f"{told}: {probed}, the {mine} considers this lost, and begins its loss recovery"


def recovery(seen: Seen) -> Recovery | None:
    """It lies below what had been sent when its sender last began to send again, or sent its
    tail-loss probe, and the newest ACK, within 20 ms, asks for it or shows a hole there."""
    if seen.mine.recover is None or seen.seq >= seen.mine.recover:
        return None
    if seen.original is not None and not _soon(seen):
        return None
    if seen.heard.ack != seen.seq and not _in_a_hole(seen):
        return None
    probed = seen.mine.probed
    if probed is not None and probed == _last_repeat(seen):
        return FirstRecovery(*first_sent(seen), probe=probed)
    return Recovery(*first_sent(seen))


def _last_repeat(seen: Seen) -> int | None:
    """The rung of what its sender last sent again."""
    repeats = reversed(seen.mine.flight.repeats)
    return next((one.number for one in repeats if not one.copied), None)


def told_by_sack(seen: Seen) -> FastRetransmission | None:
    """The newest ACK, within 20 ms, asks for just this byte, and its SACK blocks cover more than
    two segments' worth of bytes beyond it."""
    if asked(seen) and _lost(seen):
        return FastRetransmission(*first_sent(seen), seen.heard.duplicates)
    return None


class RepeatedSyn(Retransmission, frozen=True):
    """A SYN-ACK that answers the peer's repeated SYN."""

    cause: str | None = "repeated-syn"

    why = ": the {theirs}'s SYN came again, and is answered again"
    source = "RFC 9293 §3.10.7.4"

    def learn(self, seen: Seen) -> None:
        seen.mine.retransmissions += 1
        seen.theirs.asked = None


def repeated_syn(seen: Seen) -> RepeatedSyn | None:
    """It is a SYN-ACK, and the peer's SYN arrived again within 20 ms before it: sent again, or
    doubled on its way more often than the SYN-ACK has come again."""
    theirs = seen.theirs
    if not seen.segment.flags & SYN or seen.ack is None:
        return None
    again = theirs.asked is Asked.SYN or theirs.asked is Asked.REPEATED_SYN
    if not again and _doubled(theirs) <= len(seen.mine.flight.repeats):
        return None
    return RepeatedSyn(*first_sent(seen)) if seen.time - theirs.asked_time < FAST else None


def _doubled(sender: Half) -> int:
    """How often the network has doubled an end's SYN."""
    return sum(one.copied and not one.seq for one in sender.flight.repeats)


class RefusedSyn(Retransmission, frozen=True):
    """Its sender does not accept a reset as the answer."""

    cause: str | None = "refused"

    why = ": it was answered by a reset, and the {mine} tries again"
    source = "RFC 9293 §3.10.7.3"


def refused_syn(seen: Seen) -> RefusedSyn | None:
    """It is a SYN, and the peer's last segment was a reset that has ended its attempt."""
    attempting = seen.mine.state in (State.SYN_SENT, State.SYN_RECEIVED)
    if seen.segment.flags & SYN and seen.theirs.asked is Asked.RESET and not attempting:
        return RefusedSyn(*first_sent(seen))
    return None


def syn_after_answer(seen: Seen) -> Retransmission | None:
    """It is a SYN of one who has acknowledged the peer's SYN-ACK: it means something else."""
    if seen.segment.flags & SYN and seen.ack is None and seen.mine.ack is not None:
        return Retransmission(*first_sent(seen))
    return None


class FillsGap(Retransmission, frozen=True):
    """What was sent first was lost before the tap, or took another path."""

    cause: str | None = "gap"

    why = ": the original was not seen here"


def fills_gap(seen: Seen) -> FillsGap | None:
    """It was never seen, and lies in a gap."""
    if seen.original is None and seen.mine.gap(seen.seq) is not None:
        return FillsGap()
    return None


# ---- what the rules have in common ---------------------------------------------------------------


def acknowledged_before(seen: Seen) -> bool:
    """Whether it has data, and the peer has acknowledged all of them."""
    length, told = seen.segment.length, seen.theirs.ack
    return bool(length) and told is not None and seen.seq + length <= told


def used_before(seen: Seen) -> bool:
    """Whether it takes sequence numbers, and begins with one that was used before.

    Not so the data behind a keep-alive or a probe with a byte, nor a SYN that is sent again with an
    ACK when two SYNs have crossed, nor one that was captured behind all that followed it; and
    a SYN with another ISN has no number of this stream.
    """
    segment, mine = seen.segment, seen.mine
    if segment.flags & SYN and (seen.seq or not mine.syn_seen):
        return False
    if seen.seq >= mine.next or seen.end == seen.seq:
        return False
    if segment.length > 1 and seen.seq == mine.next - 1:
        return False
    return not (segment.flags & SYN and seen.ack is not None and mine.ack is None)


def first_sent(seen: Seen) -> tuple[int | None, int | None]:
    """The rung that first carried its first number, and how long ago that was."""
    first = seen.original
    return (None, None) if first is None else (first.number, passed(first.time, seen.time))


def _soon(seen: Seen) -> bool:
    """Whether it comes right behind the peer's last ACK."""
    return seen.time - seen.heard.ack_time < FAST


def asked(seen: Seen) -> bool:
    """Whether the peer's last ACK, right before it, asks for just this byte."""
    return seen.heard.ack == seen.seq and _soon(seen)


def _in_a_hole(seen: Seen) -> bool:
    """Whether the receiver's last SACK blocks show it missing below what they have."""
    sack = seen.heard.sack
    inside = any(left < seen.end and seen.seq < right for left, right in sack)
    return not inside and any(seen.end <= left for left, _ in sack)


def _lost(seen: Seen) -> bool:
    """Whether SACK blocks alone tell it lost: more than two segments' worth of bytes lie beyond it.

    That is RFC 6675 §4's IsLost. A receiver that opens its window with each ACK repeats none.
    """
    beyond = sum(right - left for left, right in seen.heard.sack if left >= seen.end)
    return beyond > 2 * (seen.theirs.mss or seen.segment.length)
