"""Finds a segment's connection: by its two endpoints and the tunnel it was in, and by its SYN.

A SYN tells when ports are used again. A SYN-ACK tells when each direction has a tunnel of its own:
the network identifier is the receiver's with asymmetric routing between VXLANs, and Cilium writes
the sender's identity there.
"""

from __future__ import annotations

from collections.abc import Iterable

from trioecho.model import (
    ACK,
    RST,
    SYN,
    Call,
    ConnectionSummary,
    End,
    Endpoint,
    Kind,
    Rung,
    Segment,
    State,
)
from trioecho.tcp.connection import TrackedConnection
from trioecho.tcp.states import Event

#: After this long a SYN is no copy of one that was answered before.
_RESTART = 1_000_000_000
_OVER = (State.UNKNOWN, State.CLOSED, State.LISTEN, State.TIME_WAIT)
_ANY = ("0.0.0.0", "::")


class Tracker:
    """All connections of one trace or capture, numbered from 1 in the order of their appearance.

    Args:
        by_frame: number the rungs as their frames are, so that a capture's reader finds them in
            other tools, and several readers of one capture give the same numbers.

    Attributes:
        connections: those that have not been forgotten, in their order.
        count: how many there have been, which is the number of the last.
        rungs: how many segments there have been.
    """

    def __init__(self, *, by_frame: bool = False) -> None:
        self._by_frame = by_frame
        self.connections: list[TrackedConnection] = []
        self.count: int = 0
        self.rungs: int = 0
        self._by_flow: dict[tuple[Endpoint, Endpoint, str], TrackedConnection] = {}
        # Those whose SYN came in a tunnel and was not answered yet, by server and client.
        self._tunnelled: dict[tuple[Endpoint, Endpoint], TrackedConnection] = {}
        self._listening: set[Endpoint] = set()

    def expect(self, client: Endpoint, server: Endpoint) -> TrackedConnection:
        """A connection that is about to be opened: we made the call ourselves.

        Args:
            client, server: its endpoints.

        Returns:
            A new connection, to which the next segments between the two will belong.
        """
        return self._begin(client, server, opening=True)

    def find(self, one: Endpoint, other: Endpoint) -> TrackedConnection | None:
        """The connection that is or was last between two endpoints, in either order and no tunnel.

        Args:
            one: an end.
            other: the other end.

        Returns:
            The connection, or None when there was none.
        """
        return self._by_flow.get((one, other, ""))

    def seen(self, segment: Segment) -> Rung:
        """The next rung: a segment as one tap sees it.

        Args:
            segment: the segment; segments come in the order of the capture.

        Returns:
            Its rung.
        """
        connection = self._by_flow.get((segment.source, segment.destination, segment.tunnel))
        if connection is None or segment.flags & SYN:
            connection = self._connection(segment)
        self.rungs += 1
        return connection.seen(segment, segment.frame.number if self._by_frame else self.rungs)

    def noticed(self, segment: Segment) -> None:
        """As ``seen``, where only what the connections come to is wanted, and no rung.

        Args:
            segment: the segment; segments come in the order of the capture.
        """
        connection = self._by_flow.get((segment.source, segment.destination, segment.tunnel))
        if connection is None or segment.flags & SYN:
            connection = self._connection(segment)
        self.rungs += 1
        connection.noticed(segment, segment.frame.number if self._by_frame else self.rungs)

    def sent(self, segment: Segment, kind: Kind = "original") -> Rung:
        """The next rung: a segment that was sent; `TrackedConnection.arrived` may follow.

        Args:
            segment: the segment; segments come in the order in which they were sent.
            kind: whether its sender sent it, or the wire doubled it, or made it up.

        Returns:
            The rung, as it stands before anything has arrived.
        """
        connection = self._connection(segment, forged=kind != "original")
        self.rungs += 1
        number = segment.frame.number if self._by_frame else self.rungs
        return connection.sent(segment, number, kind)

    def called(self, call: Call) -> int:
        """The number of the connection that a call is about; it may be the first to tell of it.

        Args:
            call: a call on a connection whose two endpoints are known.

        Returns:
            The connection's number, from 1.
        """
        assert call.local is not None
        assert call.peer is not None
        ends = (call.local, call.peer) if call.end == "client" else (call.peer, call.local)
        connection = self.find(*ends) or self.expect(*ends)
        if call.name == "socket" and _is_over(connection, call.end):
            before, connection = connection, self.expect(*ends)
            connection.reuses = before.number
        if call.name == "close" and call.end == "client":
            connection.gave_up(call.time)
        return connection.number

    def listens(self, server: Endpoint, *, now: bool) -> None:
        """Take that a server listens, or no longer does; a SYN alone does not tell.

        Args:
            server: where; an address of zeros stands for every one of its host.
            now: whether it does from now on.
        """
        change = self._listening.add if now else self._listening.discard
        change(server)

    def stopped(self, end: End, time: int) -> None:
        """The program at one end of all connections is stopped, by us.

        Args:
            end: which end.
            time: when, nanoseconds since the epoch.
        """
        for connection in self.connections:
            connection.stopped(end, time)

    def over(self) -> bool:
        """Whether every connection has ended, also one of which only a call was seen."""
        return all(
            connection.closed_by is not None
            and (
                connection.closed_by == "rst"
                or (connection.client.state in _OVER and connection.server.state in _OVER)
            )
            for connection in self.connections
        )

    def _connection(self, segment: Segment, *, forged: bool = False) -> TrackedConnection:
        """A segment's connection, which may begin with it."""
        connection = self._belongs(segment, forged=forged)
        if segment.flags & (SYN | ACK) == SYN:
            _, theirs = connection.halves(segment)
            ip, port = segment.destination.ip, segment.destination.port
            known = any(Endpoint(one, port) in self._listening for one in (ip, *_ANY))
            theirs.meet(Event.LISTEN if known else Event.STOP_LISTENING, segment.frame.time)
        return connection

    def _belongs(self, segment: Segment, *, forged: bool) -> TrackedConnection:
        """The connection that a segment belongs to, or begins.

        A forged SYN begins none: both ends of the one that there is know nothing of another, and
        its receiver answers with a challenge ACK (RFC 5961 §4).
        """
        if segment.tunnel and segment.flags & SYN and (answered := self._answered(segment)):
            return answered
        connection = self._by_flow.get((segment.source, segment.destination, segment.tunnel))
        if connection is None:
            return self._meet(segment)
        if segment.flags & SYN and not forged and _starts_anew(segment, connection):
            before = connection.number
            connection = self._meet(segment)
            connection.reuses = before
        return connection

    def forget(self, connections: Iterable[TrackedConnection]) -> None:
        """Let go of connections of which no more is to be said.

        The others keep their numbers. A segment that comes for one of these all the same begins a
        connection with a number of its own, in the middle.

        Args:
            connections: those to let go of.
        """
        gone = {connection.number for connection in connections}
        self.connections = [one for one in self.connections if one.number not in gone]
        flows = self._by_flow
        self._by_flow = {key: one for key, one in flows.items() if one.number not in gone}
        began = self._tunnelled
        self._tunnelled = {key: one for key, one in began.items() if one.number not in gone}

    def summaries(self) -> tuple[ConnectionSummary, ...]:
        """A summary for each connection that had a segment, in their order."""
        return tuple(c.summary() for c in self.connections if c.client.segments + c.server.segments)

    def _meet(self, segment: Segment) -> TrackedConnection:
        """Begin a connection with its first segment, and tell who is the client."""
        source, destination = segment.source, segment.destination
        flags = segment.flags
        # In the middle: services have the lower port more often than not.
        from_client = not flags & ACK if flags & SYN else source.port >= destination.port
        client, server = (source, destination) if from_client else (destination, source)
        opening, tunnel = bool(flags & SYN) and not flags & RST, segment.tunnel
        connection = self._begin(client, server, tunnel, opening=opening)
        if flags & SYN and flags & ACK:
            connection.client.state = State.SYN_SENT  # its SYN was sent before we looked
        elif tunnel and opening:
            self._tunnelled[server, client] = connection
        return connection

    def _answered(self, segment: Segment) -> TrackedConnection | None:
        """The connection whose SYN a SYN-ACK acknowledges: in its own tunnel, or in another."""
        ends = segment.source, segment.destination
        flow = *ends, segment.tunnel
        for connection in (self._by_flow.get(flow), self._tunnelled.get(ends)):
            isn = None if connection is None else connection.client.isn
            if connection is None or isn is None or segment.ack != (isn + 1) & 0xFFFFFFFF:
                continue
            if self._tunnelled.get(ends) is connection:
                del self._tunnelled[ends]  # a SYN is answered in one tunnel
            if self._by_flow.get(flow) is not connection:
                self._by_flow[flow] = connection
                connection.tunnel += f" and {segment.tunnel}"
            return connection
        return None

    def _begin(
        self, client: Endpoint, server: Endpoint, tunnel: str = "", *, opening: bool
    ) -> TrackedConnection:
        self.count += 1
        connection = TrackedConnection(self.count, client, server, opening=opening)
        connection.tunnel = tunnel
        self.connections.append(connection)
        flows = self._by_flow
        flows[client, server, tunnel] = flows[server, client, tunnel] = connection
        return connection


