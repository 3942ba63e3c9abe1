"""Groups of connections to one server that have something in common, such as a trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count, groupby
from typing import NamedTuple

from trioecho.model import ConnectionSummary, Endpoint
from trioecho.tcp.outcome import REFUSED, UNANSWERED
from trioecho.text import plural, printable

# Numbers of connections, or ranges of them, that a group names; the others are counted.
_MOST_NAMED = 8
_REASONS = {
    UNANSWERED: " got no answer to any SYN: a filter that drops, or no such host",
    REFUSED: " were refused: nothing listens there, or a firewall rejects them",
}


class Group(NamedTuple):
    """Connections to one server that have something in common.

    Args:
        connections: they.
        among: how many connections to that server there are.
        shared: what they have in common, as it stands behind the server.
    """

    connections: Sequence[ConnectionSummary]
    among: int
    shared: str

    @property
    def title(self) -> str:
        """Such as ``12 of 16 attempts to 203.0.113.94:80 got no answer to any SYN: ...``."""
        one, count = self.connections[0], len(self.connections)
        what = plural(self.among, "attempt" if one.attempt else "connection")
        some = f"{count:,} of {what}" if count < self.among else what
        within = f" in {one.tunnel}" if one.tunnel else ""
        return f"{some} to {one.server}{within}{self.shared}"

    @property
    def numbers(self) -> str:
        """Which connections these are."""
        return f"connections {ranges(sorted(one.number for one in self.connections))}"

    def which(self, start: int) -> str:
        """Which connections these are, and when they began after ``start``."""
        first, last = (
            f"{(pick(one.start for one in self.connections) - start) / 1e9:.3f} s"
            for pick in (min, max)
        )
        return f"{self.numbers}; the first began at {first}, the last at {last}"

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


def outcome(one: ConnectionSummary) -> str:
    """What a connection came to; why, where that is plain for several of the same outcome."""
    return _REASONS.get(one.completeness, f": {one.completeness}")


def trouble(one: ConnectionSummary) -> tuple[str, str] | None:
    """What tells that two connections share a trouble: the same outcome and reason."""
    return (outcome(one), one.first_trouble_kind) if one.failed else None


def grouped(
    connections: Sequence[ConnectionSummary],
    key: Callable[[ConnectionSummary], tuple[str, str] | None] = trouble,
) -> tuple[list[Group], list[ConnectionSummary]]:
    """Groups of two or more connections to one server with the same key, and the others.

    Args:
        connections: all of them.
        key: what one shares with others, and more that must be the same; None for nothing.

    Returns:
        The groups, the largest first, and the connections of none.
    """
    found: dict[object, list[ConnectionSummary]] = {}
    among = Counter(map(_where, connections))
    for one in connections:
        shared = key(one)
        found.setdefault((_where(one), shared) if shared else one.number, []).append(one)
    groups = [
        Group(several, among[_where(several[0])], shared[0])
        for several in found.values()
        if len(several) > 1 and (shared := key(several[0]))
    ]
    groups.sort(key=lambda group: -len(group.connections))
    return groups, [several[0] for several in found.values() if len(several) == 1]


def _where(one: ConnectionSummary) -> tuple[Endpoint, str]:
    return one.server, one.tunnel


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
