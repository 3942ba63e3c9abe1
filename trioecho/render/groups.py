"""Groups of connections that share one trouble: the same server, outcome and reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, groupby
from typing import NamedTuple

from trioecho.model import ConnectionSummary
from trioecho.tcp.outcome import UNANSWERED
from trioecho.text import plural, printable

# Numbers of connections, or ranges of them, that a group names; the others are counted.
_MOST_NAMED = 8


class Group(NamedTuple):
    """Connections to one server that came to the same for the same reason."""

    connections: Sequence[ConnectionSummary]

    @property
    def title(self) -> str:
        """Such as ``12 attempts to 203.0.113.94:80: no answer to any SYN``."""
        one = self.connections[0]
        what = plural(len(self.connections), "attempt" if one.attempt else "connection")
        within = f" in {one.tunnel}" if one.tunnel else ""
        outcome = one.completeness.replace(UNANSWERED, "no answer to any SYN")
        return f"{what} to {one.server}{within}: {outcome}"

    def which(self, start: int) -> str:
        """Which connections these are, and when they began after ``start``."""
        first, last = (
            f"{(pick(one.start for one in self.connections) - start) / 1e9:.3f} s"
            for pick in (min, max)
        )
        numbers = sorted(one.number for one in self.connections)
        return f"connections {ranges(numbers)}; the first began at {first}, the last at {last}"

    @property
    def reason(self) -> str:
        """The first trouble of the first, as an example; ``""`` where each is just not answered."""
        one = min(self.connections, key=lambda one: one.number)
        if not one.troubles:
            return ""
        more = sum(other.troubles for other in self.connections) - 1
        return (
            f"such as connection {one.number}, {printable(one.first_trouble)} (and {more:,} more)"
        )


def grouped(
    connections: Sequence[ConnectionSummary],
) -> tuple[list[Group], list[ConnectionSummary]]:
    """Groups of two or more that share a trouble, the largest first, and the other connections."""
    found: dict[object, list[ConnectionSummary]] = {}
    for one in connections:
        key = (
            (one.server, one.tunnel, one.completeness, one.first_trouble_kind)
            if one.failed
            else one.number
        )
        found.setdefault(key, []).append(one)
    groups = sorted(
        (Group(several) for several in found.values() if len(several) > 1),
        key=lambda group: -len(group.connections),
    )
    return groups, [several[0] for several in found.values() if len(several) == 1]


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in few words.

    >>> ranges([1, 2, 3, 5, 8, 9])
    '1-3, 5, 8-9'
    """
    parts = list(_ranges(numbers))
    named = parts[:_MOST_NAMED]
    text = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in named)
    more = sum(last - first + 1 for first, last in parts[_MOST_NAMED:])
    return f"{text} and {more:,} more" if more else text


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    steps = count()
    for _, together in groupby(numbers, lambda number: number - next(steps)):
        run = list(together)
        yield run[0], run[-1]
