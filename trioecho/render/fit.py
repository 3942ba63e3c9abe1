"""A ladder that fits a terminal: less of what is untroubled, and a line that says so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from trioecho.render.colors import Style
from trioecho.text import bytes_of, plural

Line: TypeAlias = "tuple[str, Style]"

# Lines of the summary that go with the sentences.
_REST = 6
#: What stands below a ladder that shows less than all.
SHORTENED = "shortened to fit this terminal; --all shows all, and -o FILE.pcapng keeps it"


class Weight(IntEnum):
    """What goes first, where there is too little room."""

    USUAL = 0
    WANTED = 1  # the user has asked for it
    FIRM = 2  # trouble, or a change of state: it never goes


class Block(Struct):
    """The lines of one event.

    Args:
        full: all of them.
        brief: those without sentences on what is usual.
        least: those that are left where there is little room.
        weight: whether it may be folded.
        segments, size, calls: what it counts as, where it is folded.
    """

    full: list[Line]
    brief: list[Line]
    least: list[Line]
    weight: Weight = Weight.FIRM
    segments: int = 0
    size: int = 0
    calls: int = 0

    @classmethod
    def whole(cls, lines: list[Line], weight: Weight = Weight.FIRM, calls: int = 0) -> Block:
        """One that has no shorter form."""
        return cls(lines, lines, lines, weight, calls=calls)


class Fit:
    """Decides how much of each event to show.

    What comes first, in one piece, is shown in full if all of it fits. Otherwise the usual
    sentences are left out, then whatever stands below the arrows, and then events in the middle.
    What comes later is shown in full for half of the room, so that some is left for what follows.

    Args:
        room: how many lines there are; None for any number.

    Attributes:
        shortened: whether something was left out.
    """

    def __init__(self, room: int | None) -> None:
        self.shortened = False
        self._room, self._left = room, room or 0
        self._begun = False
        self._segments = self._size = self._calls = 0

    def lines(self, blocks: Sequence[Block]) -> list[Line | str]:
        """The lines of some events; a text tells what was folded before the next line."""
        if self._room is None:
            return [line for block in blocks for line in block.full]
        spare = self._room // 2 if self._begun else 0
        whole = self._left - (spare or _REST)
        self._begun = self._begun or any(block.segments for block in blocks)
        ways = (
            [one.full for one in blocks],
            [one.full if one.weight is Weight.FIRM else one.brief for one in blocks],
            [one.brief for one in blocks],
            [one.least for one in blocks],
        )
        chosen = ways[0]
        if _count(chosen) > whole:
            chosen = next((way for way in ways[1:] if _count(way) <= self._left - spare), ways[-1])
        dropped = self._middle(blocks, chosen)
        self.shortened |= bool(dropped) or _count(chosen) < _count(ways[0])
        shown: list[Line | str] = []
        for at, (block, lines) in enumerate(zip(blocks, chosen, strict=True)):
            if at in dropped:
                self._segments += block.segments
                self._size += block.size
                self._calls += block.calls
                continue
            shown += [*self.folded(), *lines]
        self._left = max(0, self._left - len(shown))
        return shown

    def folded(self) -> Iterator[str]:
        """What was folded since the last time, in words."""
        if not self._segments and not self._calls:
            return
        parts = []
        if self._segments:
            parts.append(f"{plural(self._segments, 'segment')} with {bytes_of(self._size)}")
        if self._calls:
            parts.append(plural(self._calls, "socket call"))
        yield f"{' and '.join(parts)} folded"
        self._segments = self._size = self._calls = 0

    def _middle(self, blocks: Sequence[Block], chosen: Sequence[Sequence[Line]]) -> set[int]:
        """Which events are left out: as few as possible, and two thirds of the rest before them.

        What the user has asked for may take as much room again.
        """
        assert self._room is not None
        gone: set[int] = set()
        if _count(chosen) <= self._left:
            return gone

        def size(gone: set[int]) -> int:
            gaps = sum(at + 1 not in gone for at in gone)
            return gaps + sum(len(one) for at, one in enumerate(chosen) if at not in gone)

        for weight, limit in (
            (Weight.USUAL, self._left),
            (Weight.WANTED, self._left + self._room),
        ):
            soft = [at for at, block in enumerate(blocks) if block.weight is weight]

            def without(
                kept: int, soft: Sequence[int] = soft, gone: frozenset[int] = frozenset(gone)
            ) -> set[int]:
                late = kept // 3
                return self._worthwhile(gone.union(soft[kept - late : len(soft) - late]), chosen)

            kept = bisect_right(range(len(soft) + 1), limit, key=lambda kept: size(without(kept)))
            if kept:
                return without(kept - 1)
            gone.update(soft)
        return self._worthwhile(gone, chosen)

    def _worthwhile(self, gone: Set[int], chosen: Sequence[Sequence[Line]]) -> set[int]:
        """The same without single lines: a line that tells of one line is no shorter.

        More may be left out before the first and behind the last.
        """
        around = {at for one in gone for at in (one - 1, one + 1)} | {len(chosen) - 1}
        if self._segments or self._calls:
            around.add(0)
        return {at for at in gone if at in around or len(chosen[at]) > 1}


def _count(chosen: Sequence[Sequence[Line]]) -> int:
    return sum(map(len, chosen))
