"""One connection as an observer sees it: two ``Half``s, and what was sent and what arrived.

A segment is told in two steps, ``sent`` and ``arrived``. A tap at one place learns both from one
frame and says ``seen``; a wire of our own tells each at its time, and never tells ``arrived`` of a
segment it dropped. The connection never raises on what the wire did.
"""

from __future__ import annotations

from copy import deepcopy
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
from trioecho.model.sequence import HALF, MASK, relative
from trioecho.tcp import control, knowledge, marks, notes, outcome, resets, steps
from trioecho.tcp.explain import explain
from trioecho.tcp.half import Half
from trioecho.tcp.states import Event
from trioecho.tcp.step import Step
from trioecho.tcp.verdicts import CONTROL, judge, ordinary, shift

_ESTABLISHED = State.ESTABLISHED
_TROUBLE = frozenset(notes.TROUBLE)


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
        self.opening = opening
        self.client = Half(client, State.CLOSED if opening else State.ESTABLISHED)
        self.server = Half(server, State.LISTEN if opening else State.ESTABLISHED, passive=True)
        self.start: int | None = None
        self.first_frame = 0
        self.end = 0
        self.underway = opening  # whether the handshake's last ACK is still to come
        self.first_syn: int | None = None
        self.last_syn = 0
        self.handshake_time: int | None = None
        self.initial_rtt: int | None = None
        self.first_fin: Half | None = None
        self.fins_crossed = False
        self.closed_by: Literal["fin", "rst"] | None = None
        self.troubles = 0
        self.first_trouble = ""
        self._said: set[str] | None = None

    def seen(self, segment: Segment, number: int) -> Rung:
        """A segment seen by a tap, which takes it to have arrived as soon as it was sent.

        Args:
            segment: the segment.
            number: the rung's number.

        Returns:
            The rung, with both states after the segment.
        """
        mine, theirs = self.halves(segment)
        step = self._send(segment, number, mine, theirs)
        self._arrive(step, segment.frame.time)
        return self._rung(step, lost=False)

    def noticed(self, segment: Segment, number: int) -> None:
        """As ``seen``, where no rung is wanted: one is made only where there may be trouble.

        Args:
            segment: the segment.
            number: the number of what would be its rung.
        """
        mine, theirs = self.halves(segment)
        step = self._send(segment, number, mine, theirs, told=False)
        self._arrive(step, segment.frame.time)
        if not step.expected:
            self._rung(step, lost=False)  # it counts the trouble

    def sent(self, segment: Segment, number: int, *, forged: bool = False) -> Rung:
        """One end has sent a segment, which may never arrive.

        Args:
            segment: the segment.
            number: the rung's number.
            forged: whether somebody else has sent it in that end's name, who knows nothing of it.

        Returns:
            The rung as long as nothing arrives: ``lost`` is set. Give it to ``arrived`` later.
        """
        mine, theirs = self.halves(segment)
        if forged:
            step = self._forge(segment, number, mine, theirs)
        else:
            step = self._send(segment, number, mine, theirs)
        return replace(self._rung(step, lost=True), moved=False)

    def arrived(self, rung: Rung, time: int) -> Rung:
        """A segment that was ``sent`` has arrived at the other end.

        Args:
            rung: what ``sent`` returned for it.
            time: when it arrived, nanoseconds since the epoch.

        Returns:
            The rung: its sender's state as it was sent, the other's as it has arrived.
        """
        segment = rung.segment
        mine, theirs = self.halves(segment)
        end = rung.seq + segment.space
        found = list(rung.notes)
        step = Step(segment, rung.number, rung.time, rung.seq, rung.ack, end, mine, theirs, found)
        before = theirs.state
        self._arrive(step, time)
        from_client = mine is self.client
        return replace(
            rung,
            client_state=rung.client_state if from_client else self.client.state,
            server_state=self.server.state if from_client else rung.server_state,
            notes=tuple(found),
            lost=False,
            arrived=time,
            moved=theirs.state is not before,
        )

    def summary(self) -> ConnectionSummary:
        """What the connection has come to so far."""
        return outcome.summary(self)

    def halves(self, segment: Segment) -> tuple[Half, Half]:
        """The half that sent a segment, and the other.

        Args:
            segment: one of this connection.

        Returns:
            The sender's half, and the receiver's.
        """
        if segment.source == self.client.endpoint:
            return self.client, self.server
        return self.server, self.client

    def _forge(self, segment: Segment, number: int, mine: Half, theirs: Half) -> Step:
        """What can be said of a segment that another sent in ``mine``'s name.

        Neither end is another for it, so it is tried on copies of them. A SYN opens nothing: here
        is a connection. Whoever gets it answers ``mine``, which is all that is to be remembered.
        """
        if segment.flags & SYN:
            seq = 0 if mine.isn is None else relative(segment.seq, mine.isn, mine.next or 0)
            ack = segment.ack
            if ack is not None:
                ack = relative(ack, theirs.isn or 0, theirs.next or 0)
            space = seq + segment.space
            step = Step(segment, number, segment.frame.time, seq, ack, space, mine, theirs, [])
            if theirs.state not in knowledge.OPENING:
                mine.forged, mine.forged_next = "syn", mine.next or 0
            return step
        step = self._send(segment, number, *deepcopy((mine, theirs)))
        if step.mine.asked == "reset":
            mine.forged, mine.forged_next = "reset", mine.next or 0
        step.mine, step.theirs = mine, theirs
        return step

    def _send(
        self, segment: Segment, number: int, mine: Half, theirs: Half, *, told: bool = True
    ) -> Step:
        """What can be said of a segment when it leaves its sender."""
        time = segment.frame.time
        flags, length = segment.flags, segment.length
        ack = segment.ack
        if mine.isn is None or theirs.isn is None or flags & SYN:
            knowledge.learn_isn(segment, mine, theirs)
        # ``sequence.relative`` written out: this is on the path of every segment, twice.
        near, isn = mine.next or 0, mine.isn or 0
        seq = near + ((segment.seq - isn - near + HALF) & MASK) - HALF
        if ack is not None:
            near = theirs.next if theirs.next is not None else mine.ack or 0
            ack = near + ((ack - (theirs.isn or 0) - near + HALF) & MASK) - HALF
        end = seq + length + (flags >> 1 & 1) + (flags & 1)
        step = Step(segment, number, time, seq, ack, end, mine, theirs, [], told)
        if self.start is None:
            self.start = mine.state_since = theirs.state_since = time
            self.first_frame = segment.frame.number
        self.end = time

        step.expected = ordinary(step)
        if not step.expected:
            judge(step, self.initial_rtt)
            step.again = step.again or any(map(knowledge.repeats, step.found))
            if step.again and segment.payload and mine.kept and not flags & SYN:
                steps.overlap(step)
        stamps = segment.options.timestamps
        if stamps is not None:
            if step.expected and mine.timestamp is not None and stamps[0] >= mine.timestamp:
                mine.timestamp = stamps[0]
            elif behind := marks.old_timestamp(segment, seq, mine, theirs):
                step.found.append(notes.Paws(behind))
                step.expected = False
        if ack is not None and ((had := mine.received.up_to) is None or ack > had):
            knowledge.evidence(step, ack)
        if flags & CONTROL:
            self._control(step)
        if length and not flags & RST and (not step.again or step.end > (mine.next or 0)):
            steps.data(step)
        if mine.sack:
            mine.sack = ()
        if segment.rare:
            from_client = segment.source == self.client.endpoint
            said = self._said or set()
            marks.look(step, said, from_client=from_client)
            self._said = said or None  # an empty set takes 216 bytes
        if not step.expected:
            knowledge.consequences(step)
            knowledge.remember(step)
        elif length:
            # In order: the general case of ``remember``, without its questions.
            mine.asked = ""
            mine.keep(seq, end, number, time, segment)
            mine.volume += length
            if mine.seen.up_to == seq:
                mine.seen.up_to = end
            else:
                mine.seen.add(seq, end)
            mine.next, mine.next_time = end, time
        else:
            mine.asked = ""
        mine.segments += 1
        if ack is not None and ack != mine.ack:
            mine.duplicates, mine.ack_number = 0, number
            mine.ack = ack
        mine.window = segment.window
        return step

    def _control(self, step: Step) -> None:
        """SYN, FIN and RST leave the sender."""
        mine, flags = step.mine, step.segment.flags
        if flags & RST:
            resets.reset(step)
            return
        if flags & SYN and not step.seq:
            if step.ack is None and not knowledge.is_copy(step):
                self.last_syn = step.time
                if self.first_syn is None and mine.acked is None:  # else its answer came before
                    self.first_syn = step.time
            elif self.first_syn == self.last_syn and not step.again:
                mine.away = step.time - self.last_syn
            if mine.state in (State.LISTEN, State.SYN_SENT):
                self.closed_by = None  # an attempt before may have been reset
            control.syn(step)
        if flags & FIN and knowledge.plausible(step):
            crossed = control.fin(step, self.first_fin)
            if mine.fin is None:
                mine.fin = step.end - 1
                self.fins_crossed = crossed
            self.first_fin = self.first_fin or mine

    def _arrive(self, step: Step, time: int) -> None:
        """A segment of ``mine`` reaches ``theirs``: RFC 9293 §3.10.7.4's order, RST to FIN."""
        mine, theirs, ack = step.mine, step.theirs, step.ack
        flags = step.segment.flags
        if not step.expected and knowledge.dropped(step):
            return
        if ack is not None:
            mine.ack_time = time
        if flags & RST:
            if resets.takes_reset(step.seq, ack, theirs):
                listening = theirs.passive and theirs.state is State.SYN_RECEIVED
                event = Event.RECEIVE_RST_PASSIVE if listening else Event.RECEIVE_RST
                theirs.meet(event, time)
                self.closed_by = self.closed_by or "rst"
                if listening:
                    theirs.begin_again(mine)
            return
        if ack is not None:
            if theirs.state is not _ESTABLISHED:
                if not knowledge.acceptable(ack, theirs, mine):
                    return
                if theirs.state is State.SYN_RECEIVED:
                    theirs.meet(Event.RECEIVE_ACK_OF_SYN, time)
                if flags & SYN:
                    theirs.meet(Event.RECEIVE_SYN_ACK, time)
                if theirs.fin is not None and ack > theirs.fin:
                    theirs.meet(Event.RECEIVE_ACK_OF_FIN, time)
            if theirs.acked is None or ack > theirs.acked:
                first = theirs.acked is None
                steps.acknowledge(
                    step, ack, time, self.first_fin, self.initial_rtt, self.fins_crossed
                )
                if first and self.underway:
                    self._open(step, time)
        elif flags & SYN:
            theirs.meet(Event.RECEIVE_SYN, time)
            mine.asked_time = time
        # Each SYN of this connection stands at 0; another one takes no place in its stream.
        if step.end > step.seq and not (flags & SYN and step.seq):
            received = theirs.received
            if step.seq == received.up_to and not received.islands:
                received.up_to = step.end
            else:
                received.add(step.seq, step.end)
        if mine.fin is not None:
            knowledge.take_fin(theirs, mine, time)
            if self.closed_by is None and mine.fin_received and theirs.fin_received:
                self.closed_by = "fin"

    def _open(self, step: Step, time: int) -> None:
        """A SYN is acknowledged for the first time; with the second the handshake is over."""
        if step.mine.state in knowledge.OPENING or step.theirs.state in knowledge.OPENING:
            return
        both = control.simultaneous(step.mine, step.theirs)
        if step.segment.flags & SYN and not both:
            return  # the second step, whatever came with the first
        self.underway = False
        if self.first_syn is not None:
            self.handshake_time = time - self.first_syn
            self.initial_rtt = time - self.last_syn
        if step.theirs.next == 1:
            step.mine.away = step.time - step.theirs.next_time
        step.found.append(notes.HandshakeComplete(self.handshake_time, both))

    def _rung(self, step: Step, *, lost: bool) -> Rung:
        segment, mine = step.segment, step.mine
        window = segment.window
        if not segment.flags & SYN:
            window <<= shift(mine, step.theirs)
        rung = Rung(
            step.number,
            self.number,
            "client" if mine is self.client else "server",
            segment,
            step.seq,
            step.ack,
            window,
            self.client.state,
            self.server.state,
            tuple(step.found),
            lost,
        )
        if not step.expected and not _TROUBLE.isdisjoint(map(type, step.found)):
            self._count_trouble(rung)
        return rung

    def _count_trouble(self, rung: Rung) -> None:
        self.troubles += 1
        if not self.first_trouble:
            first = next(note for note in rung.notes if type(note) in _TROUBLE)
            number = rung.segment.frame.number
            self.first_trouble = f"frame {number}: {explain(first, rung).text}"
