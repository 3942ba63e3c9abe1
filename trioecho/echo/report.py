"""What an echo server has done."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class ServerReport:
    """A server's counts so far.

    Args:
        connections: accepted.
        received, sent: bytes; those of a connection count once it has ended, in batches at once.
        finished: connections at whose end the client had closed its direction.
        ended: connections that the server ended before, as it was told to behave.
        reset: connections that the client reset, or that broke.
        cut: connections that the server aborted because it was told to stop.
    """

    connections: int = 0
    received: int = 0
    sent: int = 0
    finished: int = 0
    ended: int = 0
    reset: int = 0
    cut: int = 0

    @property
    def open(self) -> int:
        """Connections that have not ended."""
        return self.connections - self.finished - self.ended - self.reset - self.cut

    def add(self, other: ServerReport) -> None:
        """Add another's counts."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