def _is_over(connection: TrackedConnection, end: End) -> bool:
    """Whether an end has closed a connection, so that a new socket of its own is for another."""
    half = connection.client if end == "client" else connection.server
    return half.state is State.CLOSED and half.segments > 0


def _starts_anew(segment: Segment, connection: TrackedConnection) -> bool:
    """Whether a SYN opens another connection between endpoints that had one.

    A SYN with the ISN that is known is a retransmission. One with another ISN, from an end whose
    ISN was known, belongs to a new incarnation (RFC 9293 §3.4.1). So does one behind a close of
    both directions, or a reset of what was established, of which no more is to be repeated; only
    the one SYN that was missing until then is captured late. And so does one that comes a second or
    more after all that its peer has acknowledged: its sender has restarted, and chose it again.
    One that was garbled on its way opens nothing.
    """
    if segment.flags & ACK:
        return False
    mine, theirs = connection.halves(segment)
    if mine.drops(segment):
        return False
    if mine.isn is None or mine.isn & 0xFFFFFFFF != segment.seq:
        return mine.isn is not None
    if not mine.syn_seen or connection.underway:
        return False
    if mine.state in _OVER and theirs.state in _OVER:
        late = segment.frame.time - connection.last_syn >= connection.round_trip
        return connection.closed_by == "fin" or late
    silent = segment.frame.time - connection.end >= _RESTART
    return silent and mine.state is State.ESTABLISHED and (mine.acked or 0) > 1
