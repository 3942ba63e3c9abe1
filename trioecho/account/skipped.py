"""Packets that an end has sent and the tap has not seen, by their IPv4 identification."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from trioecho.model import End, Rung

#: So many packets in a row must count up by one, until a gap alone tells of missing ones.
TRUSTED = 3
#: A gap larger than this is none: an end has begun to count anew.
MOST = 64
_IDENTIFICATIONS = 1 << 16


class Gap(NamedTuple):
    """Packets that are missing: how many, and whether their sender is known to count them."""

    packets: int
    sure: bool


class Counter(Struct, gc=False):
    """How one end numbers its packets.

    Args:
        next: the identification that it should use next; None before the first.
        steps: how many in a row were what they should be; -1 for an end that does not count.
    """

    next: int | None = None
    steps: int = 0


class Skipped:
    """Finds gaps in the identifications of an end that numbers each connection's packets in turn.

    Linux does so, also for packets that may not be fragmented; an end that counts for all its
    connections together, or that draws numbers by lot, soon takes a step that is none of these.
    """

    def __init__(self) -> None:
        self._counters: dict[End, Counter] = {"client": Counter(), "server": Counter()}

    def see(self, rung: Rung, full: int) -> Gap | None:
        """Take the next rung seen at the tap.

        Args:
            rung: the rung.
            full: bytes of a full segment, of which offload may have merged several.

        Returns:
            What is missing before it.
        """
        number = rung.segment.identification
        counter = self._counters[rung.sender]
        unnumbered = not number and (counter.next or 1) % _IDENTIFICATIONS
        if unnumbered or counter.steps < 0:
            return None
        wanted, counter.next = counter.next, number + max(1, -(-rung.segment.length // full))
        if wanted is None:
            return None
        gap = (number - wanted) % _IDENTIFICATIONS
        if gap == 0:
            counter.steps += 1
            return None
        if _IDENTIFICATIONS - gap <= MOST:  # overtaken
            counter.next = wanted
            return None
        if gap > MOST or not counter.steps:
            counter.steps = -1
            return None
        return Gap(gap, counter.steps >= TRUSTED)
