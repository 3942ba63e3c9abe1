"""Signs of loss: gaps, duplicate ACKs and SACK blocks."""

from __future__ import annotations

from typing import Literal

from trioecho.model import RST, SYN, Fact, Rung
from trioecho.model.sequence import distance, relative
from trioecho.tcp.flight import MOST_LATEST
from trioecho.tcp.half import LARGEST_SCALE, LEAST_WINDOW, Asked, Gap
from trioecho.tcp.rules import overlap
from trioecho.tcp.rules.windows import acknowledges_probe
from trioecho.tcp.rules.words import byte_ranges, ends, known_copy, of_rung
from trioecho.tcp.step import Seen
from trioecho.text import bytes_of


class LostSegment(Fact, frozen=True, tag="lost-segment"):
    """``missing`` bytes before this segment have not been seen, or not whole: rung ``garbled``."""

    missing: int
    garbled: int = 0

    trouble = True
    source = "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        have = "has" if self.missing == 1 else "have"
        gap = f"a gap: {bytes_of(self.missing)} before this {have}"
        if self.garbled:
            return f"{gap} not come whole: rung {self.garbled} was garbled"
        return f"{gap} not been seen"

    def learn(self, seen: Seen) -> None:
        segment, mine = seen.segment, seen.mine
        stamps = segment.options.timestamps
        newest = stamps[0] if stamps is not None else None
        gap = Gap(mine.next, seen.seq, seen.time, newest, segment.identification)
        mine.gaps = (*mine.gaps[1 - MOST_LATEST :], gap)


class FarSegment(LostSegment, frozen=True):
    """It lies farther ahead than its receiver can take."""

    dropped = True
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        theirs = ends(rung)[1]
        return (
            f"a gap: {bytes_of(self.missing)} before this have not been seen. That is far beyond"
            f" the {theirs}'s window as it was last seen: forged or garbled, and the {theirs} drops"
            " it, or the capture has a hole"
        )

    def learn(self, seen: Seen) -> None:
        """Nothing: it is not to be counted on from."""


def lost_segment(seen: Seen) -> LostSegment | None:
    """It begins beyond the next number that its sender was to use, and is no SYN or RST."""
    following = seen.mine.next
    if not following or seen.seq <= following or seen.segment.flags & (SYN | RST):
        return None
    kind = LostSegment if seen.plausible else FarSegment
    return kind(seen.seq - following, overlap.garbled_within(seen, following, seen.seq))


class AckLostSegment(Fact, frozen=True, tag="ack-lost-segment"):
    """It acknowledges ``missing`` bytes that have not been seen so far."""

    missing: int

    trouble = True
    source = "RFC 9293 §3.4"

    def text(self, rung: Rung) -> str:
        them = "it" if self.missing == 1 else "them"
        return (
            f"it acknowledges {bytes_of(self.missing)} not seen so far: the capture missed {them},"
            f" or shows {them} later"
        )

    def learn(self, seen: Seen) -> None:
        theirs, ack = seen.theirs, seen.acknowledges
        theirs.unseen = (*theirs.unseen, *theirs.seen.gaps(ack))[-MOST_LATEST:]
        theirs.seen.advance(ack)
        theirs.doubt(theirs.acked or 0, theirs.next)


class AckOfUnsent(AckLostSegment, frozen=True):
    """Its receiver cannot have sent those yet, as it still waits for the ACK of its SYN."""

    source = "RFC 9293 §3.10.7.3 and §3.10.7.4"

    def text(self, rung: Rung) -> str:
        theirs = ends(rung)[1]
        return (
            f"it acknowledges {bytes_of(self.missing)} that the {theirs} cannot have sent yet: the"
            f" {theirs} does not take it, and may answer with a RST"
        )


def ack_of_unsent(seen: Seen) -> AckOfUnsent | None:
    """The peer waits for the ACK of its SYN, and it acknowledges more than that can have sent."""
    missing = _never_seen(seen)
    if missing and not seen.theirs.accepts(seen.acknowledges, seen.mine):
        return AckOfUnsent(missing)
    return None


def ack_lost_segment(seen: Seen) -> AckLostSegment | None:
    """It acknowledges more than was seen without a gap, and not as its sender's last ACK did."""
    missing = _never_seen(seen)
    return AckLostSegment(missing) if missing else None


def _never_seen(seen: Seen) -> int:
    """How many bytes it acknowledges that were not seen, 0 if its sender's last ACK did, too."""
    ack, known = seen.ack, seen.theirs.seen.up_to
    if ack is None or known is None or ack == seen.mine.ack:
        return 0
    return 0 if acknowledges_probe(seen) else seen.theirs.seen.missing(known, ack)


