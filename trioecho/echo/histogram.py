"""How often each time was measured, with three digits of it, in bounded memory.

The buckets and the file are those of HdrHistogram (Gil Tene), so that its plotter reads them. Its
Python library is under Apache-2.0, which cannot be combined with scapy's GPL-2.0-only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

#: Values below this are kept as they are; above, this many steps for each doubling, halved.
STEPS = 2048
#: The percentiles that tell how a server answers, and how it answers at its worst.
TOLD = (50.0, 90.0, 99.0, 99.9, 99.99)


def _floor(value: int) -> int:
    """The least value in the bucket of one."""
    shift = max(0, value.bit_length() - STEPS.bit_length() + 1)
    return value >> shift << shift


class Histogram:
    """Times, in nanoseconds or any other whole number, and how often each came.

    Attributes:
        count: how many values there are.
        total: their sum.
        least, most: the extremes; 0 if there is none.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.count = self.total = self.least = self.most = 0

    def add(self, values: Iterable[int]) -> None:
        """Count some values."""
        values = list(values)
        if not values:
            return
        self.least = min(values) if not self.count else min(self.least, *values)
        self.most = max(self.most, *values)
        self.count += len(values)
        self.total += sum(values)
        self._counts.update(map(_floor, values))

    @property
    def mean(self) -> float:
        """The mean, 0 if there is no value."""
        return self.total / self.count if self.count else 0.0

    def at(self, percentile: float) -> int:
        """The value that so many per cent do not exceed (nearest rank), 0 if there is none."""
        for value, below in self._steps():
            if below * 100 >= percentile * self.count:
                return max(self.least, value)  # a bucket may begin below
        return self.most

    def _steps(self) -> Iterator[tuple[int, int]]:
        """Each value, and how many are no greater, from the least."""
        below = 0
        for value in sorted(self._counts):
            below += self._counts[value]
            yield value, below

    def percentiles(self, unit: int = 1_000_000) -> Iterator[str]:
        """The lines of HdrHistogram's file of percentiles (.hgrm), times in a unit."""
        yield f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}\n\n"
        for value, below in self._steps():
            part = below / self.count
            rest = f"{1 / (1 - part):14.2f}" if below < self.count else ""
            yield f"{value / unit:12.3f} {part:14.12f} {below:10d} {rest}".rstrip() + "\n"
        spread = sum((value - self.mean) ** 2 * n for value, n in self._counts.items())
        deviation = (spread / self.count) ** 0.5 if self.count else 0.0
        yield f"#[Mean    = {self.mean / unit:12.3f}, StdDeviation   = {deviation / unit:12.3f}]\n"
        yield f"#[Max     = {self.most / unit:12.3f}, Total count    = {self.count:12d}]\n"
        yield f"#[Buckets = {1:12d}, SubBuckets     = {STEPS:12d}]\n"
