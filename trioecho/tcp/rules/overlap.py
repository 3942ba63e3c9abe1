"""Whether a repeated byte has the value that it had before."""

from __future__ import annotations

from trioecho.model import SYN, Fact, Rung
from trioecho.tcp.step import Seen


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
