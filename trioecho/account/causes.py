"""What a connection's time can go to, in one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from trioecho.model import End

Blamed = End | Literal["path"]


class Certainty(StrEnum):
    """How a cause is known."""

    PROVEN = "proven"  # the segments themselves, our wire or the kernel say so
    INFERRED = "inferred"  # it fits what was seen
    UNKNOWN = "unknown"


class Cause(Struct, frozen=True):
    """One row of the table.

    Args:
        name: as it stands in JSON.
        letter: as it stands in a strip over time.
        text: what happened, with ``{end}`` for where it lies, and ``{answers}`` for what that end
            does next.
        advice: what to do about it.
        lesson: the lesson that shows it, ``""`` for none.
        sign: what shows it, where the text doesn't say so.
    """

    name: str
    letter: str
    text: str
    advice: str
    lesson: str = ""
    sign: str = ""

    def says(self, end: Blamed) -> str:
        """What happened, in words.

        Args:
            end: where it lies.
        """
        return self.text.format(end=end, answers="go on" if end == "client" else "answer")


#: Where both directions have something to do, the one whose cause stands first here decides.
CAUSES: dict[str, Cause] = {
    one.name: one
    for one in (
        Cause(
            "refused",
            "X",
            "the server refused the connection",
            "Is the server running, and is this its port? A firewall that rejects looks the same.",
            "refused",
        ),
        Cause(
            "no-answer",
            "Z",
            "nothing answered the SYN",
            "Look for a firewall that drops, a wrong address, or a host that is down.",
            "lost-syn",
        ),
        Cause(
            "handshake-loss",
            "Y",
            "a SYN or SYN-ACK had to be sent again",
            "It was lost, or the server's accept queue was full. The first wait is a second, since "
            "the round trip is not known yet: keep connections open instead of opening one for "
            "each request.",
            "lost-syn",
        ),
        Cause(
            "black-hole",
            "B",
            "nothing came back any more",
            "Look for a link that is down, a NAT or firewall that has forgotten the connection, or "
            "a path that takes only small segments.",
            "black-hole",
        ),
        Cause(
            "timeout",
            "T",
            "data was lost, and the sender waited for its timer",
            "Find where it was lost. Only the timer shows a loss behind which too little follows: "
            "larger writes and SACK let a sender repair sooner.",
            "lost-data",
        ),
        Cause(
            "fast-recovery",
            "F",
            "data was lost, and repaired before the timer expired",
            "Find where it was lost: a full queue, a policer, or a bad link.",
            "fast-retransmit",
            "fast recovery",
        ),
        Cause(
            "spurious",
            "U",
            "the sender sent again what had arrived",
            "Look for a path whose delay jumps, or that reorders.",
            "spurious-retransmission",
            "spurious retransmission",
        ),
        Cause(
            "slow-reader",
            "R",
            "the {end}'s program did not read",
            "Make that program read sooner, or do its work in another task.",
            "zero-window",
            "full window",
        ),
        Cause(
            "receive-buffer",
            "W",
            "the {end}'s receive buffer was too small for the path",
            "Set no SO_RCVBUF, so that the kernel enlarges it, or raise net.ipv4.tcp_rmem: it must "
            "hold the rate times the round trip.",
            "window-full",
            "full window",
        ),
        Cause(
            "nagle",
            "N",
            "Nagle's algorithm at the {end} held back a small segment until the last was "
            "acknowledged",
            "Write a message with one call, or set TCP_NODELAY.",
            "nagle-delayed-ack",
        ),
        Cause(
            "bufferbloat",
            "Q",
            "a long queue on the path delayed everything",
            "Use a queue that drops early (fq_codel) at the bottleneck, or pace the sender.",
            "bufferbloat",
            "bufferbloat",
        ),
        Cause(
            "bottleneck",
            "L",
            "the path carried no more",
            "This is the rate of the path. Send less, or get more bandwidth.",
        ),
        Cause(
            "slow-start",
            "S",
            "the {end} was still in slow start",
            "Keep connections open; a new one begins with ten segments a round trip.",
            "slow-start",
        ),
        Cause(
            "send-buffer",
            "E",
            "the {end}'s send buffer was too small for the path",
            "Set no SO_SNDBUF, so that the kernel enlarges it, or raise net.ipv4.tcp_wmem.",
        ),
        Cause(
            "congestion-window",
            "C",
            "the congestion window held the sender back",
            "It is small after a loss, or still growing: look for losses, and keep connections "
            "open.",
            "slow-start",
        ),
        Cause(
            "application",
            "A",
            "the {end}'s program had nothing to send",
            "Look into that program: what did it wait for?",
        ),
        Cause(
            "think-time",
            "K",
            "the {end}'s program took its time to {answers}",
            "Look into that program: what did it do meanwhile?",
        ),
        Cause(
            "delayed-ack",
            "D",
            "the {end} delayed its ACK",
            "It harms only a sender that waits for it: let that one write a message with one call, "
            "or set TCP_NODELAY.",
            "nagle-delayed-ack",
        ),
        Cause(
            "round-trip",
            "-",
            "messages were under way",
            "Send more in one message, or several at once without waiting for each answer.",
        ),
        Cause(
            "setup",
            "=",
            "the handshake",
            "Keep connections open; each new one costs a round trip.",
            "handshake",
        ),
        Cause("closing", ".", "the connection was being closed", ""),
        Cause("idle", "_", "both ends were silent", ""),
        Cause("unknown", "?", "no known cause fits", ""),
    )
}
RANK = {name: number for number, name in enumerate(CAUSES)}

#: Thresholds, all in one place: times in nanoseconds.
MS = 1_000_000
DELAYED_ACK = 35 * MS  # Linux delays 40 ms at least, less a tick (TCP_DELACK_MIN)
NAGLE = 2 * MS  # from the ACK to the segment that it releases
LEAST_RTO = 200 * MS  # TCP_RTO_MIN
OF_RTO = 0.9  # a timer that is seen from outside fires this early
HINDSIGHT = 2_000 * MS  # after a repair, in which a DSACK may show that it was needless
BURST = 0.25  # of a round, in which a message leaves that was written at once
GROWTH = 1.5  # a flight's, from round to round, in slow start
FULL = 0.7  # of the highest delivery rate but one, at which a path is taken for full
INFLATED = 1.2  # of the least round trip, from which on a queue stands
BLOATED = 2.0
BLOATED_BY = 50 * MS
FLAT = 3  # rounds in which an ACK makes room that its sender does not use
UNUSED = 0.5  # so many of the ACKs of late must be such
UNUSED_AFAR = 0.25  # and so many where the tap is not at the sender
OF_LATE = 16  # ACKs
ROUND = 0.75  # of the least round trip, which a round lasts at least
BLACK_HOLE = 3  # repeats in a row without a sign of the peer
STRAYS = 5 * MS  # so much may a round trip be longer than the least, since hosts are busy
MEMORY = 10_000 * MS  # for how long the least round trip holds
ROUNDS = 10  # for how long the highest delivery rate does
PROVEN = 0.9  # of a cause's time must be proven, for it to be called so
NAMED = 0.15  # of the time, from which on a cause is worth a name
LEAST_NAMED = 10 * MS  # and from this time on: below it may be the machine that was busy
MOST = 0.5  # of the time: such a cause is worth a name from less time on
LEAST_OF_MOST = 5 * MS

#: Those of why segments were lost: of T. Flach et al., SIGCOMM 2016 ("as Flach's"), or else chosen
#: on their labelled captures.
FEW_LOSSES = 3  # fewer tell nothing
FEW_POLICED = 15  # as Flach's, to fit a bucket
FEW_ROUNDS = 3  # with losses in them, as Flach's
INFLATED_BY = 5 * MS  # less is a host's own doing
SLIGHTLY = 1.05  # of the least round trip, if just what was lost met the longest queue
HIGHER = 0.8  # the chance that a round trip beside a loss is above any: a queue was full
TOKENS_DECIDE = 0.65  # the chance that a loss finds fewer tokens than a pass; 0.5 for random ones
SURE = 4  # standard errors (1 / sqrt(12 n)) above 0.5, until that is no chance
STEEP = 0.18  # so much worse must a rate up to twice a policer's fit, for that to be told
ALONE = 0.5  # of random losses, that follow a segment which has arrived
BESIDE = 64  # segments before a loss that are looked at for a round trip


def stands_out(time: float, whole: float) -> bool:
    """Whether a cause takes so much of a connection's time that it is worth a name.

    Args:
        time: what it takes, nanoseconds.
        whole: what the connection takes.

    Returns:
        Whether it does.
    """
    if time >= MOST * whole:
        return time >= LEAST_OF_MOST
    return time >= max(LEAST_NAMED, NAMED * whole)
