"""Whether a segment was garbled: its checksum, and the bytes that it repeats."""

from __future__ import annotations

from trioecho.model import SYN, Fact, Rung
from trioecho.tcp.flight import Sent
from trioecho.tcp.rules.marks import PawsOverruled, overruled
from trioecho.tcp.rules.words import ends
from trioecho.tcp.step import Seen


class BadChecksum(Fact, frozen=True, tag="bad-checksum"):
    """The checksum of rung ``of``, which it repeats, is wrong, and its own is right."""

    of: int

    trouble = True
    source = "RFC 9293 §3.1"

    def text(self, rung: Rung) -> str:
        return (
            f"rung {self.of} had a wrong checksum: it was garbled on its way, and the"
            f" {ends(rung)[1]} drops that"
        )

    def learn(self, seen: Seen) -> None:
        if seen.original is not None:
            seen.original.instead = seen.number


def bad_checksum(seen: Seen) -> BadChecksum | None:
    """It repeats what is not acknowledged; both were captured whole, and its checksum is right, but
    not that of the first."""
    first = seen.original
    if first is None:
        return None
    if seen.segment.flags & SYN:  # which is not kept
        wrong = seen.mine.verified is False and seen.theirs.ack is None
    else:
        wrong = first.segment is not None and first.segment.sound() is False
    return BadChecksum(first.number) if wrong and seen.segment.sound() else None


class Garbled(BadChecksum, frozen=True):
    """Its own checksum is wrong: nothing that it says counts."""

    dropped = True

    def text(self, rung: Rung) -> str:
        mine, theirs = ends(rung)
        return (
            f"its checksum is wrong, and that of the {mine}'s SYN was right: it was garbled on its"
            f" way, and the {theirs} drops it"
        )


def garbled(seen: Seen) -> Garbled | None:
    """Its checksum is wrong, while that of its sender's SYN was right. If it has data, which may
    have been blanked in the capture, others as long were right."""
    return Garbled(seen.number) if seen.mine.drops(seen.segment) else None


def was_garbled(seen: Seen) -> bool:
    """Whether it was found to be garbled."""
    return any(isinstance(fact, Garbled) for fact in seen.found)


def garbled_before(seen: Seen) -> Sent | None:
    """What it repeats, if that was garbled on its way and is not acknowledged all the same."""
    one: Seen
    for one in seen.history.doubted:
        same = one.mine is seen.mine and (one.seq, one.end) == (seen.seq, seen.end)
        if same and was_garbled(one):
            return Sent(one.seq, one.end, one.number, one.time, segment=one.segment)
    return None


def garbled_within(seen: Seen, first: int, end: int) -> int:
    """The rung of its sender that was garbled and has some of these numbers; 0 for none."""
    one: Seen
    for one in seen.history.doubted:
        if one.mine is seen.mine and one.seq < end and first < one.end and was_garbled(one):
            return one.number
    return 0


class ChecksumOverruled(PawsOverruled, frozen=True, tag="bad-checksum-overruled"):
    """It acknowledges rung ``of``, whose checksum is wrong in the capture."""

    source = "RFC 9293 §3.1"

    def text(self, rung: Rung) -> str:
        return (
            f"the {rung.sender} has taken rung {self.of} all the same: its checksum was right when"
            " it arrived"
        )


def checksum_overruled(seen: Seen) -> ChecksumOverruled | None:
    """It acknowledges, beyond all that was seen, no more than what seemed to be dropped, the last
    of it for its checksum."""
    one = overruled(seen)
    if one is None or not was_garbled(one):
        return None
    return ChecksumOverruled(one.number)


class SegmentOverlapConflict(Fact, frozen=True, tag="segment-overlap-conflict"):
    """It repeats bytes that rung ``of`` sent with other values, from ``at`` on."""

    of: int
    at: int

    trouble = True
    source = "RFC 9293 §3.10.7.4"

    def text(self, rung: Rung) -> str:
        return (
            f"from byte {self.at} on it differs from what rung {self.of} sent: someone is"
            " tampering, or the sender is broken"
        )


def segment_overlap_conflict(seen: Seen) -> SegmentOverlapConflict | None:
    """It repeats a byte that is not acknowledged with another value."""
    payload = seen.segment.payload
    if seen.segment.flags & SYN:
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
