"""How a connection ended, in words and figures."""

from __future__ import annotations

from trioecho.model import ConnectionSummary, RoundTrips, State
from trioecho.tcp.half import Half
from trioecho.tcp.history import History, Told

_CLOSED = frozenset((State.CLOSED, State.TIME_WAIT))

UNANSWERED = "a SYN without an answer"
REFUSED = "refused"
_CUT, _INCOMPLETE = "handshake cut by a ", "handshake not completed"


def summary(history: History) -> ConnectionSummary:
    """A connection's totals so far."""
    client, server, told = history.client, history.server, history.told or Told()
    stopped = None if history.closed_by else next(iter(told.stopped), None)
    came_to = completeness(history)
    return ConnectionSummary(
        history.number,
        client.endpoint,
        server.endpoint,
        history.handshake_time,
        client.volume,
        server.volume,
        client.segments,
        server.segments,
        client.retransmissions + server.retransmissions,
        history.closed_by,
        history.start or 0,
        history.end,
        client.resets + server.resets,
        history.troubles,
        history.first_trouble,
        came_to,
        history.initial_rtt,
        round_trips(client),
        round_trips(server),
        {str(state): spent for state, spent in client.spent.items()},
        {str(state): spent for state, spent in server.spent.items()},
        history.first_frame,
        probes=history.probes,
        tunnel=history.tunnel,
        reset_by=history.reset_by,
        gave_up=told.gave_up and "client" not in told.stopped,
        stopped=stopped,
        first_trouble_kind=history.first_trouble_kind,
        attempt=came_to.startswith((UNANSWERED, REFUSED, _CUT, _INCOMPLETE)),
    )


def completeness(history: History) -> str:
    """How much of a connection was seen, in words."""
    client, server = history.client, history.server
    data = bool(client.volume or server.volume)
    acked = all(end.fin is not None and (end.acked or 0) > end.fin for end in (client, server))
    closed = history.closed_by == "fin" and {client.state, server.state} <= _CLOSED and acked
    answered = server.answered or client.answered
    forged = history.reset_by == "wire"
    cut = forged or client.reset is not None or server.reset is not None
    agreed = not history.underway or (server.received.up_to or 0) > 1 + client.syn_data
    if not history.opening:
        seen = "no handshake: the capture starts in the middle; "
        seen += _seen(data=data, close=closed)
    elif not client.syn_seen:
        seen = "the handshake's SYN is missing; " + _seen(data=data, close=closed)
    elif not agreed:
        return _attempt(history, answered)
    elif not answered:
        seen = "the handshake's SYN-ACK is missing; " + _seen(data=data, close=closed)
    elif history.first_syn is None:
        seen = "handshake out of order; " + _seen(data=data, close=closed)
    else:
        seen = _seen("handshake", data=data, close=closed)
    for end, other in (("client", server), ("server", client)):
        if not other.segments:
            seen += f"; nothing but what the {end} sent was seen"
    if closed:
        return seen
    if history.closed_by == "fin":
        return f"{seen}; closed, but {'cut by a reset before' if cut else 'for'} the last ACK"
    if history.closed_by == "rst":
        return f"{seen}; cut by a {'forged ' * forged}reset"
    for half, still in ((client, "server"), (server, "client")):
        if half.reset is not None and half.state is State.CLOSED:
            return f"{seen}; reset, but still open at the {still}"
    if history.first_fin is not None:
        return f"{seen}; one direction closed, the other not"
    return f"{seen}; no close: the capture ends first"


def _attempt(history: History, answered: bool) -> str:
    """The fate of a handshake that was not seen to complete."""
    cut = history.closed_by == "rst"
    if answered:
        forged = "forged " * (history.reset_by == "wire")
        return f"{_CUT}{forged}reset" if cut else _INCOMPLETE
    if cut and history.reset_by == "server":
        return REFUSED
    return UNANSWERED + ("; cut by a reset" if cut else "")


def _seen(*first: str, data: bool, close: bool) -> str:
    """Such as ``handshake, data and close seen``."""
    *words, last = (*first, *["data"] * data, *["close"] * close) or ("",)
    said = f"{', '.join(words)} and {last} seen" if words else f"{last} seen" if last else ""
    if data:
        return said
    return f"{said}, no data" if said else "no data"


def round_trips(half: Half) -> RoundTrips | None:
    """The round-trip times of the ACKs one end got, or None when there was none."""
    if half.rtt is None:
        return None
    median, p95 = half.rtt.quantile(0.5), half.rtt.quantile(0.95)
    assert median is not None
    assert p95 is not None
    return RoundTrips(half.rtt.least, median, p95)
