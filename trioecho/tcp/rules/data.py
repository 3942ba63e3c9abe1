"""The ordinary course of a connection: data and their acknowledgments."""

from __future__ import annotations

from trioecho.model import FIN, RST, SYN, Fact, Rung, Segment
from trioecho.tcp.half import Half
from trioecho.tcp.step import Seen
from trioecho.text import bytes_of, seconds

# What was held back by Nagle's algorithm leaves as soon as the ACK it waited for is there.
AT_ONCE = 2_000_000
# The option that takes room in each segment of a connection that has it (RFC 6691), and the MSS of
# a receiver that told none (RFC 9293 §3.7.1).
TIMESTAMPS, DEFAULT_MSS = 12, 536


class Data(Fact, frozen=True, tag="data"):
    """New data.

    ``in_flight``: bytes sent and not acknowledged after it, None where that is not known.
    ``missing``: how much of the payload the capture cut off.
    """

    length: int
    in_flight: int | None = None
    missing: int = 0

    routine = implied = True
    source = "RFC 9293 §3.7"

    def text(self, rung: Rung) -> str:
        cut = ""
        if self.missing:
            some = "" if self.missing == self.length else f"{self.missing:,} of them "
            cut = f", {some}cut off by the capture"
        return f"the {rung.sender} sends {bytes_of(self.length)}{cut}"


def data(seen: Seen) -> Data | None:
    """It has bytes that its sender had not sent before, and is no RST."""
    segment, mine = seen.segment, seen.mine
    length, in_flight = segment.length, None
    if mine.acked is not None:
        end = seen.end if seen.expected else max(seen.end, mine.next)
        in_flight = end - mine.acked
    missing = length - len(segment.payload)
    if seen.again:  # only what is behind the old bytes
        length += min(0, seen.seq - mine.next)
        missing = min(missing, length)
    if length <= 0 or segment.flags & RST:
        return None
    return Data(length, in_flight, missing)


class NagleDelayedAck(Fact, frozen=True, tag="nagle-delayed-ack"):
    """A small segment that waited for the ACK of another small one, which took ``waited``
    nanoseconds."""

    waited: int

    trouble = True
    source = "RFC 9293 §3.7.4, RFC 1122 §4.2.3.2"

    def text(self, rung: Rung) -> str:
        return (
            f"it had to wait up to {seconds(self.waited)} for the ACK of another small segment:"
            " Nagle's algorithm meets delayed ACK"
        )


def nagle_delayed_ack(seen: Seen) -> NagleDelayedAck | None:
    """It is small, and leaves within 2 ms of the delayed ACK of another small segment, with nothing
    in between."""
    held = seen.mine.held
    if held is None or seen.theirs.ack_time != held.time:
        return None  # whatever else arrived behind that ACK may be what this answers
    if not 0 <= seen.time - held.time < AT_ONCE:
        return None
    if not small(seen.segment.length, seen.segment, seen.theirs):
        return None
    return NagleDelayedAck(held.took)


def small(length: int, segment: Segment, receiver: Half) -> bool:
    """Whether a payload leaves room in a segment; options take some of it."""
    return length + room_of_options(segment) < (receiver.mss or DEFAULT_MSS)


def room_of_options(segment: Segment) -> int:
    """How many bytes its options take that each segment of its connection has."""
    return TIMESTAMPS if segment.options.timestamps is not None else 0


class Ack(Fact, frozen=True, tag="ack"):
    """It acknowledges ``length`` new bytes, the last of them brought by rung ``of``.

    ``pure``: it carries nothing else; otherwise the acknowledgment rides on data or on a FIN.
    ``rtt``: since the acknowledged segment was sent, where exactly one was. ``or_again``: what
    ``of`` sent was sent again, and nothing tells which of them has arrived.
    """

    length: int
    pure: bool
    of: int | None = None
    rtt: int | None = None
    or_again: bool = False

    routine = implied = True
    source = "RFC 9293 §3.8"

    def text(self, rung: Rung) -> str:
        how = "a pure ACK" if self.pure else "piggybacked on it the ACK"
        which = f", up to rung {self.of}" if self.of is not None else ""
        which += " or its retransmission" if self.or_again else ""
        after = f", {seconds(self.rtt)} ago" if self.rtt is not None else ""
        return f"{how}: {bytes_of(self.length)} arrived{which}{after}"


def ack(seen: Seen) -> Ack | None:
    """Bytes are acknowledged for the first time as it arrives."""
    if seen.newly <= 0:
        return None
    segment, last, heard = seen.segment, seen.last, seen.theirs.heard
    pure = not segment.length and not segment.flags & (SYN | FIN)
    if heard is not None:
        return Ack(seen.newly, pure, seen.brought_by, seen.rtt)
    if last is None or last.end != seen.ack:
        return Ack(seen.newly, pure)
    again = last.repeated and not last.instead and not seen.theirs.flight.only_copied(last.end - 1)
    return Ack(seen.newly, pure, last.instead or last.number, seen.rtt, again)
