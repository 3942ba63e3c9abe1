"""What the words of a ladder mean: states, control bits, options, figures. PURE."""

from __future__ import annotations

from typing import NamedTuple

from trioecho.model import State
from trioecho.tcp.states import TABLE, Event


class Meaning(NamedTuple):
    """What a word means, and the section that states it; ``common`` if lessons use it otherwise."""

    text: str
    source: str
    common: bool = False


_STATES = "RFC 9293 §3.3.2"

STATES = {
    State.UNKNOWN: Meaning(
        "It has not answered a SYN yet, and no call tells that it listens: there may be a server,"
        " or nothing at all. This is no state of RFC 9293.",
        _STATES,
    ),
    State.CLOSED: Meaning("There is no connection.", _STATES),
    State.LISTEN: Meaning(
        "A socket waits for connections of any client. It stays in LISTEN; each client gets a"
        " socket of its own.",
        _STATES,
    ),
    State.SYN_SENT: Meaning(
        "It has sent a SYN and waits for the peer's SYN. It sends its own again until an answer"
        " comes, or it gives up.",
        _STATES,
    ),
    State.SYN_RECEIVED: Meaning(
        "It has got the peer's SYN, has sent its own, and waits for the ACK of that.", _STATES
    ),
    State.ESTABLISHED: Meaning("The connection is open: data flow in both directions.", _STATES),
    State.FIN_WAIT_1: Meaning(
        "It has closed its direction: its FIN was sent and is not acknowledged yet.", _STATES
    ),
    State.FIN_WAIT_2: Meaning(
        "Its FIN is acknowledged, and it waits for the peer's FIN. Until then the peer may still"
        " send.",
        _STATES,
    ),
    State.CLOSE_WAIT: Meaning(
        "The peer has closed its direction. The end waits for its own program to close, as long as"
        " that takes: a program that forgets to close leaves its sockets in this state.",
        _STATES,
    ),
    State.CLOSING: Meaning(
        "Both ends have closed at the same time: the peer's FIN has arrived, and its own is not"
        " acknowledged yet.",
        _STATES,
    ),
    State.LAST_ACK: Meaning(
        "Both ends have closed, the peer first. It waits for the ACK of its FIN, the last of the"
        " connection.",
        _STATES,
    ),
    State.TIME_WAIT: Meaning(
        "It has acknowledged the peer's FIN and waits for twice the maximum segment lifetime (2"
        " MSL; a minute on Linux). If that ACK was lost, it can send it again; and old segments are"
        " gone before the same ports are used anew.",
        "RFC 9293 §3.3.2 and §3.6.1",
    ),
}

EVENTS = {
    Event.LISTEN: "its program listens",
    Event.STOP_LISTENING: "its listening socket is closed",
    Event.SEND_SYN: "it sends a SYN",
    Event.SEND_SYN_ACK: "it sends a SYN-ACK",
    Event.SEND_FIN: "it sends a FIN",
    Event.SEND_FIN_BEFORE_THEIRS: "it sends a FIN that does not acknowledge the peer's",
    Event.SEND_RST: "it sends a RST",
    Event.GIVE_UP: "its program gives up",
    Event.RECEIVE_SYN: "a SYN arrives",
    Event.RECEIVE_SYN_ACK: "a SYN-ACK arrives that acknowledges its SYN",
    Event.RECEIVE_ACK_OF_SYN: "the ACK of its SYN arrives",
    Event.RECEIVE_FIN: "a FIN arrives",
    Event.RECEIVE_ACK_OF_FIN: "the ACK of its FIN arrives",
    Event.RECEIVE_RST: "a RST arrives",
    Event.RECEIVE_RST_PASSIVE: "a RST arrives, and it had listened before",
}


def leaves(state: State) -> list[tuple[str, State]]:
    """What takes an end out of a state, and into which."""
    found = [(EVENTS[event], after) for event, after in TABLE[state].items() if after is not state]
    if state is State.TIME_WAIT:
        found.insert(0, ("2 MSL pass (no segment shows it)", State.CLOSED))
    return found


def enters(state: State) -> list[tuple[str, State]]:
    """What takes an end into a state, and out of which."""
    return [(how, before) for before in State for how, after in leaves(before) if after is state]


_TCP_INFO = "linux/tcp.h, struct tcp_info; RFC 4898 has the idea"
_BITS, _TIMER, _CONGESTION = "RFC 9293 §3.1", "RFC 6298 §2", "RFC 5681 §3.1"

