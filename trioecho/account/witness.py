"""What programs' calls and kernels tell of one connection's intervals, where both are known.

A capture shows only when something left. A call tells that the program had not sent it before, and
a kernel counts for how long its peer's window or its own buffer was the limit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TypeVar

from trioecho.account.causes import LEAST_NAMED, MS, NAGLE, Certainty
from trioecho.account.spans import Span
from trioecho.model import ENDS, OTHER, RECEIVING, SENDING, Call, End, Rung

#: Calls and answers of a kernel that are remembered; of more, the later half.
MOST = 4096
#: This part of an interval must be as a cause says; of a counter, less what it does not resolve.
COUNTED = 0.8
JIFFY = 4 * MS
#: For this part of an interval a program has read nothing, if it is to be the one who did not read:
#: what makes room at its end was read before, by half a round trip.
UNREAD = 0.75

_PROGRAMS = frozenset(("application", "think-time"))
_WINDOWS = frozenset(("slow-reader", "receive-buffer"))
_SENDERS = frozenset(("send-buffer", "slow-start", "congestion-window"))
_Known = TypeVar("_Known", int, tuple[int, int, int])


class Witness:
    """The calls of both programs, and what both kernels said of a connection."""

    def __init__(self) -> None:
        self._sends: dict[End, list[int]] = {"client": [], "server": []}
        self._reads: dict[End, list[int]] = {"client": [], "server": []}
        # When, and for how long the peer's window, and its own buffer, had been the limit by then.
        self._limits: dict[End, list[tuple[int, int, int]]] = {"client": [], "server": []}

    def called(self, call: Call) -> None:
        """Take a call of a program."""
        if call.error is None and call.name in SENDING:
            _remember(self._sends[call.end], call.time)
        elif call.error is None and call.name in RECEIVING:
            _remember(self._reads[call.end], call.time)

    def asked(self, rung: Rung) -> None:
        """Take what the kernels said when a segment was sent and when it arrived."""
        for end in ENDS:
            kernel = rung.client_kernel if end == "client" else rung.server_kernel
            time = rung.time if end == rung.sender else rung.arrived
            if kernel is None or kernel.busy is None or time is None:
                continue
            limits = kernel.receiver_limited or 0, kernel.send_buffer_limited or 0
            _remember(self._limits[end], (time, *limits))

    def judge(self, span: Span) -> None:
        """Correct an interval's cause where they know better; call it proven where they agree."""
        end = None if span.blamed == "path" else span.blamed
        if span.cause in _PROGRAMS and end is not None:
            sure = self._silent(end, span)
        elif span.cause in _WINDOWS and end is not None:
            if span.cause == "slow-reader":  # that a window was the limit does not tell why
                sure = self._unread(end, span)
            else:
                sure = self._limited(OTHER[end], span, 1)
        elif span.cause in _SENDERS:
            full = [one for one in ENDS if self._limited(one, span, 2)]
            sure = len(full) == 1
            if sure:
                span.cause, span.blamed = "send-buffer", full[0]
        else:
            return
        if sure:
            span.certainty = Certainty.PROVEN

    def _silent(self, end: End, span: Span) -> bool:
        """Whether a program sent nothing until the end of an interval, and later did."""
        sends, took = self._sends[end], span.end - span.start
        since = span.end - max(NAGLE, round((1 - COUNTED) * took))
        return bisect_left(sends, since) < len(sends) and not _within(sends, span.start, since)

    def _unread(self, end: End, span: Span) -> bool:
        """Whether a program read nothing for most of an interval."""
        reads, took = self._reads[end], span.end - span.start
        if not reads or took < LEAST_NAMED:
            return False
        return _within(reads, span.start, span.start + round(UNREAD * took)) == 0

    def _limited(self, end: End, span: Span, which: int) -> bool:
        """Whether an end's kernel has counted an interval as limited."""
        limits, took = self._limits[end], span.end - span.start
        first = bisect_right(limits, span.start + NAGLE, key=_time) - 1
        last = bisect_left(limits, span.end - NAGLE, key=_time)
        if took < LEAST_NAMED or first < 0 or last >= len(limits):
            return False
        between = limits[last][0] - limits[first][0]
        return limits[last][which] - limits[first][which] >= COUNTED * between - JIFFY


def _within(times: list[int], start: int, end: int) -> int:
    """How many of some times, in order, are later than a start and before an end."""
    return max(0, bisect_left(times, end) - bisect_right(times, start))


def _time(said: tuple[int, int, int]) -> int:
    return said[0]


def _remember(known: list[_Known], new: _Known) -> None:
    insort(known, new)
    if len(known) > MOST:
        del known[: MOST // 2]
