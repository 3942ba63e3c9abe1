"""A live ladder of some of its connections: one, or those with trouble."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from trioecho.model import Rung, Stopped, Summary
from trioecho.model.selection import Selection
from trioecho.reading.troubled import HeldEvents
from trioecho.render import Event, Renderer


class Selecting:
    """A renderer that is shown the events of the connections selected.

    Only the end tells which had no trouble, so nothing is shown before, where trouble is asked for.

    Attributes:
        count: how many connections there were, at the end.
    """

    count = 0

    def __init__(self, renderer: Renderer, selection: Selection) -> None:
        self._inner = renderer
        self._selection = selection
        self._troubled: set[int | None] = {None}
        self._held: HeldEvents[Event] | None = None
        if selection.only_trouble:
            self._held = HeldEvents(lambda event: event.connection in self._troubled)
        self.begin = renderer.begin

    def close(self) -> None:
        """Drop what is held."""
        if self._held is not None:
            self._held.close()

    def show(self, events: Sequence[Event]) -> bytes:
        """Shows those that are selected, or holds them."""
        taken = [event for event in events if self._takes(event)]
        if self._held is None:
            return self._inner.show(taken) if taken else b""
        return self._inner.show(self._held.put(taken))

    def end(self, summary: Summary) -> bytes:
        """What is held, and the summary of what is selected."""
        self.count = len(summary.connections)
        kept = tuple(filter(self._selection.keeps, summary.connections))
        self._troubled.update(one.number for one in kept)
        held = self._held.rest() if self._held is not None else ()
        shown = b"".join(map(self._inner.show, held))
        others = summary.others + len(summary.connections) - len(kept)
        return shown + self._inner.end(replace(summary, connections=kept, others=others))

    def _takes(self, event: Event) -> bool:
        if isinstance(event, Rung):
            return self._selection.takes(event)
        if isinstance(event, Stopped):
            return True
        wanted = self._selection.connection
        return event.connection is not None and wanted in (None, event.connection)
