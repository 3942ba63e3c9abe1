"""A few connections as a ladder, more of them as a table at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec.structs import replace

from trioecho.model import ConnectionSummary, Rung, Summary
from trioecho.render.limits import FEW
from trioecho.render.table import Order
from trioecho.render.totals import selected
from trioecho.render.words import troubled
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.account import Account
    from trioecho.render.headlines import Ask
    from trioecho.render.renderer import Event
    from trioecho.render.terminal import Terminal

#: Events that are held until it is known which of the two it will be.
MOST_HELD = 2_000
#: Bytes of a ladder's rows that wait for its end; a folded one is far shorter.
MOST_WAITING = 4 << 20

# While only a table will be shown, a line tells how far it is: each time that there are ten times
# as many connections, and each time that twice as much time has passed.
_MORE, _LATER, _SOON = 10, 2, 10_000_000_000

As: TypeAlias = Literal["held", "ladder", "table"]


class Overview:
    """Shows events as a ladder while there are few connections, and otherwise a table of them.

    It holds back the first segments for as long as it is not known which of the two it will be.
    What stands before the first segment is shown at once.

    Args:
        terminal: draws both.
        shows: what to show: ``held`` to decide by the number of connections.
        cuts: whether a ladder ends where there are more than a few connections.
        live: whether somebody watches: the title comes first, and lines tell how far it is.
        most_held: how many events may be held back before it is a ladder.
        wanted: whether an event is to be shown in a ladder; asked when it is shown.
        order: of the table.
        hint: how to see a ladder of what is in the table.
        above: whether the rows of a ladder wait for its end, so that headlines stand above them;
            of a long one, only its first.
    """

    def __init__(
        self,
        terminal: Terminal,
        *,
        shows: As = "held",
        cuts: bool = True,
        live: bool = True,
        most_held: int = MOST_HELD,
        wanted: Callable[[Event], bool] = lambda event: True,
        order: Order | None = None,
        hint: str = "",
        above: bool = False,
    ) -> None:
        self._terminal = terminal
        self._as: As = shows
        self._cuts, self._live = cuts, live
        self._most_held, self._wanted = most_held, wanted
        self._order, self._hint = order, hint
        self._begun = False
        self._accounts: Sequence[Account] = ()
        self._above, self._waiting = above, above
        self._rows = bytearray()
        self._held: list[Event] = []
        self._numbers: set[int] = set()
        self._troubled: set[int] = set()
        self._start: int | None = None
        self._next, self._due = _MORE, _SOON

    @property
    def shows(self) -> As:
        """What it shows by now."""
        return self._as

    def begin(self) -> bytes:
        """The title, and where it is known to be a ladder, the columns."""
        titled = self._terminal.title() if self._live else b""
        return titled + self._put(self._head()) if self._as == "ladder" else titled

    def show(self, events: Sequence[Event]) -> bytes:
        """Shows, holds or counts some events."""
        if self._start is None and events:
            self._start = events[0].time
        shown = b""
        if self._as != "table":
            few = list(takewhile(self._is_of_few, events))
            shown = self._show_few(few)
            events = events[len(few) :]
            if events:
                shown += self._cut()
        return shown + self._count(events) if self._as == "table" else shown

    def decide(self) -> bytes:
        """Enough has been waited for: shows what was held as a ladder, if any of it is wanted."""
        if self._as != "held":
            return b""
        held, self._held = list(filter(self._wanted, self._held)), []
        self._as = "ladder" if held or self._begun else "table"
        if len({event.connection for event in held} - {None}) > 1 and not self._begun:
            self._terminal.number_connections()
        if self._as != "ladder":
            return b""
        return self._put(self._head() + self._terminal.show(held))

    def tell(self, accounts: Sequence[Account]) -> bytes:
        """Nothing yet: the headlines stand above the rows, or in the summary, or in the table."""
        self._accounts = accounts
        return b""

    def end(self, summary: Summary) -> bytes:
        """The connections in words, or a table of many."""
        connections = summary.connections
        if self._as != "table" and len(connections) <= FEW:
            rows = self.decide() + self._put(self._head())
            if self._waiting:
                rows += self._release(self._terminal.above(self._accounts))
            else:
                self._terminal.tell(self._accounts)
            return rows + self._terminal.end(summary)
        title = selected(len(connections), len(connections) + summary.others)
        if connections and self._hint:
            title += f"; {self._hint}"
        rest = replace(summary, connections=(), others=0)
        rows = self._release() if self._begun else b""
        return rows + self.table(title, connections) + self._terminal.end(rest)

    def table(
        self,
        title: str,
        connections: Sequence[ConnectionSummary],
        start: int | None = None,
        ask: Ask | None = None,
    ) -> bytes:
        """A table, below what else there is.

        Args:
            title: what stands above it.
            connections: its connections.
            start: the time that counts as zero.
            ask: gives accounts; None for those that it was told.
        """
        known = (start, self._terminal.start, self._start)
        start = next(
            (one for one in known if one is not None),
            min((one.start for one in connections), default=0),
        )
        above = self._terminal.say("") + b"\n" if self._live or self._begun else b""
        table = self._terminal.table(title, connections, start, self._order, ask or self._told)
        return above + table

    def _told(self, connections: Sequence[ConnectionSummary]) -> Mapping[int, Account]:
        """The accounts that it was told."""
        return {account.connection: account for account in self._accounts}

    def _put(self, rows: bytes) -> bytes:
        """Shows rows of the ladder, unless they wait for its end."""
        if not self._waiting:
            return rows
        self._rows += rows
        return self._release() if len(self._rows) > MOST_WAITING else b""

    def _release(self, headlines: bytes = b"") -> bytes:
        """The rows that have waited, below the title and the headlines."""
        if not self._waiting:
            return b""
        self._waiting, rows = False, bytes(self._rows)
        self._rows.clear()
        return self._terminal.title() + headlines + rows

    def _head(self) -> bytes:
        """The names of the columns, the first time."""
        if self._begun:
            return b""
        self._begun = True
        titled = self._live or self._above
        return self._terminal.head() if titled else self._terminal.begin()

    def _is_of_few(self, event: Event) -> bool:
        """Whether there are few connections up to an event, or as many as there may be."""
        if event.connection is not None:
            self._numbers.add(event.connection)
        return not self._cuts or len(self._numbers) <= FEW

    def _show_few(self, events: Sequence[Event]) -> bytes:
        if self._as == "ladder":
            return self._put(self._terminal.show(list(filter(self._wanted, events))))
        shown = b""
        if not self._held:
            early = list(takewhile(lambda event: not isinstance(event, Rung), events))
            shown = self._put(self._head() + self._terminal.show(early)) if early else b""
            events = events[len(early) :]
        self._held += events
        return shown + self.decide() if len(self._held) > self._most_held else shown

    def _cut(self) -> bytes:
        """There are too many connections for a ladder."""
        self._as = "table"
        held, self._held = self._held, []
        said = self._count(held)
        if not self._begun:
            return said
        text = f"more than {plural(FEW, 'connection')}: a table of all follows at the end"
        rows = self._release() + self._terminal.say("") + b"\n"
        return rows + self._terminal.say(text, "strong") + said

    def _count(self, events: Sequence[Event]) -> bytes:
        """Counts what only the table will show, and tells now and then how far it is."""
        if not self._live or not events:
            return b""
        for event in events:
            if event.connection is not None:
                self._numbers.add(event.connection)
            if isinstance(event, Rung) and troubled(event):
                self._troubled.add(event.connection)
        assert self._start is not None
        passed = events[-1].time - self._start
        if len(self._numbers) < self._next and passed < self._due:
            return b""
        while self._next <= len(self._numbers):
            self._next *= _MORE
        while self._due <= passed:
            self._due *= _LATER
        count = plural(len(self._numbers), "connection")
        text = f"{count} so far, {len(self._troubled) or 'none'} with trouble"
        return self._terminal.say(f"{passed / 1e9:.1f} s: {text}", "quiet")
