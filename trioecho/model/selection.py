"""Which connections to show."""

from __future__ import annotations

from msgspec import Struct

from trioecho.model.ladder import ConnectionSummary, Rung


class Selection(Struct, frozen=True):
    """Which connections to show.

    Args:
        connection: the number of the one, from 1.
        host: one end's address.
        port: one end's port.
        only_trouble: only those on which something went wrong.
    """

    connection: int | None = None
    host: str | None = None
    port: int | None = None
    only_trouble: bool = False

    def takes(self, rung: Rung) -> bool:
        """Whether a rung belongs to the connections selected; trouble is not looked at."""
        segment = rung.segment
        return (
            (self.connection is None or rung.connection == self.connection)
            and (self.host is None or self.host in (segment.source.ip, segment.destination.ip))
            and (self.port is None or self.port in (segment.source.port, segment.destination.port))
        )

    def keeps(self, one: ConnectionSummary) -> bool:
        """Whether a connection is one of those selected."""
        return (
            (self.connection is None or one.number == self.connection)
            and (self.host is None or self.host in (one.client.ip, one.server.ip))
            and (self.port is None or self.port in (one.client.port, one.server.port))
            and not (self.only_trouble and not one.failed)
        )

    @property
    def everything(self) -> bool:
        """Whether every rung is taken."""
        return self.connection is None and self.host is None and self.port is None
