"""``trioecho read`` without --connection: a ladder of one connection, a table of more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trioecho.reading.reading import Reading, Selection
from trioecho.render.table import SORTS
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.cli.screen import Shown
    from trioecho.model import ConnectionSummary, Rung
    from trioecho.packet.census import Census

# Rungs of the first connection that are kept until it is known whether it is the only one.
MOST_HELD = 20_000


# Kinds of frames that are named where there is no TCP; the others are only counted.
MOST_KINDS = 5


def instead(census: Census) -> str:
    """What a capture without TCP holds: ``50 frames: 50 UDP, most of them port 53``."""
    said = []
    kinds = census.kinds.most_common(MOST_KINDS)
    for kind, count in kinds:
        port = f", most of them port {census.port}" if kind == "UDP" and census.port else ""
        said.append(f"{count:,} {kind}{port}")
    if others := census.frames - sum(count for _, count in kinds):
        said.append(f"{others:,} others")
    return ": ".join(filter(None, (plural(census.frames, "frame"), "; ".join(said))))


class Overview:
    """Shows a capture file on standard output."""

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
        self._shared_count = 0
        self._as = "ladder" if streams else "unknown"

    @property
    def is_table(self) -> bool:
        """Whether the file is known to need a table."""
        return self._as == "table"

    def share(self, connections: Sequence[ConnectionSummary]) -> None:
        """Use connections that other processes have read."""
        self._shared = [one for one in connections if self._selection.keeps(one)]
        self._shared_count = len(connections)

    def begin(self) -> None:
        """Show what stands above the first rung, where it is known by now that it is a ladder."""
        if self._as == "ladder":
            self._sink(self._renderer.begin())

    def show(self, rungs: Sequence[Rung]) -> None:
        """Show the next rungs, or keep them until it is known how."""
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
                    self._begin_ladder()
                else:  # no trouble so far: a row at most
                    self._as = "table"
                    self._held.clear()

    def finish(self, name: str, dropped: int | None = None) -> None:
        """Show what is left, and the summary of the file called ``name``.

        ``dropped``: how many packets it says were dropped while it was captured.
        """
        if self._as == "unknown" and next(self._reading.connections(), None) is not None:
            self._begin_ladder()
        if self._as == "ladder":
            self._sink(self._renderer.end(self._reading.summary(name, dropped)))
        else:
            self._table(name, dropped)

    def _begin_ladder(self) -> None:
        self._as = "ladder"
        self.begin()
        self._sink(self._renderer.show(self._held))
        self._held.clear()

    def _table(self, name: str, dropped: int | None) -> None:
        from trioecho.render.terminal import Terminal
        from trioecho.render.totals import selected

        if self._shared is None:
            found, among = list(self._reading.connections()), self._reading.tracker.count
        else:
            found, among = self._shared, self._shared_count
        connections = sorted(found, key=SORTS[self._sort])
        shown = connections[: self._limit]
        assert isinstance(self._renderer, Terminal)
        start = self._reading.start or 0
        title = f"{name}: {selected(len(connections), among)}"
        if len(shown) < len(connections):
            title += f", the first {len(shown)} by {self._sort}"
        census = self._reading.census
        if census.frames and not self._reading.tracker.count:
            title += f" in {instead(census)}"
        if dropped:
            title += f"; the capture dropped {plural(dropped, 'packet')}"
        if shown:
            title += "; --connection N shows a ladder"
        self._sink(self._renderer.table(title, shown, start))
