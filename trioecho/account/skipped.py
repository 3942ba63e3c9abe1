"""Packets that an end has sent and the tap has not seen, by their IPv4 identification."""

from __future__ import annotations

from typing import NamedTuple

from trioecho.model import Segment

#: So many packets in a row must count up by one, until a gap alone tells of missing ones.
TRUSTED = 3
#: A gap larger than this is none: an end has begun to count anew.
MOST = 64
_IDENTIFICATIONS = 1 << 16


class Gap(NamedTuple):
    """Packets that are missing: how many, and whether their sender is known to count them."""

    packets: int
    sure: bool


class Counter:
    """Finds gaps in the identifications of an end that numbers each connection's packets in turn.

    Linux does so, also for packets that may not be fragmented; an end that counts for all its
    connections together, or that draws numbers by lot, soon takes a step that is none of these.

    Attributes:
        next: the identification that it should use next; 0 before the first.
    """

    __slots__ = ("_steps", "next")

    def __init__(self) -> None:
        self.next = 0
        self._steps = 0  # how many in a row were what they should be; -1 for one that doesn't count

    def see(self, segment: Segment, full: int) -> Gap | None:
        """Take the next packet seen at the tap.

        Args:
            segment: its segment.
            full: bytes of a full segment, of which offload may have merged several.

        Returns:
            What is missing before it.
        """
        number, wanted = segment.identification, self.next
        unnumbered = not number and (not wanted or wanted % _IDENTIFICATIONS)
        if unnumbered or self._steps < 0:
            return None
        self.next = number + max(1, -(-segment.length // full))
        if not wanted:
            return None
        gap = (number - wanted) % _IDENTIFICATIONS
        if gap == 0:
            self._steps += 1
            return None
        if _IDENTIFICATIONS - gap <= MOST:  # overtaken
            self.next = wanted
            return None
        if gap > MOST or not self._steps:
            self._steps = -1
            return None
        return Gap(gap, self._steps >= TRUSTED)
