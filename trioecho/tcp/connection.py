"""One connection as an observer sees it: two ``Half``s, and what was sent and what arrived.

A segment is told in two steps, ``sent`` and ``arrived``. A tap at one place learns both from one
frame and says ``seen``; a wire of our own tells each at its time, and never tells ``arrived`` of a
segment it dropped. The connection never raises on what the wire did.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from trioecho.model import (
    FIN,
    RST,
    SYN,
    ConnectionSummary,
    Endpoint,
    Rung,
    Segment,
    State,
)
from trioecho.tcp import notes, steps
from trioecho.tcp.half import Half
from trioecho.tcp.notes import Note
from trioecho.tcp.sequence import relative
from trioecho.tcp.states import Event
from trioecho.tcp.verdicts import judge

_AGAIN = (notes.Retransmission, notes.FastRetransmission, notes.SpuriousRetransmission)


class Connection:
    """A TCP connection between two endpoints.

    Args:
        number: its number in the trace, from 1.
        client, server: its endpoints.
        opening: whether it is seen from before its first SYN; if not, both ends are taken to be
            ESTABLISHED already.
    """

    def __init__(
        self, number: int, client: Endpoint, server: Endpoint, *, opening: bool = True
    ) -> None:
        self.number = number
        self.client = Half(client, State.CLOSED if opening else State.ESTABLISHED)
        self.server = Half(server, State.LISTEN if opening else State.ESTABLISHED, passive=True)
        self.first_syn: int | None = None
        self.last_syn = 0
        self.initial_rtt: int | None = None
        self.handshake_time: int | None = None
        self.first_fin: Half | None = None
        self.closed_by: Literal["fin", "rst"] | None = None
        self.offload_said: set[type[Note]] = set()

    def halves(self, segment: Segment) -> tuple[Half, Half]:
        """The half that sent a segment, and the other."""
        if segment.source == self.client.endpoint:
            return self.client, self.server
        return self.server, self.client

    def seen(self, segment: Segment, number: int) -> Rung:
        """A segment seen by a tap, which takes it to have arrived as soon as it was sent.

        Args:
            segment: the segment.
            number: the rung's number.

        Returns:
            The rung, with both states after the segment.
        """
        mine, theirs = self.halves(segment)
        seq, ack = _place(segment, mine, theirs)
        found = self._send(segment, number, seq, ack, mine, theirs)
        self._arrive(found, segment, segment.frame.time, seq, ack, mine, theirs)
        return self._rung(segment, number, seq, ack, mine, theirs, found, lost=False)

    def sent(self, segment: Segment, number: int) -> Rung:
        """One end has sent a segment, which may never arrive.

        Returns:
            The rung as long as nothing arrives: ``lost`` is set. Give it to ``arrived`` later.
        """
        mine, theirs = self.halves(segment)
        seq, ack = _place(segment, mine, theirs)
        found = self._send(segment, number, seq, ack, mine, theirs)
        return self._rung(segment, number, seq, ack, mine, theirs, found, lost=True)

    def arrived(self, rung: Rung, time: int) -> Rung:
        """A segment that was ``sent`` has arrived at the other end.

        Args:
            rung: what ``sent`` returned for it.
            time: when it arrived, nanoseconds since the epoch.

        Returns:
            The rung, with both states after the arrival.
        """
        mine, theirs = self.halves(rung.segment)
        found = list(rung.notes)
        self._arrive(found, rung.segment, time, rung.seq, rung.ack, mine, theirs)
        return replace(
            rung,
            client_state=self.client.state,
            server_state=self.server.state,
            notes=tuple(found),
            lost=False,
        )

    def summary(self) -> ConnectionSummary:
        """What the connection has come to so far."""
        client, server = self.client, self.server
        return ConnectionSummary(
            self.number,
            client.endpoint,
            server.endpoint,
            self.handshake_time,
            client.bytes,
            server.bytes,
            client.segments,
            server.segments,
            client.retransmissions + server.retransmissions,
            self.closed_by,
        )

    def _send(
        self, segment: Segment, number: int, seq: int, ack: int | None, mine: Half, theirs: Half
    ) -> list[Note]:
        found = judge(segment, seq, ack, mine, theirs, self.initial_rtt)
        again = any(isinstance(note, _AGAIN) for note in found)
        if ack is not None:
            _evidence(segment, ack, mine, theirs)
        if segment.flags & (SYN | FIN | RST):
            self._control(found, segment, seq, ack, mine, theirs, again)
        if segment.length and not again:
            found.append(notes.Data(segment.length, segment.length - len(segment.payload)))
        steps.offload(found, segment, mine, theirs, self)
        _remember(found, segment, number, seq, ack, mine, theirs, again)
        return found

    def _control(
        self,
        found: list[Note],
        segment: Segment,
        seq: int,
        ack: int | None,
        mine: Half,
        theirs: Half,
        again: bool,
    ) -> None:
        """SYN, FIN and RST leave the sender."""
        flags = segment.flags
        if flags & RST:
            found.append(notes.ConnectionRst(steps.reset_cause(seq, ack, mine, theirs)))
            mine.meet(Event.SEND_RST)
            return
        if flags & SYN:
            if ack is None:
                mine.passive = False
            mine.meet(Event.SEND_SYN if ack is None else Event.SEND_SYN_ACK)
            mine.syn_seen = True
            mine.mss = segment.options.mss
            mine.scale = segment.options.window_scale
            if self.first_syn is None:
                self.first_syn = segment.frame.time
            if ack is None:
                self.last_syn = segment.frame.time
                mine.syn_data = segment.length
            if not again:
                crossed = theirs.syn_seen
                found.append(
                    notes.ConnectionSyn(crossed) if ack is None else notes.ConnectionSynack()
                )
            steps.fast_open(found, segment, ack, theirs)
        if flags & FIN:
            before_theirs = theirs.fin is not None and (ack is None or ack <= theirs.fin)
            if not again:
                step, answers = steps.fin_step(ack, mine, theirs, self.first_fin)
                found.append(notes.ConnectionFin(step, answers, before_theirs))
            if mine.state is State.CLOSE_WAIT and before_theirs:
                mine.meet(Event.SEND_FIN_BEFORE_THEIRS)
            else:
                mine.meet(Event.SEND_FIN)
            mine.fin = seq + segment.space - 1
            self.first_fin = self.first_fin or mine

    def _arrive(
        self,
        found: list[Note],
        segment: Segment,
        time: int,
        seq: int,
        ack: int | None,
        mine: Half,
        theirs: Half,
    ) -> None:
        """A segment of ``mine`` reaches ``theirs``: RFC 9293 §3.10.7.4's order, RST to FIN."""
        if segment.flags & RST:
            if steps.takes_reset(seq, ack, theirs):
                listening = theirs.passive and theirs.state is State.SYN_RECEIVED
                theirs.meet(Event.RECEIVE_RST_PASSIVE if listening else Event.RECEIVE_RST)
                self.closed_by = self.closed_by or "rst"
            return
        if ack is not None and ack < 1 and theirs.state is State.SYN_SENT:
            return  # it acknowledges another SYN than ours: not acceptable, §3.10.7.3
        if ack is not None and ack >= 1 and theirs.state is State.SYN_RECEIVED:
            theirs.meet(Event.RECEIVE_ACK_OF_SYN)
        if segment.flags & SYN:
            theirs.meet(Event.RECEIVE_SYN if ack is None else Event.RECEIVE_SYN_ACK)
        if ack is not None:
            if theirs.fin is not None and ack > theirs.fin:
                theirs.meet(Event.RECEIVE_ACK_OF_FIN)
            steps.acknowledge(found, segment, time, ack, mine, theirs, self.first_fin)
        if segment.space:
            theirs.take(seq, seq + segment.space)
        _take_fin(theirs, mine)
        if self.closed_by is None and mine.fin_received and theirs.fin_received:
            self.closed_by = "fin"
        if (
            self.handshake_time is None
            and self.first_syn is not None
            and mine.state is theirs.state is State.ESTABLISHED
        ):
            self.handshake_time = time - self.first_syn
            self.initial_rtt = time - self.last_syn
            found.append(notes.HandshakeComplete(self.handshake_time))

    def _rung(
        self,
        segment: Segment,
        number: int,
        seq: int,
        ack: int | None,
        mine: Half,
        theirs: Half,
        found: list[Note],
        *,
        lost: bool,
    ) -> Rung:
        return Rung(
            number,
            self.number,
            "client" if mine is self.client else "server",
            segment,
            seq,
            ack,
            segment.window
            if segment.flags & SYN or mine.scale is None or theirs.scale is None
            else segment.window << mine.scale,
            self.client.state,
            self.server.state,
            tuple(found),
            lost,
        )


