"""Way: what one end of a labelled run sends, and what became of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from labelled.perform import Run
from trioecho.account.causes import INFLATED
from trioecho.model import OTHER, End, Kernel, Rung

MS = 1_000_000
SMALL = 1448


class Way:
    """What one end sends, and what became of it.

    Args:
        run: the run.
        end: the sender.
    """

    def __init__(self, run: Run, end: End) -> None:
        self.end: End = end
        self.other: End = OTHER[end]
        self.scenario = run.scenario
        self.one_way = round(self.scenario.rtt * 5e8)
        self.rtt = 2 * self.one_way
        self.log = [did for did in run.log if did.end == end]
        self.theirs = [did for did in run.log if did.end == self.other]
        rungs = [rung for rung in run.rungs if rung.kind == "original"]
        self.sent = [rung for rung in rungs if rung.sender == end and rung.segment.space]
        self.data = [rung for rung in self.sent if rung.segment.length]
        # What arrives from the other end, in order of arrival.
        self.heard = sorted(
            (rung for rung in rungs if rung.sender == self.other and rung.arrived is not None),
            key=lambda rung: rung.arrived or 0,
        )
        self.heard_at = [rung.arrived or 0 for rung in self.heard]
        self.answers = [rung for rung in rungs if rung.sender == self.other]
        self.acks: list[tuple[int, int]] = []  # (when, up to where), rising
        for rung in self.heard:
            if rung.ack is not None and (not self.acks or rung.ack > self.acks[-1][1]):
                self.acks.append((rung.arrived or 0, rung.ack))
        self.kernels = list(self._kernels(rungs))
        self.over = max((rung.arrived or rung.time for rung in rungs), default=0)

    def _kernels(self, rungs: list[Rung]) -> Iterator[tuple[int, Kernel]]:
        found = []
        for rung in rungs:
            kernel = rung.client_kernel if self.end == "client" else rung.server_kernel
            time = rung.time if rung.sender == self.end else rung.arrived
            if kernel is not None and time is not None:
                found.append((time, kernel))
        found.sort(key=lambda one: one[0])
        yield from found

        self._queued = [
            (rung.arrived, rung.arrived - rung.time - self.one_way)
            for rung in self.data
            if rung.arrived is not None
        ]
        self._moments = sorted({*(rung.time for rung in self.data), *self.heard_at})
        self._given = self._sums(
            (did.end_time, did.count) for did in self.log if did.what == "send"
        )
        self._left: list[tuple[int, int]] = []
        reached = 1
        for rung in self.data:
            reached = max(reached, rung.seq + rung.segment.length)
            self._left.append((rung.time, reached - 1))
        self._blocked = [(did.start, did.end_time) for did in self.log if did.what == "send"]

    def _sums(self, parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        total, sums = 0, []
        for time, count in parts:
            total += count
            sums.append((time, total))
        return sums

    def queue(self, time: int) -> int:
        """How much longer than its way the last segment took that had arrived, if much longer."""
        wait = _upto(self._queued, time)
        return wait if wait > (INFLATED - 1) * self.rtt and wait > 2 * MS else 0

    def waiting(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """When something was under way, and a queue stood or more was to be sent."""
        first = bisect_right(self._moments, start)
        last = bisect_left(self._moments, end)
        cuts = [start, *self._moments[first:last], end]
        for before, after in pairwise(cuts):
            if after <= before or not self.flying(before):
                continue
            if self.queue(before):
                yield before, after
                continue
            given, left = _upto(self._given, before), _upto(self._left, before)
            if given > left or any(one <= before and after <= two for one, two in self._blocked):
                yield before, after

    def full_buffer(self, time: int) -> bool:
        """Whether the program waits for room in its buffer, of which everything is sent."""
        blocked = any(start <= time < end for start, end in self._blocked)
        return blocked and _upto(self._given, time) - _upto(self._left, time) < SMALL

    def flying(self, time: int) -> int:
        """Bytes sent and not acknowledged to their sender."""
        return max(0, _upto(self._left, time) + 1 - (_upto(self.acks, time) or 1))

    def acked(self, number: int) -> int | None:
        """When its sender hears that all before a number has arrived."""
        place = bisect_left(self.acks, number, key=lambda one: one[1])
        return self.acks[place][0] if place < len(self.acks) else None

    def flights(self) -> Iterator[tuple[int, int]]:
        """When something was sent and not acknowledged."""
        start = until = None
        reached = 0
        for rung in self.data:
            end = rung.seq + rung.segment.length
            if end <= reached:
                continue
            reached = end
            if until is not None and rung.time > until and start is not None:
                yield start, until
                start = None
            if start is None:
                start = rung.time
            until = self.acked(end)
            if until is None:
                yield start, self.over
                return
        if start is not None and until is not None:
            yield start, until


def _upto(sums: list[tuple[int, int]], time: int) -> int:
    """The last number of those up to a time."""
    place = bisect_right(sums, time, key=lambda one: one[0]) - 1
    return sums[place][1] if place >= 0 else 0
