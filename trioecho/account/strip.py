"""Which cause had which time of a connection: in cells, for a strip of any width."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.account.causes import Blamed
from trioecho.account.spans import Span

#: Cells that are kept at most: each column of a wide terminal has several.
MOST = 2048
_SHORTEST = 1_000  # nanoseconds of a cell, at first

#: A cause, and the end it is put down to.
Held = tuple[str, Blamed]


class Strip:
    """What a connection's time went to, moment by moment, in bounded memory.

    It takes intervals in order. When they reach beyond its last cell, each two cells become one.
    """

    def __init__(self) -> None:
        self._start: int | None = None
        self._step = _SHORTEST
        self._end = 0  # of the last interval, after the start
        self._cells: list[dict[Held, int]] = []

    def take(self, span: Span) -> None:
        """Take the next interval."""
        if self._start is None:
            self._start = span.start
        start, end = span.start - self._start, span.end - self._start
        while end > MOST * self._step:
            self._join()
        step, cells, held = self._step, self._cells, (span.cause, span.blamed)
        while len(cells) * step < end:
            cells.append({})
        self._end = max(self._end, end)
        for place in range(start // step, -(-end // step)):
            took = min(end, (place + 1) * step) - max(start, place * step)
            cells[place][held] = cells[place].get(held, 0) + took

    def columns(self, count: int, duration: int) -> Sequence[Held | None]:
        """What had most of each column.

        Args:
            count: how many columns.
            duration: what they cover, nanoseconds from the first interval's start.

        Returns:
            A cause for each column; None where nothing is known of most of it.
        """
        sums: list[dict[Held, float]] = [{} for _ in range(count)]
        wide = max(1, duration) / count
        for place, cell in enumerate(self._cells):
            start = place * self._step / wide
            end = min((place + 1) * self._step, self._end) / wide
            if end == start:  # the last cell has less than a number of columns resolves
                continue
            for column in range(int(start), min(count, int(end) + 1)):
                part = (min(end, column + 1) - max(start, column)) / (end - start)
                for held, took in cell.items():
                    sums[column][held] = sums[column].get(held, 0.0) + took * part
        return [
            max(one, key=one.__getitem__) if sum(one.values()) > wide / 2 else None for one in sums
        ]

    def _join(self) -> None:
        """Make each two cells one."""
        cells, self._step = self._cells, 2 * self._step
        for place in range(0, len(cells) - 1, 2):
            for held, took in cells[place + 1].items():
                cells[place][held] = cells[place].get(held, 0) + took
        self._cells = cells[::2]


class Strips:
    """Strips of a few connections; where there are more, of none.

    Args:
        most: how many at most.

    Attributes:
        of: the strips, by the connections' numbers.
    """

    def __init__(self, most: int) -> None:
        self.of: dict[int, Strip] = {}
        self._most = most

    def take(self, number: int, span: Span) -> None:
        """Take a connection's next interval."""
        strip = self.of.get(number)
        if strip is None:
            if len(self.of) >= self._most:
                self._most = 0
                self.of.clear()
                return
            strip = self.of[number] = Strip()
        strip.take(span)
