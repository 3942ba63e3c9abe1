"""How a duration spreads over many samples, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

_BITS = 5  # of each sample this many leading bits count: quantiles are within 6 %


@dataclass(slots=True)
class Spread:
    """A histogram with buckets that widen with the value, as HdrHistogram's do.

    Args:
        count: how many samples there are.
        least, greatest: the smallest and the largest.
    """

    count: int = 0
    least: int = 0
    greatest: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value: int) -> None:
        """Take a sample, a number that is not negative."""
        if not self.count or value < self.least:
            self.least = value
        if value > self.greatest:
            self.greatest = value
        self.count += 1
        shift = value.bit_length() - _BITS
        bucket = value >> shift << shift if shift > 0 else value
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def quantile(self, part: float) -> int | None:
        """The value that ``part`` of the samples do not exceed, or None without samples.

        Args:
            part: from 0 to 1: 0.5 is the median.

        Returns:
            The middle of the bucket that it lies in, at most 3 % beside it, and never outside of
            the samples.
        """
        wanted = part * self.count
        for bucket in sorted(self.buckets):
            wanted -= self.buckets[bucket]
            if wanted <= 0:
                width = 1 << max(0, bucket.bit_length() - _BITS)
                return max(self.least, min(bucket + width // 2, self.greatest))
        return None
