"""``trioecho read`` without --connection: a ladder of a few connections, a table of more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render.overview import As, Overview
from trioecho.render.renderer import Accounted
from trioecho.render.table import Order
from trioecho.render.totals import selected
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.cli.screen import Shown
    from trioecho.model import ConnectionSummary, Rung
    from trioecho.packet.census import Census
    from trioecho.render import Event
    from trioecho.render.headlines import Ask

# Rungs of the first connections that are kept until it is known whether there are more.
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


class FileOverview:
    """Shows a capture file on standard output.

    ``table``: whether to show a table; None lets the number of connections decide. Where
    ``streams``, the format shows every segment. ``above``: whether a ladder waits for the file's
    end, so that its headlines stand above it. ``requests``: whether they were asked for, which no
    table shows.
    """

    def __init__(
        self,
        shown: Shown,
        reading: Reading,
        selection: Selection,
        order: Order,
        table: bool | None,
        *,
        streams: bool,
        above: bool = False,
        requests: bool = False,
    ) -> None:
        self._selection, self._order = selection, order
        self._renderer, self._sink = shown
        self._requests = requests
        self._reading = reading
        self._shared: list[ConnectionSummary] | None = None
        self._shared_count = 0
        self._inner: Overview | None = None
        if not streams:
            from trioecho.render.terminal import Terminal

            assert isinstance(self._renderer, Terminal)
            shows: dict[bool | None, As] = {None: "held", True: "table", False: "ladder"}
            one = selection.connection is not None
            self._inner = Overview(
                self._renderer,
                shows="ladder" if one else shows[table],
                cuts=table is None and not one,
                above=above,
                live=False,
                most_held=MOST_HELD,
                wanted=self._wants,
                order=order,
            )

    @property
    def is_table(self) -> bool:
        """Whether only a table is to come."""
        return self._inner is not None and self._inner.shows == "table"

    def share(self, connections: Sequence[ConnectionSummary]) -> None:
        """Use connections that other processes have read."""
        self._shared = [one for one in connections if self._selection.keeps(one)]
        self._shared_count = len(connections)

    def begin(self) -> None:
        """Show what stands above the first rung, where it is known by now that it is a ladder."""
        self._sink((self._inner or self._renderer).begin())

    def show(self, rungs: Sequence[Rung]) -> None:
        """Show the next rungs, or keep them until it is known how."""
        self._sink((self._inner or self._renderer).show(rungs))

    def finish(self, name: str, dropped: int | None = None, ask: Ask | None = None) -> None:
        """Show what is left, and the summary of the file called ``name``.

        ``dropped``: how many packets it says were dropped while it was captured. ``ask``: gives
        accounts for a table.
        """
        if self._inner is None:
            self._sink(self._renderer.end(self._reading.summary(name, dropped)))
            return
        self._sink(self._inner.decide())
        if self.is_table:
            self._sink(self._table(self._inner, name, dropped, ask))
        else:
            self._sink(self._inner.end(self._reading.summary(name, dropped)))

    def _wants(self, event: Event) -> bool:
        """Whether an event is of a connection to show, as far as is known by now."""
        if not self._selection.only_trouble or event.connection is None:
            return True
        return self._reading.troubled(event.connection)

    def tell(self, accounts: Sequence[Account]) -> None:
        """Take the accounts of the connections that are shown, before the end."""
        renderer = self._inner or self._renderer
        if isinstance(renderer, Accounted):
            self._sink(renderer.tell(accounts))

    def _table(self, inner: Overview, name: str, dropped: int | None, ask: Ask | None) -> bytes:
        if self._shared is None:
            connections, among = list(self._reading.connections()), self._reading.tracker.count
        else:
            connections, among = self._shared, self._shared_count
        title = f"{name}: {selected(len(connections), among)}"
        census = self._reading.census
        if census.frames and not self._reading.tracker.count:
            title += f" in {instead(census)}"
        if dropped:
            title += f"; the capture dropped {plural(dropped, 'packet')}"
        if connections and self._requests:
            title += "; --connection N shows a ladder with its requests"
            title += ", `trioecho why --requests` all of them"
        elif connections:
            title += "; --connection N shows a ladder"
        return inner.table(title, connections, self._reading.start, ask)
