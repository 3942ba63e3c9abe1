"""Why something was sent, in words, and where the rule comes from."""

from __future__ import annotations

from trioecho.tcp import notes

#: Of a RST.
RESET_CAUSES: dict[notes.ResetCause, tuple[str, str]] = {
    "refused": (
        "refused: nothing listens on that port, so the {mine}'s kernel answers for it",
        "RFC 9293 §3.5.2",
    ),
    "gave-up": (
        "the {mine} does not wait for this answer: it has given up, or wanted no more than to know"
        " whether the port is open",
        "RFC 9293 §3.10.7.1",
    ),
    "unread-data": (
        "the {mine} closed at once, perhaps without having read what the {theirs} sent: then data"
        " is lost",
        "RFC 1122 §4.2.2.13, RFC 2525 §2.17",
    ),
    "aborted": (
        "the {mine} gives up at once: its program closed with data unread or with SO_LINGER 0, or"
        " died so",
        "RFC 9293 §3.10.5",
    ),
    "time-wait-assassination": (
        "it ends the {theirs}'s TIME-WAIT too early: an old duplicate may now do harm",
        "RFC 1337",
    ),
    "after-close": (
        "the {mine} had closed already, and nobody is left there to read what came",
        "RFC 1122 §4.2.2.13",
    ),
    "after-handshake": (
        "the {mine} had agreed, but does not keep the connection: its backlog is full, or its"
        " program is gone",
        "RFC 9293 §3.5.2",
    ),
    "no-connection": (
        "an answer to what came: for the {mine} there is no such connection any more",
        "RFC 9293 §3.5.2",
    ),
    "half-open": (
        "the {mine} knows nothing of this connection: it restarted, or has long forgotten it",
        "RFC 9293 §3.5.1",
    ),
    "unprompted": (
        "nothing was seen that it could answer: perhaps the {mine} ends the connection of its own"
        " accord, or a device on the way does so in its name",
        "RFC 9293 §3.5.3",
    ),
    "no-answer": (
        "the {mine} gives up: it has asked or sent again, and heard nothing from the {theirs}",
        "RFC 9293 §3.8.3 and §3.8.4",
    ),
    "unacceptable-ack": (
        "the {theirs} acknowledged what the {mine} never sent: this is the answer to that",
        "RFC 9293 §3.10.7.3 and §3.10.7.4",
    ),
    "no-ack-of-syn": (
        "it does not acknowledge the {theirs}'s SYN: the {theirs} does not take this reset",
        "RFC 9293 §3.10.7.3",
    ),
    "out-of-window": (
        "not the next number the {theirs} expects: it does not take this reset",
        "RFC 5961 §3.2",
    ),
}

#: Behind ``retransmission of rung 4 after 2 s``.
RETRANSMISSION: dict[notes.RetransmissionCause | None, tuple[str, str]] = {
    None: ("", "RFC 9293 §3.8.1"),
    "timeout": (": no ACK has come", "RFC 6298 §5"),
    "tail-loss-probe": (", before a timeout: a tail loss probe", "RFC 8985 §7"),
    "recovery": (
        ": the {mine} takes this for lost too, and goes on to repair the loss",
        "RFC 6582 §3.2, RFC 6675 §5",
    ),
    "repeated-syn": (
        ": the {theirs}'s SYN has come once more, and is answered once more",
        "RFC 9293 §3.10.7.4",
    ),
    "ack-lost": (
        ": the answer{acked} did not arrive in time, or was not taken",
        "RFC 6298 §5",
    ),
    "no-room": (": the {theirs} had no room for it", "RFC 9293 §3.8.6"),
    "refused": (
        ": it was answered by a reset, and the {mine} tries once more",
        "RFC 9293 §3.10.7.3",
    ),
    "gap": (": what was sent first did not come by here", "RFC 9293 §3.8.1"),
}

#: Behind ``duplicate ACK number 1 of rung 4: the server``.
DUPLICATE_ACK: dict[notes.DuplicateAckCause | None, tuple[str, str]] = {
    None: ("still waits for the same byte", "RFC 5681 §2"),
    "fin": ("acknowledges the FIN once more", "RFC 9293 §3.10.7.4"),
    "syn": ("acknowledges the SYN once more", "RFC 9293 §3.10.7.4"),
    "nothing": ("has all that was seen here, and says so once more", "RFC 9293 §3.10.7.4"),
}