DuplicateAckCause = Literal["fin", "old", "syn", "nothing", "arrived", "same-packet"]


class DuplicateAck(Fact, frozen=True, tag="duplicate-ack"):
    """The ``count``-th repetition of the ACK in rung ``of``.

    ``cause``, None where a byte seems to be missing: ``fin``: it acknowledges a FIN, behind which
    there is none; ``old``: it answers an old segment; ``syn``: the SYN has come once more;
    ``nothing``: all that was seen is acknowledged; ``arrived``: all that has arrived.
    """

    count: int
    of: int | None = None
    cause: DuplicateAckCause | None = None

    trouble = True

    @property
    def source(self) -> str:
        return "RFC 9293 §3.10.7.4" if self.cause else "RFC 5681 §2"

    def text(self, rung: Rung) -> str:
        what = {
            "fin": "acknowledges the FIN again",
            "syn": "acknowledges the SYN again",
            "nothing": "has everything seen here, and repeats its ACK",
            "arrived": "has everything that has arrived, and repeats its ACK",
        }.get(self.cause or "", "still waits for the same byte")
        return f"duplicate ACK number {self.count}{of_rung(self.of)}: the {rung.sender} {what}"

    def learn(self, seen: Seen) -> None:
        seen.mine.duplicates += 1


class CopiedAck(DuplicateAck, frozen=True):
    """It is the last ACK, seen twice, and does not count."""

    cause: DuplicateAckCause | None = "same-packet"

    @property
    def source(self) -> str:
        return "RFC 791 §3.2"

    def text(self, rung: Rung) -> str:
        return f"the same packet of the last ACK again{known_copy(rung)}"

    def learn(self, seen: Seen) -> None:
        """Nothing: its sender has sent it once."""


def copied_ack(seen: Seen) -> CopiedAck | None:
    """It has the IP identification of the last ACK, and comes within a round trip of it; or both
    have none, and it says just the same within half a round trip and 1.5 ms."""
    mine, packet = seen.mine, seen.segment.identification
    later = seen.time - mine.ack_time
    if packet != mine.ack_packet or later >= seen.history.round_trip or seen.wired:
        return None
    if not packet and not (0 <= later < seen.history.at_once and _says_the_same(seen)):
        return None
    return CopiedAck(mine.duplicates, mine.ack_rung)


def _says_the_same(seen: Seen) -> bool:
    """Whether an ACK says just what its sender's last segment did, which carried nothing either.

    Each segment that comes behind a gap is acknowledged anew, so without SACK blocks nothing may
    be missing.
    """
    segment, mine, ack = seen.segment, seen.mine, seen.acknowledges
    stamps, recent, blocks = segment.options.timestamps, mine.ts_recent, sack_blocks(seen, ack)
    if mine.next_time >= mine.ack_time or blocks != mine.sack:
        return False
    if stamps is not None and recent is not None and distance(stamps[0], recent) > 0:
        return False
    return bool(blocks) or ack >= seen.theirs.next


def sack_blocks(seen: Seen, ack: int) -> tuple[tuple[int, int], ...]:
    """The SACK blocks in relative numbers."""
    start = seen.theirs.isn or 0
    return tuple(
        (relative(left, start, ack), relative(right, start, ack))
        for left, right in seen.segment.options.sack
    )


class AnswersOld(DuplicateAck, frozen=True):
    """It answers rung ``old``, an old segment that has come behind the peer's FIN."""

    cause: DuplicateAckCause | None = "old"
    old: int = 0

    def text(self, rung: Rung) -> str:
        told = f"duplicate ACK number {self.count}{of_rung(self.of)}"
        return f"{told}: the {rung.sender} answers rung {self.old}, an old segment"

    def learn(self, seen: Seen) -> None:
        super().learn(seen)
        seen.mine.late = None


def answers_old(seen: Seen) -> AnswersOld | None:
    """What came last from the peer, whose FIN it has, lies before that FIN."""
    old, mine = seen.mine.late, seen.mine
    return None if old is None else AnswersOld(mine.duplicates + 1, mine.ack_rung, old=old)


def ack_of_fin_again(seen: Seen) -> DuplicateAck | None:
    """It acknowledges the peer's FIN, behind which nothing can be missing."""
    fin = seen.theirs.fin
    return _duplicate(seen, "fin") if fin is not None and fin < seen.acknowledges else None


