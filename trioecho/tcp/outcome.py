"""What a connection came to, in words and in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioecho.model import RoundTrips, State
from trioecho.tcp.half import Half

if TYPE_CHECKING:
    from trioecho.tcp.connection import Connection


def completeness(connection: Connection) -> str:
    """How much of a connection was seen, in words.

    Returns:
        Such as ``handshake and data seen; no close: the capture ends first``.
    """
    client, server = connection.client, connection.server
    data = bool(client.volume or server.volume)
    if not connection.opening:
        seen = "no handshake: the capture starts in the middle"
        seen += "; data seen" if data else "; no data"
    elif connection.handshake_time is not None:
        seen = "handshake and data seen" if data else "handshake seen, no data"
    elif connection.closed_by == "rst":
        return "refused" if not server.syn_seen else "handshake cut by a reset"
    elif not server.syn_seen:
        return "a SYN without an answer"
    elif not client.syn_seen:
        seen = "the handshake's SYN is missing"
    else:
        return "handshake not completed"
    if connection.closed_by == "fin":
        done = {State.CLOSED, State.TIME_WAIT}
        if {client.state, server.state} <= done:
            return seen.replace(" seen", "", 1).replace(" and data", ", data") + " and close seen"
        return f"{seen}; closed, but for the last ACK"
    if connection.closed_by == "rst":
        return f"{seen}; cut by a reset"
    if connection.first_fin is not None:
        return f"{seen}; one direction closed, the other not"
    return f"{seen}; no close: the capture ends first"


def round_trips(half: Half) -> RoundTrips | None:
    """The round-trip times of the ACKs one end got, or None when there was none."""
    least, median, p95 = half.rtt.least, half.rtt.quantile(0.5), half.rtt.quantile(0.95)
    if median is None or p95 is None:
        return None
    return RoundTrips(least, median, p95)
