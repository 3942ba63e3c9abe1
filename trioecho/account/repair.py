"""Repairs: what a sender sends again, why, and whether it need have."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from trioecho.account.causes import HINDSIGHT, OF_RTO
from trioecho.account.skipped import Gap
from trioecho.account.spans import Span
from trioecho.model import SYN, Fact, Rung
from trioecho.model.sequence import distance

#: Repairs that may yet turn out to have been needless; of more, the oldest are taken as they are.
_MOST_OPEN = 64
#: A timer is not doubled more often than this (120 s, of 200 ms).
MOST_DOUBLED = 10


class Loss(Struct, gc=False):
    """A loss that is being repaired, until what was sent before the repair is acknowledged.

    Args:
        cause: what it is.
        since: when it was sent first.
        recover: what must be acknowledged until it is repaired.
        first, end: what was sent again.
        clock: the TSval with which it was sent again.
        repeats: how often it was sent again without any answer.
    """

    cause: str
    since: int
    recover: int
    first: int
    end: int
    clock: int | None
    repeats: int = 1


class Repaired(NamedTuple):
    """A repair that may yet turn out to have been needless: its span, and what was sent again."""

    span: Span
    first: int
    end: int


class Repairs:
    """What one end has sent again.

    Attributes:
        loss: the loss that it is repairing now.
        doubted: the repairs of late that may yet be shown to have been needless.
    """

    __slots__ = ("doubted", "loss")

    def __init__(self) -> None:
        self.loss: Loss | None = None
        self.doubted: deque[Repaired] = deque()

    def again(self, since: int, recover: int, rung: Rung, cause: str) -> None:
        """It sends something again.

        Args:
            since: since when it was waiting for it.
            recover: what must be acknowledged until it is repaired.
            rung: the segment's.
            cause: why.
        """
        loss = self.loss
        if loss is None:
            end = rung.seq + rung.segment.space
            stamps = rung.segment.options.timestamps
            clock = stamps[0] if stamps else None
            self.loss = Loss(cause, since, max(recover, rung.seq + 1), rung.seq, end, clock)
            return
        loss.repeats += 1
        loss.recover = max(loss.recover, recover)
        if cause == "timeout" and loss.cause == "fast-recovery":
            loss.cause = cause

    def answered(self, rung: Rung) -> None:
        """An ACK moves on: was it for what was sent first (RFC 3522)?"""
        loss, stamps = self.loss, rung.segment.options.timestamps
        if loss is None or not loss.first or loss.clock is None or stamps is None:
            return
        if distance(loss.clock, stamps[1]) > 0:
            loss.cause = "spurious"

    def repaired(self, span: Span | None, first: int, end: int) -> None:
        """Something is repaired, which took the time of a span."""
        if span is not None and span.cause != "spurious":
            self.doubted.append(Repaired(span, first, end))

    def heard(self, time: int, rung: Rung) -> None:
        """A segment comes back: see whether it tells that a repair was needless (RFC 2883)."""
        repaired = self.doubted
        while repaired and (time - repaired[0].span.end > HINDSIGHT or len(repaired) > _MOST_OPEN):
            repaired.popleft()
        for first, end in twice(rung):
            self._needless(first, end)

    def _needless(self, first: int, end: int) -> None:
        for one in self.doubted:
            if one.first < end and first < one.end:
                one.span.cause = "spurious"
        if self.loss is not None and self.loss.first < end and first < self.loss.end:
            self.loss.cause = "spurious"

    def finish(self) -> None:
        """Nothing more comes that could tell."""
        self.doubted.clear()


def twice(rung: Rung) -> Iterator[tuple[int, int]]:
    """The bytes that an end says it got twice (RFC 2883): from where to where."""
    for fact in rung.notes:
        if fact.kind == "dsack":
            yield getattr(fact, "first"), getattr(fact, "end")  # noqa: B009


def cause_of(rung: Rung, fact: Fact, *, timer: bool) -> str:
    """Why a segment is sent again, by what was found of it.

    Args:
        rung: the segment's.
        fact: what was found.
        timer: whether its sender's timer had run out by then.

    Returns:
        The cause.
    """
    if rung.segment.flags & SYN:
        return "handshake-loss"
    if fact.kind == "spurious-retransmission":
        return "spurious"
    if fact.kind == "fast-retransmission":
        return "fast-recovery"
    why = getattr(fact, "cause", None)
    return "timeout" if timer or why in ("timeout", "tail-loss-probe") else "fast-recovery"


def waited(rto: int, start: int, time: int, gap: Gap) -> int:
    """Since when a sender's timer ran, if packets are missing before what the tap sees only now.

    Args:
        rto: the timer, nanoseconds.
        start: since when nothing was seen.
        time: now.
        gap: what is missing; where that is not sure, the silence must be such timers' alone.

    Returns:
        The time; now, where no timer can have run out.
    """
    whole, longest = time - start, rto * ((1 << min(gap.packets, MOST_DOUBLED)) - 1)
    if whole < OF_RTO * rto or (not gap.sure and whole > longest / OF_RTO):
        return time
    return max(start, time - longest)
