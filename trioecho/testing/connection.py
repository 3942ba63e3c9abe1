"""Connection: what a test may say of a TCP connection that it saw on the wire."""

from __future__ import annotations

from collections.abc import Sequence

from trioecho.errors import TrioechoError
from trioecho.model import Fact, Rung, State
from trioecho.tcp import connection as tcp
from trioecho.tcp.rules import kinds
from trioecho.text import bytes_of, plural

KINDS = kinds()


class Connection:
    """A connection as it was at one moment; ask the wire again for a later one.

    Args:
        connection: the engine's own, of which this is a picture.
        rungs: all that was seen on the wire.

    Attributes:
        number: its number, from 1, in the order in which they were opened.
        client, server: its endpoints.
        client_state, server_state: the states of its ends.
        handshake_complete: whether both ends know that they are connected.
        handshake_time: nanoseconds from the first SYN until that, or None.
        closed_by: ``"fin"`` when both ends have closed, ``"rst"`` after a reset, None as long as it
            is open.
        resets: segments with RST.
        retransmissions: segments that repeated sequence space already sent.
        client_bytes, server_bytes: distinct payload bytes that each end sent.
        client_segments, server_segments: segments that each end sent.
        rungs: each segment with its states and notes, in order of time.
    """

    def __init__(self, connection: tcp.Connection, rungs: Sequence[Rung]) -> None:
        summary = connection.summary()
        self.number = summary.number
        self.client = summary.client
        self.server = summary.server
        self.client_state: State = connection.client.state
        self.server_state: State = connection.server.state
        self.handshake_complete = summary.handshake_time is not None
        self.handshake_time = summary.handshake_time
        self.closed_by = summary.closed_by
        self.resets = summary.resets
        self.retransmissions = summary.retransmissions
        self.client_bytes = summary.client_bytes
        self.server_bytes = summary.server_bytes
        self.client_segments = summary.client_segments
        self.server_segments = summary.server_segments
        self.rungs = tuple(rung for rung in rungs if rung.connection == self.number)

    def __repr__(self) -> str:
        """One line that says it all, for plain ``assert`` to show."""
        words = [
            f"connection {self.number}: {self.client} {self.client_state}"
            f" to {self.server} {self.server_state}",
            "handshake complete" if self.handshake_complete else "handshake not complete",
            f"closed by {self.closed_by}" if self.closed_by else "not closed",
            f"client {bytes_of(self.client_bytes)}, server {bytes_of(self.server_bytes)}",
            plural(self.retransmissions, "retransmission"),
            plural(self.resets, "reset"),
        ]
        return f"<{'; '.join(words)}>"

    @property
    def lost(self) -> tuple[Rung, ...]:
        """The segments that the wire dropped or broke."""
        return tuple(rung for rung in self.rungs if rung.lost)

    def notes(self, kind: str) -> tuple[Fact, ...]:
        """What was said of its segments, of one kind.

        Args:
            kind: such as ``retransmission``, ``zero-window`` or ``nagle-delayed-ack``.

        Returns:
            The notes, in the order of the segments.

        Raises:
            TrioechoError: there is no such kind.
        """
        __tracebackhide__ = True
        if kind not in KINDS:
            raise TrioechoError(
                f"There is no note {kind!r}", f"There are {', '.join(sorted(KINDS))}"
            )
        return tuple(note for rung in self.rungs for note in rung.notes if note.kind == kind)
