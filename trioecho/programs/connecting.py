"""The calls of programs, in their places among the segments."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from msgspec.structs import replace

from trioecho.model import RST, SYN, Call, Endpoint, Rung
from trioecho.programs.memory import remember
from trioecho.tcp.connection import Connection
from trioecho.tcp.tracker import Tracker

_ANY = ("0.0.0.0", "::")
# A connect sends its SYN at once; so long after it, nanoseconds, a SYN is another's.
_AT_ONCE = 50_000_000
_MOST = 10_000


class Finder:
    """Finds the connections of calls.

    It keeps cause and effect in order, too. strace reads the clock before it looks up what socket
    a call is made on, which takes longer than a handshake; so a connect that ends waits for the
    segment that ends it.

    Args:
        tracker: knows the connections. Nothing is told to it: a program may connect to where no
            segment goes.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        # The connections that connects have begun, by the socket and where to.
        self._begun: OrderedDict[tuple[str, int, Endpoint], Connection] = OrderedDict()

        self._answered: OrderedDict[int, None] = OrderedDict()
        self._held: dict[int, Call] = {}

    def order(self, events: Iterable[Call | Rung]) -> list[Call | Rung]:
        """Events with each call in its place, and with its connection.

        Args:
            events: events in order of time.
        """
        ordered: list[Call | Rung] = []
        for event in events:
            if isinstance(event, Call):
                call = self.placed(event)
                number = call.connection
                if number is not None and number not in self._answered and _is_answer(call):
                    self._held[number] = call
                else:
                    ordered.append(call)
                continue
            ordered.append(event)
            if event.sender == "server" and event.segment.flags & (SYN | RST) and not event.lost:
                remember(self._answered, event.connection, None, _MOST)
                if (held := self._held.pop(event.connection, None)) is not None:
                    ordered.append(replace(held, time=max(held.time, event.arrived or event.time)))
        return ordered

    def rest(self) -> list[Call]:
        """The calls that still wait, at the end."""
        rest, self._held = list(self._held.values()), {}
        return rest

    def placed(self, call: Call) -> Call:
        """A call with its connection, as far as that can be told.

        Args:
            call: the call; the segments that it has sent have been seen.

        Returns:
            The call. Its end is who it is in that connection: a server may be another's client.
        """
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

    def _find(self, call: Call) -> Connection | None:
        local, peer = call.local, call.peer
        if peer is None:
            return None
        if local is not None and local.ip not in _ANY:
            return self._tracker.find(local, peer)
        key = call.end, call.fd, peer
        if call.name == "connect" and call.result is None and call.error is None:
            found = self._begun_at(call.time, local, peer)
            if found is None:
                self._begun.pop(key, None)
            else:
                remember(self._begun, key, found, _MOST)
            return found
        return self._begun.get(key)

    def _begun_at(self, time: int, local: Endpoint | None, peer: Endpoint) -> Connection | None:
        """The first connection to somewhere that began at a time and was not found before."""
        found: Connection | None = None
        taken = {one.number for one in self._begun.values()}
        for connection in reversed(self._tracker.connections):
            start = connection.start
            if start is None or connection.number in taken:
                continue
            if start < time:
                break
            same = local is None or local.port == connection.client.endpoint.port
            if connection.server.endpoint == peer and same and start <= time + _AT_ONCE:
                found = connection
        return found


def _is_answer(call: Call) -> bool:
    """Whether a call is a connect that has ended because the other end has answered."""
    return call.name == "connect" and (call.result == 0 or call.error == "ECONNREFUSED")
