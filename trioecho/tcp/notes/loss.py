"""Loss, and how it is repaired; what contradicts what was sent before."""

from __future__ import annotations

from typing import Literal

from trioecho.tcp.notes.fact import Fact


class Retransmission(Fact, frozen=True, tag="retransmission"):
    """It repeats what rung ``of`` sent, ``after`` nanoseconds later.

    ``cause``, None where it cannot be told: ``timeout``; ``tail-loss-probe``: the last segment, too
    soon for a timeout (RFC 8985 §7); ``recovery``: while an earlier loss is repaired, an ACK shows
    that this is missing too; ``same-packet``: by its IP identification it is the very packet of
    rung ``of``, seen twice; ``repeated-syn``: a SYN-ACK, since the peer's SYN has come once more.
    """

    of: int | None = None
    after: int | None = None
    cause: (
        Literal["timeout", "tail-loss-probe", "recovery", "same-packet", "repeated-syn"] | None
    ) = None


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
    """Overtaken: sent before what was seen before it. ``of``: the very same packet, if seen."""

    behind: int
    of: int | None = None


class LostSegment(Fact, frozen=True, tag="lost-segment"):
    """``missing`` bytes before this segment have not been seen."""

    missing: int


class AckLostSegment(Fact, frozen=True, tag="ack-lost-segment"):
    """It acknowledges ``missing`` bytes that have not been seen: the capture missed them."""

    missing: int


class DuplicateAck(Fact, frozen=True, tag="duplicate-ack"):
    """The ``count``-th repetition of the ACK in rung ``of``.

    ``ended``: it is the ACK of a FIN, behind which there is no byte to wait for.
    """

    count: int
    of: int | None = None
    ended: bool = False


class Sack(Fact, frozen=True, tag="sack"):
    """It has ``blocks`` (first, end) beyond the gap, in relative numbers of the peer's stream."""

    blocks: tuple[tuple[int, int], ...]


class Dsack(Fact, frozen=True, tag="dsack"):
    """It got the bytes from ``first`` to ``end`` twice: proof that a retransmission was spurious.

    ``of``: the rung that repeated them.
    """

    first: int
    end: int
    of: int | None = None


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
