"""What an observer knows of one end of a connection."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from msgspec import Struct

from trioecho.model import SYN, Endpoint, Segment, State
from trioecho.model.ranges import Ranges
from trioecho.model.spread import Spread
from trioecho.tcp.notes import ResetCause
from trioecho.tcp.states import TABLE, Event

#: Unacknowledged segments kept at most for one end, and bytes of payload kept with them.
MOST_SENT, MOST_KEPT = 10_000, 1 << 20
#: Of what one segment repeats, so many are marked from each of its ends. It takes a segment of tiny
#: ones to repeat more, and no more than a header to claim that it repeats all.
MOST_MARKED = 128
#: Segments remembered of those that were sent more than once: they may come yet another time.
MOST_LATEST = 64
#: What may have been sent before the first number that was seen.
BEFORE = (-(1 << 31), 1)

_seq, _end = attrgetter("seq"), attrgetter("end")
_NEVER: Mapping[State, int] = {}


class Sent(Struct, gc=False):
    """A segment sent: its sequence space from ``seq`` up to ``end``, the rung that first
    carried it, when that was, the IP packet's identification, its payload if it is kept, whether
    it has been sent again, and whether it is not its sender's but a copy made on its way."""

    seq: int
    end: int
    number: int
    time: int
    identification: int = 0
    payload: bytes = b""
    repeated: bool = False
    copied: bool = False


class Latest(list[Sent]):
    """The last segments that were put in, at most 64. Empty it takes a tenth of a deque's memory,
    and a capture may have a million connections that never come to a second segment."""

    __slots__ = ()

    def append(self, one: Sent) -> None:
        """Put in one, and let go of the first of too many."""
        super().append(one)
        if len(self) > MOST_LATEST:
            del self[0]


class Gap(Struct, gc=False):
    """A hole in what was seen of an end, from ``seq`` up to ``end``, and of the segment that was
    seen beyond it first: when that was, its TSval, its IP packet's identification."""

    seq: int
    end: int
    time: int
    timestamp: int | None
    identification: int


