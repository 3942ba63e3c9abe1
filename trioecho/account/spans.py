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
        while one and one[0].end <= start:
            one.popleft()
        while other and other[0].end <= start:
            other.popleft()
        best, then = one[0] if one else None, other[0] if other else None
        if best is None or best.start > start:
            best, then = then, best
        if best is None or best.start > start:  # neither has one here
            starts = [head.start for head in (best, then) if head is not None]
            start = min(starts, default=until)
            continue
        end = best.end if best.end < until else until
        if then is not None and then.start > start:
            end = min(end, then.start)
        elif then is not None:
            end = min(end, then.end)
            best = then if RANK[then.cause] < RANK[best.cause] else best
        if start != best.start or end != best.end:
            best = Span(start, end, best.cause, best.blamed, best.certainty, best.first, best.last)
        found.append(best)
        start = end
    return found
