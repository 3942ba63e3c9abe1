"""Loss, and how it is repaired; what contradicts what was sent before."""

from __future__ import annotations

from typing import Literal

from trioecho.model import Fact

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


class FastRetransmission(Fact, frozen=True, tag="fast-retransmission"):
    """A retransmission asked for by ``duplicates`` ACKs, or if below 2 by SACK blocks alone."""

    of: int | None = None
    after: int | None = None
    duplicates: int = 0


class SpuriousRetransmission(Fact, frozen=True, tag="spurious-retransmission"):
    """It repeats what has been acknowledged already."""

    of: int | None = None
    after: int | None = None


class OutOfOrder(Fact, frozen=True, tag="out-of-order"):
    """Overtaken: sent before what was seen before it. ``of``: the very same packet, if seen.

    ``acknowledged``: it is the capture that has it late: its ACK was seen before.
    """

    behind: int
    of: int | None = None
    acknowledged: bool = False


class LostSegment(Fact, frozen=True, tag="lost-segment"):
    """``missing`` bytes before this segment have not been seen."""

    missing: int


class AckLostSegment(Fact, frozen=True, tag="ack-lost-segment"):
    """It acknowledges ``missing`` bytes that have not been seen: the capture missed them."""

    missing: int


DuplicateAckCause = Literal["fin", "syn", "nothing", "same-packet"]


class DuplicateAck(Fact, frozen=True, tag="duplicate-ack"):
    """The ``count``-th repetition of the ACK in rung ``of``.

    ``cause``, None where a byte seems to be missing: ``fin``: it acknowledges a FIN, behind which
    there is none; ``syn``: a SYN-ACK that has come once more; ``nothing``: all that was seen is
    acknowledged; ``same-packet``: by its IP identification it is the last one, seen twice, and does
    not count.
    """

    count: int
    of: int | None = None
    cause: DuplicateAckCause | None = None


class Sack(Fact, frozen=True, tag="sack"):
    """It has ``blocks`` (first, end) beyond the gap, in relative numbers of the peer's stream.

    ``outside``: far from all that was sent, so that somebody on the way changes the numbers.
    """

    blocks: tuple[tuple[int, int], ...]
    outside: bool = False


class Dsack(Fact, frozen=True, tag="dsack"):
    """It got the bytes from ``first`` to ``end`` twice: proof that a retransmission was spurious.

    ``of``: the rung that repeated them; ``copy``: that was no retransmission, but the same packet.
    """

    first: int
    end: int
    of: int | None = None
    copy: bool = False


class SegmentOverlapConflict(Fact, frozen=True, tag="segment-overlap-conflict"):
    """It repeats bytes that rung ``of`` sent with other values, from ``at`` on."""

    of: int
    at: int


class ChallengeAck(Fact, frozen=True, tag="challenge-ack"):
    """It answers a ``reset`` or ``syn`` that cannot be meant, or is still ``half-open`` itself."""

    asked: str


class Paws(Fact, frozen=True, tag="paws"):
    """Its timestamp is ``behind`` the newest: an old duplicate, which the receiver drops."""

    behind: int


class SequenceWrap(Fact, frozen=True, tag="sequence-wrap"):
    """The raw sequence number runs over 2**32 in this segment."""
