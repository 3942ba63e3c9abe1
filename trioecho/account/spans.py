"""Intervals of the two directions, and the connection's, which has just one cause at any time."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from trioecho.account.causes import RANK, Blamed, Certainty


class Span(Struct, gc=False):
    """An interval with one cause.

    Args:
        start, end: nanoseconds since the epoch.
        cause: its name in the table of causes.
        blamed: the end it is put down to, or the path.
        certainty: how that is known.
        first, last: the rungs between which it lies.
    """

    start: int
    end: int
    cause: str
    blamed: Blamed
    certainty: Certainty
    first: int
    last: int


def merged(one: deque[Span], other: deque[Span], start: int, until: int) -> list[Span]:
    """The spans of two directions as those of one connection, from ``start`` to ``until``.

    What lies before ``until`` is taken from the queues. Where both have a span, the cause that
    stands first in the table decides; where neither has one, there is a hole.
    """
    found: list[Span] = []
    while start < until:
        for queue in (one, other):
            while queue and queue[0].end <= start:
                queue.popleft()
        heads = [queue[0] for queue in (one, other) if queue]
        active = [head for head in heads if head.start <= start]
        if not active:
            start = min([until, *(head.start for head in heads)])
            continue
        end = min([until, *(head.end for head in active)])
        end = min([end, *(head.start for head in heads if head.start > start)])
        best = min(active, key=_rank)
        found.append(
            Span(start, end, best.cause, best.blamed, best.certainty, best.first, best.last)
        )
        start = end
    return found


def _rank(span: Span) -> int:
    return RANK[span.cause]
