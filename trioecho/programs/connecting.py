"""Finds the connections of programs' calls."""

from __future__ import annotations

from collections import OrderedDict

from msgspec.structs import replace

from trioecho.model import Call, Endpoint
from trioecho.programs.memory import remember
from trioecho.tcp.connection import TrackedConnection
from trioecho.tcp.tracker import Tracker

_ANY = ("0.0.0.0", "::")
#: A connect sends its SYN at once: a SYN later than this, in nanoseconds, is not its own.
AT_ONCE = 1_000_000_000
_MOST = 10_000


class Finder:
    """Finds the connections of calls.

    Args:
        tracker: knows the connections. It is only read: a program may connect to where no segment
            goes.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        # The connections that connects have opened, by socket and peer.
        self._begun: OrderedDict[tuple[str, int, Endpoint], TrackedConnection] = OrderedDict()
        self._claimed: OrderedDict[int, None] = OrderedDict()

    def placed(self, call: Call) -> Call:
        """A call with its connection, as far as that is known."""
        connection = self._find(call)
        if connection is None:
            return call
        client = connection.client.endpoint
        local, peer = client, connection.server.endpoint
        if call.peer == client:
            local, peer = peer, client
        return replace(
            call,
            end="client" if local == client else "server",
            local=local,
            peer=peer,
            connection=connection.number,
        )

    def _find(self, call: Call) -> TrackedConnection | None:
        local, peer = call.local, call.peer
        if peer is None:
            return None
        if local is not None and local.ip not in _ANY:
            return self._tracker.find(local, peer)
        key = call.end, call.fd, peer
        if call.name == "connect" and call.result is None and call.error is None:
            found = self._begun_at(call.time, local, peer)
            self._begun.pop(key, None)  # that of an earlier socket with this number
            if found is not None:
                remember(self._begun, key, found, _MOST)
                remember(self._claimed, found.number, None, _MOST)
            return found
        return self._begun.get(key)

    def _begun_at(
        self, time: int, local: Endpoint | None, peer: Endpoint
    ) -> TrackedConnection | None:
        """The first connection to a peer that began at a time and was not found before."""
        found: TrackedConnection | None = None
        for connection in reversed(self._tracker.connections):
            start = connection.start
            if start is None or connection.number in self._claimed:
                continue
            if start < time:
                break
            same = local is None or local.port == connection.client.endpoint.port
            if connection.server.endpoint == peer and same and start <= time + AT_ONCE:
                found = connection
        return found
