"""Which part of a stream somebody has: all up to one number, and islands beyond it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

#: Islands kept at most: a hostile stream of them must not grow memory. Further ones are forgotten.
MOST_ISLANDS = 1_000


@dataclass(slots=True)
class Ranges:
    """A set of sequence numbers. In order, as nearly always, it is one number that grows.

    Args:
        up_to: one past the last number before the first gap; None as long as nothing is there.
        islands: ranges beyond the gap (first, end), in order, none touching another.
    """

    up_to: int | None = None
    islands: list[tuple[int, int]] | tuple[()] = ()

    def add(self, seq: int, end: int) -> int:
        """Put in a range; the first one begins the stream.

        Args:
            seq, end: its first number, and one past its last.

        Returns:
            How many of its numbers were not there before.
        """
        if self.up_to is None:
            self.up_to = end
            return end - seq
        new = self.missing(seq, end)
        if seq <= self.up_to:
            self.advance(end)
        elif new:
            self._insert(seq, end)
        return new

    def advance(self, to: int) -> None:
        """Put in everything before ``to``, and go on over the islands that this reaches."""
        if self.up_to is None or to > self.up_to:
            self.up_to = to
        islands = self.islands
        if islands and islands[0][0] <= self.up_to:
            reached = bisect_left(islands, (self.up_to + 1,))
            self.up_to = max(self.up_to, islands[reached - 1][1])
            del islands[:reached]

    def missing(self, seq: int, end: int) -> int:
        """How many numbers of a range are not there."""
        if self.up_to is not None:
            seq = max(seq, self.up_to)
        islands = self.islands
        missing = max(0, end - seq)
        if not islands or seq >= islands[-1][1]:
            return missing
        for at in range(max(0, bisect_left(islands, (seq,)) - 1), len(islands)):
            first, last = islands[at]
            if first >= end:
                break
            missing -= max(0, min(end, last) - max(seq, first))
        return missing

    def gaps(self, end: int) -> list[tuple[int, int]]:
        """The ranges before ``end`` that are not there, in order."""
        gaps, at = [], self.up_to
        for first, last in (*self.islands, (end, end)):
            if at is not None and at < min(first, end):
                gaps.append((at, min(first, end)))
            at = last
        return gaps

    def _insert(self, seq: int, end: int) -> None:
        islands = self.islands
        if not islands:
            self.islands = [(seq, end)]
            return
        left = bisect_left(islands, (seq,))
        if left and islands[left - 1][1] >= seq:
            left -= 1
            seq = islands[left][0]
        right = bisect_left(islands, (end + 1,), left)
        if right > left:
            end = max(end, islands[right - 1][1])
        elif len(islands) >= MOST_ISLANDS:
            return
        islands[left:right] = [(seq, end)]


def take(
    ranges: Iterable[tuple[int, int]], seq: int, end: int
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Take a range out of others.

    Args:
        ranges: disjoint ranges.
        seq, end: its first number, and one past its last.

    Returns:
        What is left of them, and how many numbers they shared with it.
    """
    kept: list[tuple[int, int]] = []
    taken = 0
    for first, last in ranges:
        left, right = max(first, seq), min(last, end)
        if left >= right:
            kept.append((first, last))
            continue
        taken += right - left
        kept += [part for part in ((first, left), (right, last)) if part[0] < part[1]]
    return tuple(kept), taken
