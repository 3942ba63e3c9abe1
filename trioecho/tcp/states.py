"""The state machine of RFC 9293 §3.3.2 (figure 5), as an observer walks it.

Theory of operation
===================
The RFC's diagram is drawn from inside: its arrows are labelled with calls (OPEN, CLOSE) and with
segments. An observer of the wire sees no calls. But each call that changes a state also sends a
segment (an active OPEN a SYN, a CLOSE a FIN, an ABORT a RST), so every arrow of the diagram can be
labelled with what one end *sent* or what *arrived* at it. Those are the events here. Three arrows
send nothing: the passive OPEN and a CLOSE in SYN-SENT (the engine is told, where calls or kernels
are known), and the end of TIME-WAIT after 2 MSL, which nobody can see.

A SYN that arrives tells nothing of the end where it arrives. If nothing listens there, a RST will
answer; if a queue is full or a firewall stands before it, nothing will. So that end stays in LISTEN
where its kernel or a call has told that it listens, and UNKNOWN otherwise. It is in SYN-RECEIVED
from when its SYN-ACK leaves, which the RFC has it send in the same step (§3.10.7.2); its figure 6
writes that state beside both segments. Not so where both ends open (figure 7): an end in SYN-SENT
has a socket, which a SYN takes to SYN-RECEIVED as it arrives.

One segment can be several events: they are applied in the order in which RFC 9293 §3.10.7.4
processes it: RST, SYN, ACK, FIN. A FIN counts as arrived once everything before it has.

An observer must never stumble. An event with no row leaves the state as it is: a retransmitted SYN
or FIN, a segment from another incarnation, a middlebox's invention. The engine never raises on
what the wire did.

Three rows exist for the observer alone. A tap sees a segment at one place, so when two FINs cross,
it believes that the first has arrived before the second was sent. The second one then betrays
itself, since it does not acknowledge the first: ``SEND_FIN_BEFORE_THEIRS`` moves CLOSE-WAIT to
CLOSING, where the RFC's path through FIN-WAIT-1 would have ended; it was ESTABLISHED until then. On
a wire that knows what arrived, that row has the same use: a FIN may reach a host whose socket is
busy and takes it later. The other two are of a SYN-ACK that was not seen, to which an ACK came.
"""

from __future__ import annotations

from enum import Enum, auto

from trioecho.model import State


class Event(Enum):
    """What happened at one end."""

    LISTEN = auto()  # a passive OPEN, of which the engine is told
    STOP_LISTENING = auto()  # the listening socket is closed; another one may listen there
    SEND_SYN = auto()
    SEND_SYN_ACK = auto()
    SEND_FIN = auto()
    SEND_FIN_BEFORE_THEIRS = auto()  # a FIN that does not acknowledge the peer's, which was sent
    SEND_RST = auto()
    GIVE_UP = auto()  # a CLOSE or an ABORT before the SYN was answered, of which the engine is told
    RECEIVE_SYN = auto()
    RECEIVE_SYN_ACK = auto()  # one that acknowledges our SYN
    RECEIVE_ACK_OF_SYN = auto()
    RECEIVE_FIN = auto()
    RECEIVE_ACK_OF_FIN = auto()
    RECEIVE_RST = auto()
    RECEIVE_RST_PASSIVE = auto()  # at an end that had opened passively
    # Enum's own hash goes through Python; identity is what is meant, and these are dict keys on
    # the path of every segment that opens or closes.
    __hash__ = object.__hash__


#: The states before a connection is synchronized, or when it is no more.
OPENING = frozenset((State.UNKNOWN, State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RECEIVED))
#: Those of an end that has not answered a SYN, if it ever will.
UNANSWERED = frozenset((State.UNKNOWN, State.LISTEN))

E, S = Event, State

_PASSIVE = {
    E.SEND_SYN: S.SYN_SENT,
    E.SEND_SYN_ACK: S.SYN_RECEIVED,
    E.RECEIVE_ACK_OF_SYN: S.ESTABLISHED,  # its SYN-ACK was not seen
    E.SEND_RST: S.CLOSED,  # nothing listens there, or it refuses this connection
}

TABLE: dict[State, dict[Event, State]] = {
    S.UNKNOWN: {E.LISTEN: S.LISTEN, **_PASSIVE},
    S.CLOSED: {
        E.LISTEN: S.LISTEN,
        E.SEND_SYN: S.SYN_SENT,
        E.SEND_SYN_ACK: S.SYN_RECEIVED,
    },
    S.LISTEN: {E.STOP_LISTENING: S.UNKNOWN, **_PASSIVE},
    S.SYN_SENT: {
        E.SEND_SYN_ACK: S.SYN_RECEIVED,  # it answers a SYN that the observer missed
        E.GIVE_UP: S.CLOSED,
        E.RECEIVE_SYN: S.SYN_RECEIVED,  # simultaneous open
        E.RECEIVE_SYN_ACK: S.ESTABLISHED,
        E.RECEIVE_RST: S.CLOSED,
        # SEND_RST: it answers an unacceptable ACK, and goes on waiting (§3.10.7.3)
    },
    S.SYN_RECEIVED: {
        E.RECEIVE_ACK_OF_SYN: S.ESTABLISHED,
        E.SEND_FIN: S.FIN_WAIT_1,
        E.RECEIVE_FIN: S.CLOSE_WAIT,
        E.RECEIVE_RST: S.CLOSED,
        E.RECEIVE_RST_PASSIVE: S.LISTEN,  # this attempt is over; the socket listens on
        E.SEND_RST: S.CLOSED,
    },
    S.ESTABLISHED: {
        E.SEND_FIN: S.FIN_WAIT_1,
        E.RECEIVE_FIN: S.CLOSE_WAIT,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.FIN_WAIT_1: {
        E.RECEIVE_ACK_OF_FIN: S.FIN_WAIT_2,
        E.RECEIVE_FIN: S.CLOSING,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.FIN_WAIT_2: {
        E.RECEIVE_FIN: S.TIME_WAIT,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.CLOSE_WAIT: {
        E.SEND_FIN: S.LAST_ACK,
        E.SEND_FIN_BEFORE_THEIRS: S.CLOSING,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.CLOSING: {
        E.RECEIVE_ACK_OF_FIN: S.TIME_WAIT,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.LAST_ACK: {
        E.RECEIVE_ACK_OF_FIN: S.CLOSED,
        E.RECEIVE_RST: S.CLOSED,
        E.SEND_RST: S.CLOSED,
    },
    S.TIME_WAIT: {
        E.RECEIVE_RST: S.CLOSED,  # TIME-WAIT assassination, RFC 1337
        E.SEND_RST: S.CLOSED,
    },
}
