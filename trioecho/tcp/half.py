"""What an observer knows of one end of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from msgspec import Struct

from trioecho.model import Endpoint, Fact, Segment, State
from trioecho.model.ranges import Ranges
from trioecho.model.sequence import HALF
from trioecho.model.spread import Spread
from trioecho.tcp.flight import Flight
from trioecho.tcp.states import OPENING, TABLE, UNANSWERED, Event

#: How much may have been sent before the first number that was seen.
BEFORE = (-HALF, 1)
#: Windows grow while segments are in flight; nothing lies far beyond this many bytes.
LEAST_WINDOW = 1 << 16
#: The largest shift of a window whose scale was not seen (RFC 7323 §2.3).
LARGEST_SCALE = 14
#: The scale of a SYN that offers none.
UNSCALED = -1

_NEVER: Mapping[State, int] = {}
_BEHIND_FIN = frozenset((State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING))


class Asked(Enum):
    """What an end's last segment asks the other end to answer."""

    KEEP_ALIVE = auto()
    ZERO_WINDOW_PROBE = auto()
    REPEATED_SYN = auto()
    REPEATED_SYN_ACK = auto()
    RESET = auto()  # one that may not be trusted
    SYN = auto()  # one in a connection that is established


class Gap(Struct, gc=False):
    """A hole in what was seen of an end, from ``seq`` up to ``end``.

    With the time, TSval and IP identification of the first segment seen beyond it.
    """

    seq: int
    end: int
    time: int
    timestamp: int | None
    identification: int


class HeldAck(Struct, gc=False):
    """A delayed ACK: how long it ``took``, and when it arrived."""

    took: int
    time: int


class FastSent(Struct, gc=False):
    """The last fast retransmission: its first number and time."""

    seq: int
    time: int


class Forged(Struct, gc=False):
    """A forged RST or SYN in an end's name, in a rung and with a raw number; the end had sent up to
    ``next``."""

    asked: Asked
    next: int
    number: int
    seq: int


class Believed(Struct, gc=False):
    """A SYN that a wire forged, and that an end took for its peer's: its raw number, its rung."""

    isn: int
    number: int


class Expired(Struct, gc=False):
    """The last retransmission by timer: its first number and its time.

    ``duplicates``: how many duplicate ACKs its sender had received by then.
    """

    seq: int
    time: int
    duplicates: int


class Unheard(Struct, gc=False):
    """An ACK that has not reached the peer: its rung, its number, and whether it was lost."""

    number: int
    ack: int
    lost: bool = False


class Brought(Struct, gc=False):
    """A segment that has arrived: sequence numbers ``seq`` up to ``end``, and its rung."""

    seq: int
    end: int
    number: int


class Heard(Struct, gc=False):
    """What of an end has reached the peer, on a wire that knows: its ACKs and windows, named as in
    ``Half``, and its data.

    Args:
        unheard: the last ACKs beyond ``ack`` that were sent, and have not arrived.
        brought: what has arrived and is not acknowledged, in order of arrival.
        overtaken: the rung that first overtook an ACK, by that one's rung; of the last such ACKs.
    """

    ack: int | None = None
    ack_time: int = 0
    ack_rung: int | None = None
    duplicates: int = 0
    sack: tuple[tuple[int, int], ...] = ()
    window: int | None = None
    unheard: tuple[Unheard, ...] = ()
    brought: list[Brought] = []
    overtaken: dict[int, int] = {}


class ResetSent(Struct, gc=False):
    """Why an end first reset the connection, and when it last did."""

    why: Fact
    time: int