def ack_of_syn_again(seen: Seen) -> DuplicateAck | None:
    """The peer's last segment was a SYN-ACK, sent again, or its DSACK tells that the SYN came
    twice."""
    again = seen.theirs.asked is Asked.REPEATED_SYN_ACK
    if again or (0, 1) in sack_blocks(seen, seen.acknowledges)[:1]:
        return _duplicate(seen, "syn")
    return None


def nothing_missing(seen: Seen) -> DuplicateAck | None:
    """It acknowledges all that the peer was seen to send, or on a wire that knows, all that has
    arrived."""
    ack, following, has = seen.acknowledges, seen.theirs.next, seen.mine.received
    if 0 < following <= ack:
        return _duplicate(seen, "nothing")
    if seen.wired and has.up_to == ack and not has.islands:
        return _duplicate(seen, "arrived")
    return None


def duplicate_ack(seen: Seen) -> DuplicateAck | None:
    """Any other repetition of its sender's last ACK, with the same window."""
    return _duplicate(seen, None)


def _duplicate(seen: Seen, cause: DuplicateAckCause | None) -> DuplicateAck:
    return DuplicateAck(seen.mine.duplicates + 1, seen.mine.ack_rung, cause)


class Sack(Fact, frozen=True, tag="sack"):
    """It has ``blocks`` (first, end) beyond the gap, in relative numbers of the peer's stream.

    ``outside``: far from all that was sent, so that somebody on the way changes the numbers.
    """

    blocks: tuple[tuple[int, int], ...]
    outside: bool = False

    implied = True
    source = "RFC 2018 §3"

    def text(self, rung: Rung) -> str:
        mine, ranges = rung.sender, byte_ranges(*self.blocks)
        if self.outside:
            return (
                f"the {mine} says it has {ranges} (SACK), but nothing near was ever sent:"
                " the numbers were rewritten on the way"
            )
        return f"the {mine} lacks some, but has {ranges} (SACK)"


def rewritten_sack(seen: Seen) -> Sack | None:
    """A block ends four windows or more beyond what the peer has sent."""
    return Sack(seen.sack, outside=True) if far_sack(seen) else None


def far_sack(seen: Seen) -> bool:
    """Whether a block lies far from all that the peer has sent."""
    if not seen.sack:
        return False
    mine = seen.mine
    shift = mine.shift if mine.shift_known else LARGEST_SCALE
    far = seen.theirs.next + 4 * max(seen.segment.window << shift, LEAST_WINDOW)
    return any(right > far for _, right in seen.sack)


class Dsack(Fact, frozen=True, tag="dsack"):
    """It got the bytes from ``first`` to ``end`` twice: proof that a retransmission was spurious.

    ``of``: the rung that repeated them, and more where ``part``; ``copy``: that was no
    retransmission, but the same packet.
    """

    first: int
    end: int
    of: int | None = None
    copy: bool = False
    part: bool = False

    source = "RFC 2883 §4"

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        if (self.first, self.end) == (0, 1):
            return f"the {mine} had already received the {theirs}'s SYN (DSACK): it came twice"
        got = f"the {mine} got {byte_ranges((self.first, self.end))} twice (DSACK)"
        if self.copy:
            return f"{got}: the copy in rung {self.of}, too"
        which = f"the retransmission in rung {self.of}" if self.of else "a retransmission"
        return f"{got}: {'this part of ' if self.part else ''}{which} was spurious"


def dsack(seen: Seen) -> Dsack | None:
    """Its first SACK block lies below its ACK or within another block, and the peer has not just
    sent a keep-alive, whose byte is there already."""
    if not _repeats_bytes(seen) or seen.theirs.asked is Asked.KEEP_ALIVE:
        return None
    first, end = seen.sack[0]
    for sent in reversed(seen.theirs.flight.repeats):
        if sent.seq < end and first < sent.end:
            part = sent.seq < first or end < sent.end - 1  # a FIN's number is in no block
            return Dsack(first, end, sent.number, sent.copied, part)
    return Dsack(first, end)


def sack(seen: Seen) -> Sack | None:
    """It has SACK blocks beyond its ACK, beside the one of a DSACK."""
    if not seen.sack or far_sack(seen):
        return None
    blocks = seen.sack[1:] if _repeats_bytes(seen) else seen.sack
    return Sack(blocks) if blocks else None


def _repeats_bytes(seen: Seen) -> bool:
    """Whether the first block is a DSACK's (RFC 2883 §4)."""
    if not seen.sack or far_sack(seen):
        return False
    (first, end), *others = seen.sack
    return end <= seen.acknowledges or any(left <= first and end <= right for left, right in others)
