"""A line of intervals: what one sender waited for, one after the other."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from trioecho.account.causes import NAGLE, Blamed, Certainty
from trioecho.account.spans import Span
from trioecho.model import Rung


class Doubt(Struct, gc=False):
    """A span whose cause depends on whether its sender goes on at once.

    Then it is as ``then`` says; if not, it stays as it is, or, where it is ``until`` a time, only
    the way of what was sent until then.
    """

    span: Span
    then: tuple[str, Blamed]
    until: int | None = None


class Line:
    """The intervals of one direction.

    Attributes:
        spans: those that are not taken yet.
        mark: until when it is known what its sender waited for.
        rung: the rung at the mark.
        ended: the end of its last interval.
        doubt: the span after them, if its cause is in doubt.
    """

    __slots__ = ("doubt", "ended", "mark", "rung", "spans")

    def __init__(self) -> None:
        self.spans: deque[Span] = deque()
        self.mark = 0
        self.ended = 0
        self.rung = 0
        self.doubt: Doubt | None = None

    def begin(self, time: int, rung: int) -> None:
        """Its sender begins to wait."""
        self.mark, self.rung = time, rung

    def add(
        self,
        time: int,
        rung: Rung,
        cause: str,
        blamed: Blamed,
        certainty: Certainty = Certainty.INFERRED,
    ) -> Span | None:
        """What its sender has waited for since the mark."""
        if time <= self.mark:
            return None
        number = rung.number
        span = Span(self.mark, time, cause, blamed, certainty, self.rung, number)
        self.spans.append(span)
        self.ended = self.mark = time
        self.rung = number
        return span

    def leave(
        self,
        time: int,
        rung: Rung,
        cause: tuple[str, Blamed],
        then: tuple[str, Blamed],
        certainty: Certainty = Certainty.INFERRED,
        *,
        until: int | None = None,
    ) -> None:
        """As ``add``, but leave it in doubt: it has another cause if its sender goes on at once."""
        if self.mark < time:
            span = Span(self.mark, time, *cause, certainty, self.rung, rung.number)
            self.doubt = Doubt(span, then, until)
            self.begin(time, rung.number)

    def decide(self, time: int, *, goes_on: bool) -> None:
        """Its sender goes on or doesn't, which tells what a span in doubt was."""
        doubt = self.doubt
        if doubt is None:
            return
        span = doubt.span
        at_once = time - span.end <= NAGLE
        if at_once and not goes_on:
            return
        self.doubt = None
        if at_once:
            span.cause, span.blamed = doubt.then
        elif doubt.until is not None:
            span.end, span.cause, span.blamed = doubt.until, "round-trip", "path"
        if span.start < span.end:
            self._push(span)

    def gap(
        self, start: int, end: int, cause: str, blamed: Blamed, rungs: tuple[int, int]
    ) -> Span | None:
        """What the silence of both ends was, between two rungs."""
        if end <= start:
            return None
        sure = Certainty.UNKNOWN if cause == "unknown" else Certainty.INFERRED
        span = Span(start, end, cause, blamed, sure, *rungs)
        self._push(span)
        return span

    def finish(self) -> None:
        """Nothing more comes: its sender does not go on."""
        if self.doubt is not None:
            self.decide(self.doubt.span.end + NAGLE + 1, goes_on=False)

    def _push(self, span: Span) -> None:
        self.spans.append(span)
        self.ended = span.end
