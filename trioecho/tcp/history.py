"""What an observer knows of a connection as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from trioecho.model import End
from trioecho.tcp.half import Half

#: How late a segment may be and still count as overtaken, if the handshake's round trip is unknown.
LATE = 3_000_000

_NOTHING: frozenset[str] = frozenset()


class Told(Struct):
    """What was told of a connection's ends, by calls or by their hosts, that no segment tells.

    Args:
        gave_up: the client gave up before its SYN was answered.
        stopped: when we stopped the program of an end, by the end.
    """

    gave_up: bool = False
    stopped: dict[End, int] = {}

    def stops(self, end: End, time: int) -> None:
        """The program of an end is stopped, unless the client had given up before."""
        if not self.gave_up:
            self.stopped = {**self.stopped, end: time}


@dataclass(slots=True, eq=False)
class History:
    """A connection so far. Times are nanoseconds since the epoch, durations nanoseconds.

    Args:
        number: its number in the trace, from 1.
        client, server: its two ends.
        opening: whether it is seen from before its first SYN.
        underway: whether the ACK that completes the handshake has not come yet.
        start, end: when its first and its last segment were seen; where the capture's clock was set
            back, ``start`` is the earliest time.
        first_frame: the number of its first frame.
        first_syn, last_syn: when the client's SYN was first and last sent.
        handshake_time: from the first SYN to the ACK that completes the handshake.
        initial_rtt: the same from the last SYN.
        first_fin: the end that closed first.
        fins_crossed: whether neither FIN acknowledges the other.
        closed_by: how it ended; None while it is open.
        reset_by: who sent the first reset that was taken: an end, or a wire in an end's name.
        reuses: the connection that had the same ports before.
        timestamps, sack: whether timestamps and SACK may have been agreed on.
        doubted: each `Seen` that seemed to be an old duplicate, or garbled, until it is
            acknowledged.
        tunnel: what names the tunnel it is in; both, where each direction has one of its own.
        probes: segments that ask for a sign: tail-loss probes, zero-window probes, keep-alives.
        troubles, first_trouble: segments on which something went wrong, and the first in words.
        first_trouble_kind: the kind of its fact.
        said: facts stated once per connection.
        told: what was told of its ends that no segment tells; None for nothing.
    """

    number: int
    client: Half
    server: Half
    opening: bool
    underway: bool
    start: int | None = None
    end: int = 0
    first_frame: int = 0
    first_syn: int | None = None
    last_syn: int = 0
    handshake_time: int | None = None
    initial_rtt: int | None = None
    first_fin: Half | None = None
    fins_crossed: bool = False
    closed_by: Literal["fin", "rst"] | None = None
    reset_by: Literal["client", "server", "wire"] | None = None
    reuses: int | None = None
    timestamps: bool = True
    sack: bool = True
    doubted: tuple[Any, ...] = ()
    tunnel: str = ""
    probes: int = 0
    troubles: int = 0
    first_trouble: str = ""
    first_trouble_kind: str = ""
    said: frozenset[str] = _NOTHING
    told: Told | None = None

    @property
    def round_trip(self) -> int:
        """The handshake's round trip, or a short time where it was not seen."""
        return self.initial_rtt or LATE

    @property
    def at_once(self) -> int:
        """Within this time a repetition is a copy: no sender retransmits before an ACK can come."""
        return min(self.round_trip, LATE) // 2