@dataclass(slots=True)
class Half:
    """One end, as seen from outside.

    Sequence numbers are relative: what an end sends counts from its own ISN, what it acknowledges
    from the peer's. Times are nanoseconds since the epoch, durations nanoseconds. Fields read for
    every segment are here; rare ones that belong together are in records.

    Args:
        endpoint: its address.
        state, state_since: its state, and since when.
        spent: how long it was in each earlier state, but UNKNOWN and LISTEN.
        passive: whether it is believed to have opened passively, by listening.

        isn: its raw initial sequence number.
        syn_seen: whether its SYN was seen.
        syn_data, syn_cookie: bytes of data on its SYN, and whether it had a Fast Open cookie.
        verified: whether its SYN had a right checksum, so that a wrong one means something; None
            where that cannot be told.
        tried, whole: the length of its longest data whose checksum was looked at, and of the
            longest that had a right one: a capture may blank or cut what is longer.
        syn_ecn: the ECN bits of its SYN: AE, CWR and ECE.
        answered: whether it has ever answered a SYN with its own, even in an attempt that is over.
        mss: the maximum segment size it announced.
        scale: the shift count it offered, ``UNSCALED`` if none, None where that is not known.
        shift, shift_known: by how many bits its window is shifted: ``scale`` if both ends offered
            one, or 0; and whether that is known.
        tap_rtt: the handshake's round trip from the tap to it, 0 where that is not known.

        next, next_time: one past the highest sequence number it has used (SND.NXT), 0 where none is
            known; and when that last advanced.
        acked, acked_rung: up to where the peer has acknowledged what it sent (SND.UNA), and the
            rung that brought this ACK.
        flight: its unacknowledged segments.
        fin: the sequence number of its FIN.
        seen: which of its bytes were seen or acknowledged.
        unseen: which of its bytes were not seen before they were acknowledged, or lie before the
            first number seen.
        gaps: the last holes in what was seen of it, in order.
        recover: one past what it had sent when it last began to send again: until that is
            acknowledged it recovers from a loss (RFC 6582's recover).
        probed: the rung of its last tail-loss probe.
        fast: its last fast retransmission.
        expired: what its timer last sent again.
        doubt_from, doubt_to: an ACK beyond the first and up to the second gives no round-trip time:
            its arrival depended on loss recovery or reordering (RFC 6298 §3).

        ack, ack_time: the last acknowledgment number it sent, and when that last reached the peer.
        ack_rung: the rung of the first segment with that ``ack``.
        ack_packet: the IP identification of the packet that brought that ACK last.
        duplicates: how many times it has repeated that ACK.
        received, fin_received: which of the peer's bytes it has, and whether it has the FIN.
        late: the rung of an old segment that has come behind the peer's FIN, not answered yet.
        sack: the SACK blocks of its last ACK.
        window: its last window, as in the header, and a SYN's as if it were scaled; None before the
            first.
        no_room_time: when it last said that it has no room, or was sent something despite that; -1
            before the first time.
        heard: which of this has reached the peer; None where segments are assumed to arrive.
        ts_recent: the newest TSval it sent in order (RFC 7323's TS.Recent at its peer).
        ce_counted: how many marked packets it has counted, modulo 8; None without AccECN.

        asked, asked_time: the answer that its last segment asks for; and when it last sent a
            keep-alive or a probe, or its SYN arrived.
        forged: a forged RST or SYN in its name that is not answered yet.
        believed: the forged SYN that it took for its peer's.
        late_ack: its last ACK that came behind a newer one: its rung and its number.
        held: the delayed ACK that its last small segment may have waited for.
        reset: its reset, None if it sent none.

        segments, retransmissions, resets: how many it sent.
        volume: distinct payload bytes it sent.
        rtt: the round-trip times of the ACKs it got; None before the first that tells one.
    """

    endpoint: Endpoint
    state: State = State.CLOSED
    passive: bool = False
    state_since: int | None = None
    spent: Mapping[State, int] = field(default_factory=lambda: _NEVER)
    # What its SYN said.
    isn: int | None = None
    syn_seen: bool = False
    syn_data: int = 0
    syn_cookie: bool = False
    verified: bool | None = None
    tried: int = 0
    whole: int = 0
    syn_ecn: int = 0
    answered: bool = False
    mss: int | None = None
    scale: int | None = None
    shift: int = 0
    shift_known: bool = False
    tap_rtt: int = 0
    # What it sent.
    next: int = 0
    next_time: int = 0
    acked: int | None = None
    acked_rung: int | None = None
    flight: Flight = field(default_factory=Flight)
    fin: int | None = None
    seen: Ranges = field(default_factory=Ranges)
    unseen: tuple[tuple[int, int], ...] = (BEFORE,)
    gaps: tuple[Gap, ...] = ()
    recover: int | None = None
    probed: int | None = None
    fast: FastSent | None = None
    expired: Expired | None = None
    doubt_from: int = 0
    doubt_to: int = 0
    # What it acknowledged, and what else it said as a receiver.
    ack: int | None = None
    ack_time: int = 0
    ack_rung: int | None = None
    ack_packet: int = 0
    duplicates: int = 0
    received: Ranges = field(default_factory=Ranges)
    fin_received: bool = False
    late: int | None = None
    sack: tuple[tuple[int, int], ...] = ()
    window: int | None = None
    no_room_time: int = -1
    heard: Heard | None = None
    ts_recent: int | None = None
    ce_counted: int | None = None
    # What is open between the two ends.
    asked: Asked | None = None
    asked_time: int = 0
    forged: Forged | None = None
    believed: Believed | None = None
    late_ack: tuple[int, int] | None = None
    held: HeldAck | None = None
    reset: ResetSent | None = None
    # Totals.
    segments: int = 0
    volume: int = 0
    retransmissions: int = 0
    resets: int = 0
    rtt: Spread | None = None

    def meet(self, event: Event, time: int) -> None:
        """Change the state by an event, as the table says."""
        following = TABLE[self.state].get(event)
        if following is None:
            return
        known = self.state not in UNANSWERED  # it listened before the SYN came, or never did
        if known and self.state_since is not None and time > self.state_since:
            spent, state = time - self.state_since, self.state
            if event is Event.SEND_FIN_BEFORE_THEIRS:  # it never was in CLOSE-WAIT
                state = State.ESTABLISHED
            self.spent = {**self.spent, state: self.spent.get(state, 0) + spent}
        self.state, self.state_since = following, time

    def begin_again(self, peer: Half) -> None:
        """Forget a finished attempt, or an earlier connection."""
        self.isn = self.ack = self.ack_rung = self.fin = None
        self.next = 0
        self.acked = self.acked_rung = peer.acked_rung = None
        self.ts_recent = peer.acked = peer.ack = peer.ack_rung = None
        self.duplicates = peer.duplicates = 0
        self.syn_seen = self.fin_received = peer.fin_received = False
        self.late_ack = self.believed = None
        self.recover = self.asked = self.forged = self.held = self.fast = self.expired = None
        if self.heard is not None:
            self.heard, peer.heard = Heard(), Heard()
        self.sack = peer.sack = ()
        self.late = peer.late = None
        self.scale = None
        self.seen, self.received, peer.received = Ranges(), Ranges(), Ranges()
        self.doubt_from, self.doubt_to, self.unseen, self.gaps = 0, 0, (BEFORE,), ()
        self.flight.clear()

    def doubt(self, first: int, end: int) -> None:
        """Measure no round-trip time by an ACK of this range, or of one still open before it."""
        settled = (self.acked or 0) >= self.doubt_to
        self.doubt_from = first if settled else min(self.doubt_from, first)
        self.doubt_to = max(self.doubt_to, end)

    def gap(self, seq: int) -> Gap | None:
        """The hole that ``seq`` is or was in, if it is remembered."""
        for gap in reversed(self.gaps):
            if gap.seq <= seq < gap.end:
                return gap
        return None

    @property
    def room(self) -> int:
        """How many bytes its window has room for, estimated generously."""
        shift = self.shift if self.shift_known else LARGEST_SCALE
        return max((self.window or 0) << shift, LEAST_WINDOW)

    def accepts(self, ack: int, sender: Half | None = None) -> bool:
        """Whether an ACK counts here, while this end may wait for the ACK of its SYN.

        Then it must be ISS < ack <= SND.NXT; any other is answered by a RST and changes nothing
        (RFC 9293 §3.10.7.3 and §3.10.7.4). In a later state every ACK counts.
        """
        if self.state is not State.SYN_SENT and self.state is not State.SYN_RECEIVED:
            return True
        if ack <= 0:
            return False
        unseen = sender.room if sender is not None and self.state is State.SYN_RECEIVED else 0
        return not self.next or ack <= self.next + unseen

    def drops(self, segment: Segment) -> bool:
        """Whether its peer drops a segment that was garbled on its way, as its checksum tells.

        That of its SYN was right, so here they are filled in; and where there are data, those as
        long as these were whole.
        """
        if not self.verified or segment.length > self.whole:
            return False
        return segment.sound() is False

    def takes_reset(self, seq: int, ack: int | None, *, sack: bool = True) -> bool:
        """Whether this end acts on a RST.

        In SYN-SENT it must acknowledge the SYN; later it must have exactly the next sequence
        number, otherwise it gets a challenge ACK or is dropped (RFC 9293 §3.10.7.3, RFC 5961
        §3). Linux takes two more (``tcp_validate_incoming``): behind a FIN the FIN's number, since
        the peer had closed, and answers what was sent before its FIN came; and where something is
        missing, one past all that has come, which is what a peer that aborts would send. For that
        both ends must agree on ``sack``.
        """
        if self.state is State.SYN_SENT:
            return ack is not None and self.accepts(ack)
        if self.state is State.SYN_RECEIVED and seq == self.ack:
            return True
        expected, islands = self.received.up_to, self.received.islands
        if islands and sack and seq == islands[-1][1]:
            return True
        return expected in (None, seq) or (expected == seq + 1 and self.state in _BEHIND_FIN)

    @property
    def synchronized(self) -> bool:
        """Whether its SYN is known, and more came behind it or it is acknowledged: another SYN is
        not its own."""
        believed = self.next > 1 or self.acked is not None
        return self.syn_seen and self.state not in OPENING and believed
