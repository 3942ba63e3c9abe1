"""What a connection came to, in words and in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioecho.model import ConnectionSummary, RoundTrips, State
from trioecho.tcp.half import Half

if TYPE_CHECKING:
    from trioecho.tcp.connection import Connection


_CLOSED = frozenset((State.CLOSED, State.TIME_WAIT))


def summary(connection: Connection) -> ConnectionSummary:
    """What a connection has come to so far."""
    client, server = connection.client, connection.server
    return ConnectionSummary(
        connection.number,
        client.endpoint,
        server.endpoint,
        connection.handshake_time,
        client.volume,
        server.volume,
        client.segments,
        server.segments,
        client.retransmissions + server.retransmissions,
        connection.closed_by,
        connection.start or 0,
        connection.end,
        client.resets + server.resets,
        connection.troubles,
        connection.first_trouble,
        completeness(connection),
        connection.initial_rtt,
        round_trips(client),
        round_trips(server),
        {str(state): spent for state, spent in client.spent.items()},
        {str(state): spent for state, spent in server.spent.items()},
        connection.first_frame,
    )


def completeness(connection: Connection) -> str:
    """How much of a connection was seen, in words.

    Returns:
        Such as ``handshake and data seen; no close: the capture ends first``.
    """
    client, server = connection.client, connection.server
    data = bool(client.volume or server.volume)
    acked = all(end.fin is not None and (end.acked or 0) > end.fin for end in (client, server))
    closed = connection.closed_by == "fin" and {client.state, server.state} <= _CLOSED and acked
    answered = server.answered or client.answered
    cut = client.cut is not None or server.cut is not None
    agreed = not connection.underway or (server.received.up_to or 0) > 1 + client.syn_data
    if not connection.opening:
        seen = "no handshake: the capture starts in the middle; "
        seen += _seen(data=data, close=closed)
    elif not client.syn_seen:
        seen = "the handshake's SYN is missing; " + _seen(data=data, close=closed)
    elif not agreed:
        return _attempt(connection, answered)
    elif not answered:
        seen = "the handshake's SYN-ACK is missing; " + _seen(data=data, close=closed)
    elif connection.first_syn is None:
        seen = "handshake out of order; " + _seen(data=data, close=closed)
    else:
        seen = _seen("handshake", data=data, close=closed)
    for end, other in (("client", server), ("server", client)):
        if not other.segments:
            seen += f"; nothing but what the {end} sent was seen"
    if closed:
        return seen
    if connection.closed_by == "fin":
        return f"{seen}; closed, but {'cut by a reset before' if cut else 'for'} the last ACK"
    if connection.closed_by == "rst":
        return f"{seen}; cut by a reset"
    if connection.first_fin is not None:
        return f"{seen}; one direction closed, the other not"
    return f"{seen}; no close: the capture ends first"


def _attempt(connection: Connection, answered: bool) -> str:
    """What became of a handshake that nobody saw completed."""
    cut = connection.closed_by == "rst"
    if answered:
        return "handshake cut by a reset" if cut else "handshake not completed"
    if cut and connection.server.resets:
        return "refused"
    return "a SYN without an answer" + ("; cut by a reset" if cut else "")


def _seen(*first: str, data: bool, close: bool) -> str:
    """Such as ``handshake, data and close seen``."""
    *words, last = (*first, *["data"] * data, *["close"] * close) or ("",)
    said = f"{', '.join(words)} and {last} seen" if words else f"{last} seen" if last else ""
    if data:
        return said
    return f"{said}, no data" if said else "no data"


def round_trips(half: Half) -> RoundTrips | None:
    """The round-trip times of the ACKs one end got, or None when there was none."""
    least, median, p95 = half.rtt.least, half.rtt.quantile(0.5), half.rtt.quantile(0.95)
    if median is None or p95 is None:
        return None
    return RoundTrips(least, median, p95)
