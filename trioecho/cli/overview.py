"""A ladder if a capture file has one connection, a table if it has more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trioecho.reading.reading import Reading, Selection
from trioecho.render.table import SORTS
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.cli.screen import Shown
    from trioecho.model import ConnectionSummary, Rung

# Rungs of the first connection that are kept until it is clear whether it is the only one.
MOST_HELD = 20_000


class Overview:
    """What standard output shows of a capture file.

    Args:
        shown: the renderer, and where its bytes go.
        reading: the file's.
        selection: which connections are wanted.
        sort, limit: how the table is sorted, and how many rows it has at most.
        streams: whether the renderer is to be shown the rungs, however many connections there are.
    """

    def __init__(
        self,
        shown: Shown,
        reading: Reading,
        selection: Selection,
        sort: str,
        limit: int | None,
        *,
        streams: bool,
    ) -> None:
        self._selection, self._sort, self._limit = selection, sort, limit
        self._renderer, self._sink = shown
        self._reading = reading
        self._held: list[Rung] = []
        self._numbers: set[int] = set()
        self._shared: list[ConnectionSummary] | None = None
        self._as = "ladder" if streams else "unknown"
        if streams:
            self._sink(self._renderer.begin())

    @property
    def is_table(self) -> bool:
        """Whether it is clear that a table is wanted."""
        return self._as == "table"

    def share(self, connections: Sequence[ConnectionSummary]) -> None:
        """Take the connections from elsewhere."""
        self._shared = [one for one in connections if self._selection.keeps(one)]

    def show(self, rungs: Sequence[Rung]) -> None:
        """Show the next rungs, or keep them until it is clear what they belong to."""
        if self._as == "ladder":
            self._sink(self._renderer.show(rungs))
        elif self._as == "unknown":
            self._numbers.update(rung.connection for rung in rungs)
            self._held.extend(rungs)
            if len(self._numbers) > 1:
                self._as = "table"
                self._held.clear()
            elif len(self._held) > MOST_HELD:
                if next(self._reading.connections(), None) is not None:
                    self._climb()
                else:  # without trouble until now, it is at most a row
                    self._as = "table"
                    self._held.clear()

    def finish(self, name: str) -> None:
        """Show what is left, and what it came to.

        Args:
            name: the file's.
        """
        if self._as == "unknown" and next(self._reading.connections(), None) is not None:
            self._climb()
        if self._as == "ladder":
            self._sink(self._renderer.end(self._reading.summary(name, None)))
        else:
            self._table(name)

    def _climb(self) -> None:
        self._as = "ladder"
        self._sink(self._renderer.begin())
        self._sink(self._renderer.show(self._held))
        self._held.clear()

    def _table(self, name: str) -> None:
        from trioecho.render.terminal import Terminal

        found = self._reading.connections() if self._shared is None else self._shared
        connections = sorted(found, key=SORTS[self._sort])
        shown = connections[: self._limit]
        terminal = self._renderer
        terminal = getattr(terminal, "inner", terminal)
        assert isinstance(terminal, Terminal)
        start = self._reading.start or 0
        title = f"{name}: {plural(len(connections), 'connection')}"
        if len(shown) < len(connections):
            title += f", the first {len(shown)} by {self._sort}"
        if shown:
            title += "; --connection N shows a ladder"
        self._sink(terminal.table(title, shown, start))