@dataclass(slots=True)
class Half:
    """One end, as seen from outside.

    All sequence numbers are relative: what it sends counts from its own ISN, what it acknowledges
    from the peer's. What it offered and asked stands here; what it did is added up in the totals.

    Args:
        endpoint: its address.
        state: its state, since ``state_since``; ``spent`` are nanoseconds in each state before.
        passive: whether it is believed to have opened passively, by listening.
        isn: its raw initial sequence number.
        next: one past the highest sequence number it has used (SND.NXT, as far as was seen).
        next_time: when ``next`` was last advanced.
        seen: which part of what it sent has been seen, or was acknowledged.
        unseen: what was not seen by the time it was acknowledged, or lies before the first number
            that was seen.
        sent: what it sent that is not acknowledged yet, in order of sequence; ``kept`` bytes of
            payload with it.
        gone: the last of them that were sent again before they were acknowledged.
        repeats: the last segments it sent again, in their order.
        ends: its SYN and its FIN, also when they are acknowledged.
        gaps: the last holes in what was seen of it, in their order.
        fin: the sequence number of its FIN.
        ack: the last acknowledgment number it sent (RCV.NXT, as it told).
        ack_time: when the last one arrived at the other end, and could have a consequence there.
        ack_number: the rung of the first segment with that ``ack``.
        acked: up to where the peer has acknowledged what it sent (SND.UNA).
        duplicates: how often it has repeated that ACK.
        ack_packet: the identification of the IP packet that brought that ACK last.
        full_time: when it last told that it has no room, or was sent something all the same.
        window: the last window it told, as it stands in the header; None before the first.
        scale: the shift count it offered, None if it offered none.
        syn_seen: whether its SYN was seen, so that ``scale`` is known.
        answered: whether it has ever answered a SYN with its own, be that attempt over or not.
        syn_data: bytes of data that came with its SYN; ``cookie``: and a Fast Open cookie.
        ecn: the ECN bits of its SYN: AE, CWR and ECE.
        marked: how many marked packets it has counted, modulo 8; None if it does not (AccECN).
        mss: the maximum segment size it told.
        timestamp: the newest TSval it sent in order (RFC 7323's TS.Recent at its peer).
        sack: the SACK blocks of its last ACK.
        asked: the kind of its last segment when that asks for an answer: ``keep-alive``,
            ``zero-window-probe``, ``repeated-syn``, ``repeated-syn-ack``, or ``reset`` and ``syn``
            where neither can be meant; ``asked_time``: when it sent the last of the first two, or
            its SYN arrived.
        forged: ``reset`` or ``syn`` when another sent one in its name that is not answered yet; the
            answer acknowledges no more than ``forged_next``, up to where it had sent by then.
        recover: one past what it had sent when it last began to send again: until that is
            acknowledged it recovers from a loss (RFC 6582's recover).
        clear, unclear: beyond the one and up to the other an ACK tells no round-trip time: when it
            came was decided by the repair of a loss, or by what was overtaken (RFC 6298 §3).
        fast: what it last sent again because duplicate ACKs asked; ``fast_time``: when.
        held: how long the ACK took that its last small segment waited for, while it was small;
            ``held_time``: when that ACK arrived.
        received: which part of the peer's stream it has.
        fin_received: whether the peer's FIN has arrived in order.
        away: how long the handshake took from here to it and back, 0 where that is not known.
        cut: why it first reset the connection, None if it has not; ``cut_time``: when it last did.
        segments, retransmissions, resets: how many it sent.
        volume: distinct bytes of payload it sent.
        rtt: the round-trip times of the ACKs it got.
    """

    endpoint: Endpoint
    state: State = State.CLOSED
    passive: bool = False
    isn: int | None = None
    next: int | None = None
    next_time: int = 0
    seen: Ranges = field(default_factory=Ranges)
    unseen: tuple[tuple[int, int], ...] = (BEFORE,)
    sent: list[Sent] = field(default_factory=list)
    kept: int = 0
    gone: Latest = field(default_factory=Latest)
    repeats: Latest = field(default_factory=Latest)
    ends: tuple[Sent, ...] = ()
    gaps: tuple[Gap, ...] = ()
    fin: int | None = None
    ack: int | None = None
    ack_time: int = 0
    ack_number: int | None = None
    acked: int | None = None
    duplicates: int = 0
    ack_packet: int = 0
    full_time: int = 0
    window: int | None = None
    scale: int | None = None
    syn_seen: bool = False
    answered: bool = False
    syn_data: int = 0
    cookie: bool = False
    ecn: int = 0
    marked: int | None = None
    mss: int | None = None
    timestamp: int | None = None
    sack: tuple[tuple[int, int], ...] = ()
    asked: str = ""
    asked_time: int = 0
    forged: str = ""
    forged_next: int = 0
    recover: int = 0
    clear: int = 0
    unclear: int = 0
    fast: int | None = None
    fast_time: int = 0
    held: int = 0
    held_time: int = 0
    received: Ranges = field(default_factory=Ranges)
    fin_received: bool = False
    away: int = 0
    cut: ResetCause | None = None
    cut_time: int = 0
    state_since: int | None = None
    spent: Mapping[State, int] = field(default_factory=lambda: _NEVER)
    segments: int = 0
    volume: int = 0
    retransmissions: int = 0
    resets: int = 0
    rtt: Spread = field(default_factory=Spread)

    def meet(self, event: Event, time: int) -> None:
        """Let an event change the state as the table says."""
        following = TABLE[self.state].get(event)
        if following is None:
            return
        if self.state_since is not None and time > self.state_since:
            spent = time - self.state_since
            self.spent = {**self.spent, self.state: self.spent.get(self.state, 0) + spent}
        self.state, self.state_since = following, time

    def begin_again(self, peer: Half) -> None:
        """An attempt is over, or what was seen belongs to another: it counts no more.

        Args:
            peer: the other end, which keeps its own numbers.
        """
        self.isn = self.next = self.ack = self.ack_number = self.acked = self.fin = None
        self.timestamp = peer.acked = peer.ack = peer.ack_number = None
        self.duplicates = peer.duplicates = self.recover = self.held = self.kept = 0
        self.syn_seen = self.fin_received = peer.fin_received = False
        self.asked = self.forged = ""
        self.sack = peer.sack = ()
        self.seen, self.received, peer.received = Ranges(), Ranges(), Ranges()
        self.clear, self.unclear, self.unseen, self.fast = 0, 0, (BEFORE,), None
        self.ends, self.gaps = (), ()
        for kept in (self.sent, self.gone, self.repeats):
            kept.clear()

    def doubt(self, first: int, end: int) -> None:
        """Take no round-trip time from an ACK of this range, or of one doubted before and open yet.

        Args:
            first, end: the range's first number, and one past its last.
        """
        self.clear = first if (self.acked or 0) >= self.unclear else min(self.clear, first)
        self.unclear = max(self.unclear, end)

    def original(self, seq: int) -> Sent | None:
        """The segment that first carried sequence number ``seq``, as far as it is remembered."""
        for sent in self.within(seq, seq + 1):
            return sent
        known: tuple[Sent, ...] = (*self.gone, *reversed(self.ends))
        return next((sent for sent in known if sent.seq <= seq < sent.end), None)

    def gap(self, seq: int) -> Gap | None:
        """The hole that ``seq`` lies in, or lay in, as far as it is remembered."""
        for gap in reversed(self.gaps):
            if gap.seq <= seq < gap.end:
                return gap
        return None

    def within(self, seq: int, end: int) -> Iterator[Sent]:
        """What is kept of a range, in order; looked up, since there may be much in flight.

        Args:
            seq, end: the range's first number, and one past its last.
        """
        first, beyond = self._places(seq, end)
        yield from self.sent[first:beyond]

    def _places(self, seq: int, end: int) -> tuple[int, int]:
        """Where in ``sent`` a range begins, and where what lies beyond it does."""
        first = bisect_right(self.sent, seq, key=_end)
        return first, bisect_left(self.sent, end, first, key=_seq)

    def keep(self, seq: int, end: int, number: int, time: int, segment: Segment) -> None:
        """Keep a segment beyond all others until it is acknowledged.

        Args:
            seq, end: the sequence space it takes.
            number, time: its rung, and when it was sent.
            segment: the segment.
        """
        if len(self.sent) >= MOST_SENT:
            return
        payload = b"" if segment.flags & SYN else segment.payload  # on a SYN it stands one behind
        if self.kept + len(payload) > MOST_KEPT:
            payload = b""
        self.sent.append(Sent(seq, end, number, time, segment.identification, payload))
        self.kept += len(payload)

    def remember(self, seq: int, end: int, number: int, time: int, segment: Segment) -> None:
        """Keep a segment in its place until it is acknowledged; repeated, it keeps its first rung.

        Args: as for ``keep``.
        """
        sent = self.sent
        if self.acked is not None and end <= self.acked:
            return
        if not sent or sent[-1].end <= seq:
            self.keep(seq, end, number, time, segment)
            return
        first, beyond = self._places(seq, end)
        repeated = first < beyond
        if repeated:
            for other in sent[first : min(beyond, first + MOST_MARKED)]:
                other.repeated = True
            for other in sent[max(first, beyond - MOST_MARKED) : beyond]:
                other.repeated = True
        if len(sent) >= MOST_SENT:
            return
        new = sent[-1].end if repeated else seq
        if new >= end:
            return  # whole, it was sent before
        payload = b"" if segment.flags & SYN else segment.payload[new - seq :]
        if self.kept + len(payload) > MOST_KEPT:
            payload = b""
        at = len(sent) if repeated else first
        sent.insert(at, Sent(new, end, number, time, segment.identification, payload))
        self.kept += len(payload)

    def forget(self, ack: int) -> Sent | None:
        """Drop what ``ack`` covers.

        Returns:
            The last segment it covers whole, or None when it covers none.
        """
        last = None
        covered = payload = 0
        for one in self.sent:
            if one.end > ack:
                break
            last = one
            covered += 1
            payload += len(one.payload)
            if one.repeated:
                one.payload = b""
                self.gone.append(one)
        if covered:
            del self.sent[:covered]
            self.kept -= payload
        return last
