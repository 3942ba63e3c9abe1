"""Why something was repeated, in words: what follows the name of a note, and its source."""

from __future__ import annotations

from trioecho.tcp import notes

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