def _place(segment: Segment, mine: Half, theirs: Half) -> tuple[int, int | None]:
    """Relative seq and ack; the first segment of each end tells, or lets us guess, its ISN.

    Where the SYN was not seen, the first number seen becomes 1, as if a SYN had come before it.
    """
    if mine.isn is None:
        mine.isn = segment.seq if segment.flags & SYN else segment.seq - 1
    elif segment.flags & SYN and not mine.syn_seen and mine.isn & 0xFFFFFFFF != segment.seq:
        mine.isn = segment.seq  # what was guessed before was wrong
        mine.next = mine.contiguous = None
        mine.sent.clear()
    seq = relative(segment.seq, mine.isn, mine.next or 0)
    if segment.ack is None:
        return seq, None
    if theirs.isn is None:
        theirs.isn = segment.ack - 1
    near = theirs.next if theirs.next is not None else mine.ack or 0
    return seq, relative(segment.ack, theirs.isn, near)


def _evidence(segment: Segment, ack: int, mine: Half, theirs: Half) -> None:
    """What an end acknowledges has arrived there, whether we saw it arrive or not."""
    if mine.state is State.SYN_SENT and ack >= 1 and not segment.flags & (SYN | RST):
        mine.meet(Event.RECEIVE_SYN_ACK)
    if mine.received is None or ack > mine.received:
        mine.advance(ack)
        _take_fin(mine, theirs)


