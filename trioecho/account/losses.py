"""Why segments were lost: a policer, a full queue, or chance.

A policer is a token bucket: it drops what finds no tokens, and delays nothing. So what is lost
finds fewer tokens than what passes (T. Flach et al., An Internet-Wide Analysis of Traffic Policing,
SIGCOMM 2016). They ask that the fitted bucket be empty at each loss, which fails where connections
share a policer. So it is asked here that the bucket of one connection tell its losses from its
passes better than chance, by the test of Mann and Whitney, and that no queue stood beside them.
"""

from __future__ import annotations

from math import sqrt
from statistics import median
from typing import Literal

from msgspec import Struct

from trioecho.account.causes import (
    ALONE,
    FEW_LOSSES,
    FEW_POLICED,
    FEW_ROUNDS,
    SURE,
    TOKENS_DECIDE,
)
from trioecho.account.evidence import Bucket, bucket_of, fitted, queued, rounds, runs
from trioecho.account.notes import Notes
from trioecho.account.repair import twice
from trioecho.account.transfer import MOST
from trioecho.account.trip import Trip
from trioecho.model import End, Rung
from trioecho.model.sequence import distance

Why = Literal["policed", "overflow", "random"]

_TEXT: dict[Why, str] = {
    "policed": "a policer at {rate}bit/s with a bucket of {burst}B",
    "overflow": "a full queue",
    "random": "by chance: no queue stood beside them, and no policer of this connection alone fits",
}
#: What to do about them.
ADVICE: dict[str, str] = {
    "policed": "Pace or shape below that rate, or ask who runs the policer for a larger bucket or "
    "a shaper.",
    "overflow": "The queue at the bottleneck is too short for such bursts, or the sender too fast: "
    "pace it, or let the queue mark (ECN) or drop early (fq_codel).",
    "random": "Look for a bad cable, radio or interface, whose error counters tell; or for a "
    "policer that others share.",
}

#: The same where a policer's rate is only known to be so much at least.
_AT_LEAST = "a policer with a bucket of {burst}B, at {rate}bit/s at least"
_SMALLER_BURSTS = (
    "Pace, so that each burst fits into that bucket, or ask who runs the policer for a larger one "
    "or a shaper."
)

_PLACES: dict[Why, str] = {"policed": "a policer of {rate}bit/s", "overflow": "a full queue"}


class Lost(Struct):
    """Losses of one kind.

    Args:
        kind: ``policed``, ``overflow`` or ``random``.
        sender: whose segments they were.
        count: how many.
        rate: of a policer, bit/s; 0 for no policer.
        burst: what its bucket held, bytes.
        at_least: whether the rate is only the least that it can be.
    """

    kind: Why
    sender: End
    count: int
    rate: int = 0
    burst: int = 0
    at_least: bool = False

    @property
    def text(self) -> str:
        """What happened, in words."""
        text = _AT_LEAST if self.at_least else _TEXT[self.kind]
        what = text.format(rate=_about(self.rate), burst=_about(self.burst))
        return f"{self.count:,} losses of the {self.sender}'s segments: {what}"

    @property
    def place(self) -> str:
        """What dropped them, in a few words; ``""`` where that cannot be told."""
        if self.at_least:
            return "a policer"
        return _PLACES.get(self.kind, "").format(rate=_about(self.rate))

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _SMALLER_BURSTS if self.at_least else ADVICE[self.kind]


class Losses:
    """What one end sends, and why some of it was lost.

    Args:
        end: that end.

    Attributes:
        notes: its bulk transfer that goes on now.
    """

    __slots__ = ("_bucket", "_count", "_end", "_found", "notes")

    def __init__(self, end: End) -> None:
        self._end: End = end
        self.notes = Notes()
        self._count = 0
        self._found: dict[Why, int] = {}
        self._bucket: Bucket | None = None

    def sent(self, time: int, rung: Rung, full: int, trip: Trip) -> None:
        """It sends data, for the first time or again.

        Args:
            time: when.
            rung: the segment's.
            full: bytes of a full segment.
            trip: its round trips; a transfer is over after a pause as long as its timer (RFC 5681
                §4.1).
        """
        notes, first = self.notes, rung.seq
        over = (notes.acked >= notes.end or not notes.count) and time - notes.moved > trip.rto
        if over or notes.count >= MOST:
            self._judge()
            self.notes = notes = Notes()
        end = first + rung.segment.length
        if rung.lost or (first < notes.end and notes.count):
            lost = rung.lost if rung.on_wire else None
            notes.again(time, first, end, full, lost=lost)
        else:
            notes.sent(time, first, end, full)

    def heard(self, time: int, rung: Rung) -> None:
        """A segment comes back.

        Args:
            time: when.
            rung: the segment's.
        """
        ack, raw, newest = rung.ack, rung.segment.ack, None
        if ack is None or raw is None:
            return
        blocks = rung.segment.options.sack
        if blocks:
            beyond = distance(blocks[0][1], raw)
            newest = ack + beyond if beyond > 0 else None
            for first, end in () if rung.on_wire else twice(rung):
                self.notes.needless(first, end)
        self.notes.heard(time, ack, newest)

    def end(self) -> tuple[int, list[Lost]]:
        """Nothing more comes: how many were lost, and why, as far as that can be told."""
        self._judge()
        self.notes = Notes()
        found, bucket = self._found, self._bucket
        policed = found.pop("policed", 0)
        kinds = [Lost(kind, self._end, count) for kind, count in found.items()]
        if bucket is not None and policed > sum(found.values()):
            rate, burst = round(bucket.rate * 8e9), round(bucket.burst)
            kinds = [Lost("policed", self._end, policed, rate, burst, bucket.at_least)]
        kinds.sort(key=lambda one: -one.count)
        return self._count, kinds

    def _judge(self) -> None:
        """A transfer is over: why it lost what it lost."""
        if self.notes.transfer is None:
            return  # nothing was
        transfer = self.notes.write()
        lost = [place for place, one in enumerate(transfer.lost) if one]
        self._count += len(lost)
        trips = sorted(trip for trip in transfer.trips if trip)
        if len(lost) < FEW_LOSSES or not trips:
            return
        if queued(transfer, lost, trips):
            self._add("overflow", len(lost))
            return
        bucket, alone = bucket_of(transfer, lost), runs(transfer, lost)
        if bucket is None or rounds(transfer, lost, median(trips)) < FEW_ROUNDS:
            return
        if bucket.tells < TOKENS_DECIDE:
            if alone >= ALONE * len(lost):
                self._add("random", len(lost))
        elif len(lost) >= FEW_POLICED and bucket.tells >= 0.5 + SURE / sqrt(12 * alone):
            self._add("policed", len(lost))
            fit = fitted(transfer, lost)
            if self._bucket is None or fit.spread < self._bucket.spread:
                self._bucket = fit

    def _add(self, kind: Why, count: int) -> None:
        self._found[kind] = self._found.get(kind, 0) + count


def _about(number: int) -> str:
    """A number in two digits, with the letter of its unit.

    >>> _about(998_564), _about(19_413), _about(512)
    ('1.0 M', '19 k', '510 ')
    """
    rounded = float(f"{number:.1e}")
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rounded >= unit:
            amount = rounded / unit
            return f"{amount:.{int(amount < 10)}f} {letter}"
    return f"{rounded:.0f} "