#: Words of the ladder and of ``--kernel``, as a reader would ask for them.
WORDS = {
    "syn": Meaning(
        "A control bit: it opens a direction and tells its first sequence number (the ISN). It"
        " takes one sequence number itself.",
        _BITS,
    ),
    "syn-ack": Meaning(
        "A segment with SYN and ACK: the answer to a SYN, and the second of the three segments that"
        " open a connection.",
        "RFC 9293 §3.5",
    ),
    "ack": Meaning(
        "A control bit, and a number: the next byte that the sender of the ACK expects. All before"
        " it has arrived.",
        _BITS,
    ),
    "psh": Meaning(
        "A control bit, P in a .ladder: the receiver should hand over what it has got so far to its"
        " program.",
        "RFC 9293 §3.9.1.2",
    ),
    "fin": Meaning(
        "A control bit: its sender sends no more data. It takes one sequence number, so that it can"
        " be acknowledged. The other direction stays open.",
        _BITS,
    ),
    "rst": Meaning(
        "A control bit: it ends the connection at once, in both directions. Data on their way are"
        " lost. `trioecho explain connection-rst` tells why one is sent.",
        "RFC 9293 §3.5.2",
    ),
    "seq": Meaning(
        "The number of the segment's first byte in its sender's stream. A ladder counts from the"
        " SYN, which has 0; --absolute shows the numbers of the wire.",
        _BITS,
    ),
    "win": Meaning(
        "The window: how many bytes beyond its ACK the sender of this segment has room for. A"
        " ladder shows it after scaling.",
        "RFC 9293 §3.8.6",
    ),
    "mss": Meaning(
        "An option of a SYN: the largest piece of data that its sender takes in one segment.",
        "RFC 9293 §3.7.1",
    ),
    "wscale": Meaning(
        "An option of a SYN: the windows that its sender tells later count in units of 2 to the"
        " power of this number. It holds only if both SYNs have the option.",
        "RFC 7323 §2.2",
    ),
    "sackok": Meaning(
        "An option of a SYN: its sender understands SACK, which tells what has arrived beyond a"
        " gap.",
        "RFC 2018 §2",
    ),
    "sack": Meaning(
        "An option of an ACK: blocks of bytes that have arrived beyond a gap, so that the peer"
        " sends only the rest again.",
        "RFC 2018 §3",
    ),
    "ts": Meaning(
        "The option timestamps: a clock's value, which the peer echoes. It measures round trips and"
        " tells old duplicates.",
        "RFC 7323 §3.2",
    ),
    "isn": Meaning("The initial sequence number: that of a SYN.", "RFC 9293 §3.4.1"),
    "rtt": Meaning(
        "The round-trip time: from a segment to its ACK. --kernel shows the kernel's smoothed one.",
        _TIMER,
    ),
    "rto": Meaning(
        "The retransmission timeout: how long a sender waits for an ACK before it sends again. It"
        " follows from the round-trip time and doubles each time in vain.",
        _TIMER,
    ),
    "cwnd": Meaning(
        "The congestion window: how much may be on its way, as the sender believes that the path"
        " takes. --kernel shows it in segments.",
        _CONGESTION,
    ),
    "rwnd": Meaning(
        "The receive window: how many bytes the peer has room for, as its last segment said with"
        " win. A sender has no more on its way than that, nor than cwnd.",
        "RFC 5681 §2",
    ),
    "ssthresh": Meaning(
        "The slow start threshold: below it cwnd doubles each round trip, above it cwnd grows"
        " slowly. It is set when something was lost.",
        _CONGESTION,
    ),
    "in-flight": Meaning("What was sent and is not acknowledged yet.", "RFC 5681 §2"),
    "backed-off": Meaning(
        "With --kernel: how many times in a row the retransmission timer has expired. The timeout"
        " doubles each time.",
        "RFC 6298 §5.5",
    ),
    "busy": Meaning(
        "With --kernel: how long the end has had data that were not sent or not acknowledged.",
        _TCP_INFO,
    ),
    "receiver-limited": Meaning(
        "With --kernel: how much of its busy time an end could not send because the peer's window"
        " was too small. The peer's program reads too slowly, or its receive buffer is small.",
        _TCP_INFO,
    ),
    "send-buffer-limited": Meaning(
        "With --kernel: how much of its busy time an end could not send more because its own send"
        " buffer was full.",
        _TCP_INFO,
    ),
    "unread": Meaning(
        "With --kernel: bytes that have arrived and that the program has not read. The kernel"
        " acknowledged them all the same; they take room, so the window shrinks.",
        "RFC 9293 §3.8.6",
    ),
    "accept": Meaning(
        "The call that gives a server's program a connection. The kernel opens connections without"
        " it, and keeps them in a queue; --kernel tells how many wait there.",
        "accept(2), RFC 9293 §3.9.1.1",
    ),
    "backlog": Meaning(
        "How many connections may wait until a server accepts them: the number that listen() is"
        " given.",
        "listen(2), RFC 9293 §3.9.1.1",
    ),
    "msl": Meaning(
        "The maximum segment lifetime: how long a segment may exist on its way. TCP presumes two"
        " minutes, Linux half a minute.",
        "RFC 9293 §3.4.2",
    ),
    "nagle": Meaning(
        "Nagle's algorithm: a small segment waits while an earlier one is not acknowledged."
        " TCP_NODELAY turns it off.",
        "RFC 9293 §3.7.4",
    ),
    "delayed-ack": Meaning(
        "A receiver may wait a moment (at most half a second; about 40 ms on Linux) before it"
        " acknowledges, so that the ACK goes along with data.",
        "RFC 9293 §3.8.6.3",
    ),
    "tail-loss-probe": Meaning(
        "What a sender sends again after about two round trips without an ACK, before the timeout:"
        " it finds out whether the last segments were lost.",
        "RFC 8985 §7",
    ),
    "rack": Meaning(
        "Loss by time: a segment is sent again when one that was sent later has arrived, and some"
        " time has passed.",
        "RFC 8985 §6",
    ),
    "request": Meaning(
        "A note with --requests: all that tells what is asked has come, such as the header of an"
        " HTTP request, or a ClientHello.",
        "RFC 9110 §3.4",
        common=True,
    ),
    "answer": Meaning(
        "A note with --requests: the head of an answer has come. The time until its first byte is"
        " that of the end that answers, of the path, and of an answer that it had to wait for.",
        "RFC 9110 §3.4",
        common=True,
    ),
    "tls-handshake": Meaning(
        "A note with --requests: the client has sent its Finished, or up to TLS 1.2 has got the"
        " server's, and may send data.",
        "RFC 8446 §4.4.4",
    ),
    "slow-start": Meaning(
        "A sender begins with a small congestion window and doubles it each round trip, until"
        " something is lost or it reaches ssthresh.",
        _CONGESTION,
    ),
}