def _take_fin(mine: Half, theirs: Half) -> None:
    """Once everything up to the peer's FIN is here, the FIN is processed (RFC 9293 §3.10.7.4)."""
    if theirs.fin is None or mine.fin_received:
        return
    if mine.received is not None and mine.received > theirs.fin:
        mine.fin_received = True
        mine.meet(Event.RECEIVE_FIN)


def _remember(
    found: list[Note],
    segment: Segment,
    number: int,
    seq: int,
    ack: int | None,
    mine: Half,
    theirs: Half,
    again: bool,
) -> None:
    """Bring the sender's half up to date, when all that is said of the segment has been said."""
    now = segment.frame.time
    end = seq + segment.space
    probe = duplicate = False
    mine.asked = ""
    for note in found:
        match note:
            case notes.ZeroWindowProbe():
                probe = True
                mine.asked = note.kind
            case notes.KeepAlive():
                mine.asked = note.kind
            case notes.DuplicateAck():
                duplicate = True
            case notes.OutOfOrder():
                mine.bytes += segment.length
            case notes.AckLostSegment():
                theirs.contiguous = theirs.next
    mine.segments += 1
    mine.retransmissions += again
    if segment.space:
        mine.remember(seq, end, number, now)
    if not probe:
        if mine.next is None:
            mine.bytes += segment.length
        elif end > mine.next:
            mine.bytes += min(segment.length, end - mine.next)
        if mine.next is None or end > mine.next:
            mine.next, mine.next_time, mine.next_number = end, now, number
        if mine.contiguous is None or seq == mine.contiguous:
            mine.contiguous = mine.next
    if ack is not None:
        if duplicate:
            mine.duplicates += 1
        elif ack != mine.ack:
            mine.duplicates, mine.ack_number, mine.outrun = 0, number, False
        mine.ack, mine.ack_time = ack, now
        isn = theirs.isn or 0
        mine.sack = tuple(
            (relative(left, isn, ack), relative(right, isn, ack))
            for left, right in segment.options.sack
        )
    mine.window = segment.window
