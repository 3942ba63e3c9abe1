"""Whether a repeated byte has the value that it had before, and if not, why."""

from __future__ import annotations

from trioecho.model import SYN, Fact, Rung
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
    if first is None or first.segment is None or first.segment.sound() is not False:
        return None
    return BadChecksum(first.number) if seen.segment.sound() else None


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
    if not seen.again or seen.segment.flags & SYN:
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
