"""Connections and rungs kept in memory, for notebooks, scripts and tests."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Literal, overload

from msgspec.structs import replace

from trioecho.account import Account, Accounts
from trioecho.capture.files import open_capture_file
from trioecho.errors import TrioechoError
from trioecho.model import (
    Call,
    CaptureSummary,
    ConnectionSummary,
    Endpoint,
    Fact,
    Rung,
    State,
    Summary,
)
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render import FORMATS
from trioecho.render.renderer import Accounted, Event, Setting
from trioecho.tcp.connection import TrackedConnection
from trioecho.tcp.rules.kinds import causes, kinds
from trioecho.text import bytes_of, plural

KINDS = kinds()
CAUSES = causes()


class Connection:
    """A snapshot of a connection. A notebook shows it as a picture.

    Args:
        tracked: the engine's own, which keeps changing.
        events: rungs and calls of any connection.
        capture: where it was seen.

    Attributes:
        number: its number, from 1, in the order in which the connections were opened.
        client, server: its endpoints.
        client_state, server_state: the states of its ends.
        handshake_complete: whether both ends know that they are connected.
        handshake_time: nanoseconds from the first SYN until then, or None.
        closed_by: ``"fin"`` when both ends have closed, ``"rst"`` after a reset, None while it is
            open.
        resets: segments with RST.
        retransmissions: segments that repeated sequence space already sent, without the probes.
        probes: segments that ask for a sign of the peer: tail-loss probes, zero-window probes and
            keep-alives.
        client_bytes, server_bytes: distinct payload bytes that each end sent.
        client_segments, server_segments: segments that each end sent.
        rungs: each segment with its states and facts, in order of time.
        calls: the socket calls on it, where they are known.
        summary: its totals.
    """

    def __init__(
        self, tracked: TrackedConnection, events: Sequence[Event], capture: CaptureSummary
    ) -> None:
        summary = tracked.summary()
        self.summary: ConnectionSummary = summary
        self.number: int = summary.number
        self.client: Endpoint = summary.client
        self.server: Endpoint = summary.server
        self.client_state: State = tracked.client.state
        self.server_state: State = tracked.server.state
        self.handshake_complete: bool = tracked.opening and not tracked.underway
        self.handshake_time: int | None = summary.handshake_time
        self.closed_by: Literal["fin", "rst"] | None = summary.closed_by
        self.resets: int = summary.resets
        self.retransmissions: int = summary.retransmissions
        self.probes: int = summary.probes
        self.client_bytes: int = summary.client_bytes
        self.server_bytes: int = summary.server_bytes
        self.client_segments: int = summary.client_segments
        self.server_segments: int = summary.server_segments
        self._events = tuple(event for event in events if event.connection == self.number)
        self.rungs: tuple[Rung, ...] = tuple(
            event for event in self._events if isinstance(event, Rung)
        )
        self.calls: tuple[Call, ...] = tuple(
            event for event in self._events if isinstance(event, Call)
        )
        self._capture = replace(capture, frames=len(self.rungs))

    def __repr__(self) -> str:
        """One line that sums it up, for plain ``assert`` to show."""
        words = [
            f"connection {self.number}: {self.client} {self.client_state}"
            f" to {self.server} {self.server_state}",
            "handshake complete" if self.handshake_complete else "handshake not complete",
            f"closed by {self.closed_by}" if self.closed_by else "not closed",
            f"client {bytes_of(self.client_bytes)}, server {bytes_of(self.server_bytes)}",
            plural(self.retransmissions, "retransmission"),
            *([plural(self.probes, "probe")] if self.probes else []),
            plural(self.resets, "reset"),
        ]
        return f"<{'; '.join(words)}>"

    def __str__(self) -> str:
        """Its ladder, as the terminal shows it."""
        return self._rendered("terminal", width=100).rstrip()

    def _repr_html_(self) -> str:
        """Its picture, as a notebook shows it."""
        return self.svg()

    def svg(self) -> str:
        """Its picture, with what held it up most above its rows.

        Returns:
            An SVG element.
        """
        return self._rendered("svg", accounted=True)

    @property
    def lost(self) -> tuple[Rung, ...]:
        """The segments that the wire dropped or broke."""
        return tuple(rung for rung in self.rungs if rung.lost)

    def notes(self, kind: str) -> tuple[Fact, ...]:
        """The facts of one kind about its segments.

        Args:
            kind: such as ``retransmission``, ``zero-window`` or ``nagle-delayed-ack``.

        Returns:
            The facts, in the order of the segments.

        Raises:
            TrioechoError: there is no such kind.
        """
        __tracebackhide__ = True
        _check("kind of fact", kind, KINDS)
        return tuple(note for rung in self.rungs for note in rung.notes if note.kind == kind)

    def count(self, kind: str, *, without: str | Collection[str] = ()) -> int:
        """How many facts of one kind there are about its segments.

        ``retransmissions`` counts whatever was sent again; this tells the kinds of it apart:
        ``count("fast-retransmission")``, ``count("retransmission", without="timeout")``, or
        ``retransmissions - count("fast-retransmission")``.

        Args:
            kind: as for `notes`.
            without: the causes of facts that do not count, such as ``tail-loss-probe``; one, or
                several.

        Returns:
            Their number.

        Raises:
            TrioechoError: there is no such kind, or no such cause.
        """
        __tracebackhide__ = True
        causes = [without] if isinstance(without, str) else without
        for cause in causes:
            _check("cause of a fact", cause, CAUSES)
        return sum(getattr(note, "cause", None) not in causes for note in self.notes(kind))

    def _rendered(self, name: str, width: int = 80, *, accounted: bool = False) -> str:
        title = f"connection {self.number}: {self.client} to {self.server}"
        renderer = FORMATS[name](Setting(title, width=width))
        parts = [renderer.begin(), renderer.show(self._events)]
        if accounted and isinstance(renderer, Accounted):
            parts.append(renderer.tell(self._accounts()))
        end = renderer.end(Summary((self.summary,), self._capture))
        return b"".join((*parts, end)).decode()

    def _accounts(self) -> list[Account]:
        """Where its time went."""
        accounts = Accounts()
        for event in self._events:
            if isinstance(event, Call):
                accounts.called([event])
            elif isinstance(event, Rung):
                accounts.see([event])
        return list(accounts.end())


class Ladder(Sequence[Connection]):
    """The connections, in the order in which they were opened, with their rungs and calls.

    Args:
        tracked: the engine's connections.
        events: rungs and calls, in order.
        summary: how it ended; only its connections are in the ladder.
        trouble: why a file could not be read to its end.

    Attributes:
        rungs: the rungs of all connections, in order.
        summary: how it ended.
        trouble: why a file could not be read to its end, in words; ``""`` when it could.
    """

    def __init__(
        self,
        tracked: Sequence[TrackedConnection],
        events: Sequence[Event],
        summary: Summary,
        trouble: str = "",
    ) -> None:
        self.summary: Summary = summary
        self.trouble: str = trouble
        self.rungs: tuple[Rung, ...] = tuple(event for event in events if isinstance(event, Rung))
        shown = {one.number for one in summary.connections}
        of: dict[int | None, list[Event]] = {}
        for event in events:
            of.setdefault(event.connection, []).append(event)
        self._connections = [
            Connection(one, of.get(one.number, ()), summary.capture)
            for one in tracked
            if one.number in shown
        ]

    def __len__(self) -> int:
        return len(self._connections)

    @overload
    def __getitem__(self, at: int) -> Connection: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Connection]: ...
    def __getitem__(self, at: int | slice) -> Connection | Sequence[Connection]:
        return self._connections[at]

    def __repr__(self) -> str:
        listed = "".join(f"\n  {one!r}" for one in self)
        return f"<ladder of {plural(len(self), 'connection')}>{listed}"


def _check(what: str, name: str, known: Collection[str]) -> None:
    __tracebackhide__ = True
    if name in known:
        return
    close = get_close_matches(name, sorted(known), 3, 0.6)
    meant = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    raise TrioechoError(
        f"There is no {what} {name!r}", f"{meant}There are {', '.join(sorted(known))}"
    )


def read(
    path: str | os.PathLike[str],
    *,
    connection: int | None = None,
    host: str | None = None,
    port: int | None = None,
) -> Ladder:
    """Read a capture file into memory. For a huge one use ``trioecho read``.

    Args:
        path: a pcap or pcapng file, plain or compressed.
        connection: the number of the only connection to keep, from 1.
        host: keep the connections of this address only.
        port: keep the connections with this port only.

    Returns:
        The connections. A truncated file gives what it holds, and ``trouble`` says so.

    Raises:
        TrioechoError: the file cannot be read, or is not a capture file.
    """
    reading = Reading(Selection(connection, host, port))
    with open_capture_file(path) as file:
        rungs = list(reading.through(file))
    summary = reading.summary(file.name, file.dropped)
    return Ladder(reading.tracker.connections, rungs, summary, str(file.trouble or ""))
