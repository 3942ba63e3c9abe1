"""Which causes of the account fell into each request."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from trioecho.account.causes import Blamed
from trioecho.account.spans import Span
from trioecho.model import OTHER
from trioecho.requests.request import Request

#: Intervals that are remembered for a request that turns out to have begun before.
MOST_SPANS = 64
#: Pauses that are remembered for a request that turns out to have been waiting for its answer.
MOST_PAUSES = 256
#: Causes that say that an end's program might have said something, and did not.
_PAUSES = ("application", "think-time")
#: Requests of one connection that may wait until the account has come to their end.
MOST_WAITING = 1_000


class Shares:
    """The requests of one connection, which wait for the account's intervals."""

    def __init__(self) -> None:
        self._spans: deque[Span] = deque(maxlen=MOST_SPANS)
        self._pauses: deque[Span] = deque(maxlen=MOST_PAUSES)
        self._open: dict[int, Request] = {}
        self._done: deque[Request] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there is a request that is not over, or waits for the account."""
        return bool(self._open or self._done)

    def begin(self, request: Request) -> None:
        """A request begins; what the account said of the time since then is its own."""
        self._open[request.number] = request
        for span in self._spans:
            _add(request, span, request.seen[0], None)

    def end(self, request: Request) -> Iterator[Request]:
        """A request is over; given are those that wait no longer."""
        del self._open[request.number]
        for span in self._spans:  # what it was given of the time behind its end
            _add(request, span, request.seen[1], None, sign=-1)
        self._done.append(request)
        if self._spans and self._spans[-1].end >= request.seen[1]:
            yield from self._covered(self._spans[-1].end)
        if len(self._done) > MOST_WAITING:
            yield self._settled()

    def take(self, span: Span) -> Iterator[Request]:
        """Take the account's next interval; given are the requests that it ends behind."""
        self._spans.append(span)
        if span.cause in _PAUSES:
            self._pauses.append(span)
        for request in self._done:
            _add(request, span, *request.seen)
        for request in self._open.values():
            _add(request, span, request.seen[0], None)
        yield from self._covered(span.end)

    def rest(self) -> Iterator[Request]:
        """All that still wait, when the account is closed."""
        while self._done:
            yield self._settled()

    def _covered(self, until: int) -> Iterator[Request]:
        while self._done and self._done[0].seen[1] <= until:
            yield self._settled()

    def _settled(self) -> Request:
        """The first that is over, with the pauses in which its asker only seemed to owe something.

        Once all of a question has come, the answer is due. What its asker says meanwhile, such as
        a WINDOW_UPDATE of HTTP/2, was not waited for.
        """
        request = self._done.popleft()
        since, until = request.owed
        other = OTHER[request.asker]
        for span in self._pauses:
            time = min(span.end, until) - max(span.start, since)
            if time > 0 and span.blamed == request.asker:
                _count(request, (span.cause, span.blamed), -time)
                _count(request, ("think-time", other), time)
        return request


def _add(request: Request, span: Span, start: int, end: int | None, sign: int = 1) -> None:
    """Add what an interval has between two times to a request's costs, or take it away."""
    time = (span.end if end is None else min(span.end, end)) - max(span.start, start)
    if time > 0:
        _count(request, (span.cause, span.blamed), sign * time)


def _count(request: Request, key: tuple[str, Blamed], time: int) -> None:
    request.costs[key] = request.costs.get(key, 0) + time
    if request.costs[key] <= 0:
        del request.costs[key]
