"""The account of a connection: its time by cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from trioecho.account.away import Place
from trioecho.account.causes import CAUSES, Blamed, Certainty, stands_out
from trioecho.account.losses import Lost
from trioecho.model import End, Endpoint
from trioecho.text import seconds

Tap = Place | Literal["wire"]

#: Causes that every connection has, and that nobody need mend.
ORDINARY = frozenset(("closing", "idle", "setup", "round-trip"))
#: Those that come of losses.
AFTER_LOSS = frozenset(("timeout", "fast-recovery", "congestion-window"))
#: Those that end a connection, however short it is.
FATAL = frozenset(("refused", "no-answer", "black-hole"))


class Cost(Struct):
    """The time that one cause took.

    Args:
        cause: its name in the table of causes.
        end: ``client``, ``server`` or ``path``: where it lies.
        time: nanoseconds.
        certainty: how it is known: proven where nine tenths of it are.
        rungs: between which rungs it lies, the longest first.
        proven: nanoseconds of it that are proven.
    """

    cause: str
    end: Blamed
    time: int
    certainty: Certainty
    rungs: list[tuple[int, int]]
    proven: int = 0

    @property
    def text(self) -> str:
        """What happened, in words."""
        return CAUSES[self.cause].says(self.end)


class Account(Struct):
    """Where the time of a connection went.

    Args:
        connection: its number, from 1.
        client, server: its endpoints.
        start, end: when its first and its last segment were seen, nanoseconds since the epoch.
        tap: where it was captured, as far as that can be told.
        costs: its causes, the one that took most time first; their times add up to the duration.
        missing: segments with data that were lost.
        losses: why they were, as far as that can be told, most first.
        only: the end that sent all that was captured; None for both.
    """

    connection: int
    client: Endpoint
    server: Endpoint
    start: int
    end: int
    tap: Tap
    costs: list[Cost]
    missing: int = 0
    losses: list[Lost] = []
    only: End | None = None

    @property
    def top(self) -> Cost | None:
        """What held it up most; None if nothing did that is worth a name."""
        for cost in self.costs:
            if cost.cause not in ORDINARY:
                named = cost.cause in FATAL or stands_out(cost.time, self.duration)
                return cost if named else None
        return None

    @property
    def headline(self) -> str:
        """Where most of the time went, in a sentence without a full stop."""
        top = self.top or next(iter(self.costs), None)
        if top is None:
            return "there is only one moment to see"
        sign = self._dropped if top.cause in AFTER_LOSS else ""
        sign = sign or CAUSES[top.cause].sign
        where = f"{sign}, " * bool(sign) + places(sorted(top.rungs[:2]), " and ")
        more = ", and more" if len(top.rungs) > 2 else ""
        free = "" if self.top else "nothing stands out; "
        took = f"{seconds(top.time)} of {seconds(self.duration)}"
        return f"{free}{took}: {top.text} ({where}{more})"

    @property
    def _dropped(self) -> str:
        """What dropped most of what was lost, if that can be told."""
        most = max(self.losses, key=lambda one: one.count, default=None)
        return f"losses at {most.place}" if most is not None and most.place else ""

    @property
    def lost(self) -> int:
        """Nanoseconds that went to something that could be mended."""
        return sum(cost.time for cost in self.costs if cost.cause not in ORDINARY)

    @property
    def duration(self) -> int:
        """Nanoseconds from its first segment to its last."""
        return self.end - self.start


def places(rungs: Sequence[tuple[int, int]], joint: str) -> str:
    """Between which rungs something lies.

    Args:
        rungs: the first and the last rung of each place.
        joint: what stands between two places.

    >>> places([(3, 5), (7, 7)], " and "), places([(7, 7)], ", ")
    ('rungs 3 to 5 and 7', 'rung 7')
    """
    words = [f"{first} to {last}" if first < last else f"{first}" for first, last in rungs]
    several = len(rungs) > 1 or any(first < last for first, last in rungs)
    return f"rung{'s' * several} {joint.join(words)}"
