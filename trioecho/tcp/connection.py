"""One connection as an observer sees it: two ``Half``s, and what was sent and what arrived.

A segment is told in two steps, ``sent`` and ``arrived``. A tap at one place learns both from one
frame and says ``seen``; a wire of our own tells each at its time, and never tells ``arrived`` of a
segment it dropped. The connection never raises on what the wire did.
"""

from __future__ import annotations

from copy import deepcopy

from msgspec.structs import replace

from trioecho.model import FIN, RST, SYN, ConnectionSummary, Endpoint, Rung, Segment, State
from trioecho.model.sequence import HALF, MASK, relative
from trioecho.tcp import learn, outcome, rules
from trioecho.tcp.half import Asked, Forged, Half
from trioecho.tcp.history import History
from trioecho.tcp.rules import closing, data, opening
from trioecho.tcp.rules.marks import Paws
from trioecho.tcp.states import OPENING, Event
from trioecho.tcp.step import CONTROL, Seen

_ESTABLISHED = State.ESTABLISHED


class Connection(History):
    """A TCP connection between two endpoints.

    Args:
        number: its number in the trace, from 1.
        client, server: its endpoints.
        opening: whether it is seen from before its first SYN; if not, both ends are taken to be
            ESTABLISHED already.
    """

    __slots__ = ()

    def __init__(
        self, number: int, client: Endpoint, server: Endpoint, *, opening: bool = True
    ) -> None:
        super().__init__(
            number,
            Half(client, State.CLOSED if opening else State.ESTABLISHED),
            Half(server, State.LISTEN if opening else State.ESTABLISHED, passive=True),
            opening,
            underway=opening,
        )

    def seen(self, segment: Segment, number: int) -> Rung:
        """A segment seen by a tap, which takes it to have arrived as soon as it was sent.

        Args:
            segment: the segment.
            number: the rung's number.

        Returns:
            The rung, with both states after the segment.
        """
        mine, theirs = self.halves(segment)
        seen = self._send(segment, number, mine, theirs)
        self._arrive(seen, segment.frame.time)
        return self._rung(seen, lost=False)

    def noticed(self, segment: Segment, number: int) -> None:
        """As ``seen``, where no rung is wanted: one is made only where there may be trouble.

        Args:
            segment: the segment.
            number: the number of what would be its rung.
        """
        mine, theirs = self.halves(segment)
        seen = self._send(segment, number, mine, theirs, told=False)
        self._arrive(seen, segment.frame.time)
        if not seen.expected:
            self._rung(seen, lost=False)  # it counts the trouble

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
            seen = self._forge(segment, number, mine, theirs)
        else:
            seen = self._send(segment, number, mine, theirs)
        return replace(self._rung(seen, lost=True), moved=False)

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
        seen = Seen(
            segment, rung.number, rung.time, rung.seq, rung.ack, end, mine, theirs, self, found
        )
        before = theirs.state
        self._arrive(seen, time)
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
        """What is known of the connection so far."""
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

    def _forge(self, segment: Segment, number: int, mine: Half, theirs: Half) -> Seen:
        """What can be said of a segment that another sent in ``mine``'s name.

        It changes neither end, so it is tried on copies of them. A SYN opens nothing: here is a
        connection. Its receiver answers ``mine``, which is all that is remembered.
        """
        if segment.flags & SYN:
            seq = 0 if mine.isn is None else relative(segment.seq, mine.isn, mine.next or 0)
            ack = segment.ack
            if ack is not None:
                ack = relative(ack, theirs.isn or 0, theirs.next or 0)
            end = seq + segment.space
            time = segment.frame.time
            if theirs.state not in OPENING:
                mine.forged = Forged(Asked.SYN, mine.next or 0)
            return Seen(segment, number, time, seq, ack, end, mine, theirs, self, [])
        seen = self._send(segment, number, *deepcopy((mine, theirs)))
        if seen.mine.asked is Asked.RESET:
            mine.forged = Forged(Asked.RESET, mine.next or 0)
        seen.mine, seen.theirs = mine, theirs
        return seen

    def _send(
        self, segment: Segment, number: int, mine: Half, theirs: Half, *, told: bool = True
    ) -> Seen:
        """What can be said of a segment when it leaves its sender."""
        time, flags, length, ack = segment.frame.time, segment.flags, segment.length, segment.ack
        if mine.isn is None or theirs.isn is None or flags & SYN:
            learn.isn(segment, mine, theirs)
        # ``sequence.relative`` written out: this is on the path of every segment, twice.
        near, isn = mine.next or 0, mine.isn or 0
        seq = near + ((segment.seq - isn - near + HALF) & MASK) - HALF
        if ack is not None:
            near = theirs.next if theirs.next is not None else mine.ack or 0
            ack = near + ((ack - (theirs.isn or 0) - near + HALF) & MASK) - HALF
        end = seq + length + (flags >> 1 & 1) + (flags & 1)
        seen = Seen(segment, number, time, seq, ack, end, mine, theirs, self, [], told)
        if self.start is None:
            self.start = mine.state_since = theirs.state_since = time
            self.first_frame = segment.frame.number
        self.end = time

        seen.expected = rules.ordinary(seen)
        if not seen.expected:
            rules.judge(seen)
        stamps = segment.options.timestamps
        if stamps is not None:
            if seen.expected and mine.ts_recent is not None and stamps[0] >= mine.ts_recent:
                mine.ts_recent = stamps[0]
            else:
                self._stamped(seen)
        if ack is not None and ((had := mine.received.up_to) is None or ack > had):
            learn.evidence(seen, ack)
        if flags & CONTROL:
            self._control(seen)
        if length and not flags & RST and (not seen.again or end > (mine.next or 0)):
            if told and (fact := data.data(seen)) is not None:
                seen.found.append(fact)
            if mine.held is not None:
                self._waited(seen)
        if mine.sack:
            mine.sack = ()
        if segment.rare:
            self._marked(seen)
        self._sent(seen)
        return seen

    def _stamped(self, seen: Seen) -> None:
        """Its timestamp does not simply go on."""
        if rules.one(rules.TIMESTAMP, seen) is not None:
            seen.expected = False
        else:
            learn.timestamp(seen)

    def _control(self, seen: Seen) -> None:
        """SYN, FIN and RST leave the sender."""
        mine, flags = seen.mine, seen.segment.flags
        if flags & RST:
            rules.one(rules.RESET, seen)
            return
        if flags & SYN and not seen.seq:
            if seen.ack is None and not seen.copied:
                self.last_syn = seen.time
                if self.first_syn is None and mine.acked is None:  # else its answer came before
                    self.first_syn = seen.time
            elif self.first_syn == self.last_syn and not seen.again:
                mine.tap_rtt = seen.time - self.last_syn
            if mine.state in (State.LISTEN, State.SYN_SENT):
                self.closed_by = None  # an attempt before may have been reset
            learn.syn(seen)
            rules.every(rules.SYN, seen)
        if flags & FIN and seen.plausible:
            self._fin(seen)

    def _fin(self, seen: Seen) -> None:
        mine, crosses = seen.mine, closing.crosses(seen)
        if not seen.again:
            rules.one(rules.FIN, seen)
        between = mine.state is State.CLOSE_WAIT and crosses
        mine.meet(Event.SEND_FIN_BEFORE_THEIRS if between else Event.SEND_FIN, seen.time)
        if mine.fin is None:
            mine.fin = seen.end - 1
            self.fins_crossed = crosses
        self.first_fin = self.first_fin or mine

    def _waited(self, seen: Seen) -> None:
        """Its sender may have waited for a delayed ACK."""
        fact = data.nagle_delayed_ack(seen)
        if fact is not None:
            seen.found.append(fact)
            seen.expected = False
        seen.mine.held = None

    def _marked(self, seen: Seen) -> None:
        """It has options or bits that are rare."""
        options = seen.segment.options
        if options.sack:
            learn.sack(seen)
        if seen.segment.flags & SYN:
            learn.ecn(seen)
        seen.subtype, *others = options.mptcp or ("",)
        rules.every(rules.MARKS, seen)
        for seen.subtype in others:
            fact = rules.marks.mptcp(seen)
            if fact is not None:
                seen.found.append(fact)

    def _sent(self, seen: Seen) -> None:
        """Take a segment into what is known of its sender."""
        mine, segment, ack = seen.mine, seen.segment, seen.ack
        if self.reuses is not None:
            rules.one(rules.PORTS, seen)
        if not seen.expected:
            learn.consequences(seen)
        else:
            # In order: the general case of ``consequences``, without its questions.
            mine.asked = None
            if segment.rare:
                for fact in seen.found:
                    fact.learn(seen)
            if segment.length:
                begin, end = seen.seq, seen.end
                mine.flight.keep(begin, end, seen.number, seen.time, segment)
                mine.volume += segment.length
                if mine.seen.up_to == begin:
                    mine.seen.up_to = end
                else:
                    mine.seen.add(begin, end)
                mine.next, mine.next_time = end, seen.time
        mine.segments += 1
        if ack is not None and ack != mine.ack:
            mine.duplicates, mine.ack_rung = 0, seen.number
            mine.ack = ack
        mine.window = segment.window

    def _arrive(self, seen: Seen, time: int) -> None:
        """A segment of ``mine`` reaches ``theirs``: RFC 9293 §3.10.7.4's order, RST to FIN."""
        mine, theirs, ack, flags = seen.mine, seen.theirs, seen.ack, seen.segment.flags
        if not seen.expected and Paws in map(type, seen.found):
            return  # an old duplicate is dropped
        if ack is not None:
            mine.ack_time = time
        if flags & RST:
            self._reset(seen, time)
            return
        if ack is not None:
            if theirs.state is not _ESTABLISHED:
                if not theirs.accepts(ack, mine):
                    return
                self._acknowledged(seen, ack, time)
            if theirs.acked is None or ack > theirs.acked:
                seen.arrival = time
                opens = self.underway and theirs.acked is None
                learn.acknowledge(seen, ack)
                if seen.told and (fact := data.ack(seen)) is not None:
                    seen.found.append(fact)
                if theirs.fin is not None or opens:
                    self._steps(seen, opens=opens)
        elif flags & SYN:
            theirs.meet(Event.RECEIVE_SYN, time)
            mine.asked_time = time
        # Each SYN of this connection stands at 0; another one takes no place in its stream.
        if seen.end > seen.seq and not (flags & SYN and seen.seq):
            received = theirs.received
            if seen.seq == received.up_to and not received.islands:
                received.up_to = seen.end
            else:
                received.add(seen.seq, seen.end)
        if mine.fin is not None:
            learn.take_fin(theirs, mine, time)
            if self.closed_by is None and mine.fin_received and theirs.fin_received:
                self.closed_by = "fin"

    def _reset(self, seen: Seen, time: int) -> None:
        """A RST arrives."""
        mine, theirs = seen.mine, seen.theirs
        if not theirs.takes_reset(seen.seq, seen.ack):
            return
        listens = theirs.passive and theirs.state is State.SYN_RECEIVED
        theirs.meet(Event.RECEIVE_RST_PASSIVE if listens else Event.RECEIVE_RST, time)
        self.closed_by = self.closed_by or "rst"
        if listens:
            theirs.begin_again(mine)

    def _acknowledged(self, seen: Seen, ack: int, time: int) -> None:
        """An ACK arrives at an end that waits for one of its SYN or its FIN."""
        theirs = seen.theirs
        if theirs.state is State.SYN_RECEIVED:
            theirs.meet(Event.RECEIVE_ACK_OF_SYN, time)
        if seen.segment.flags & SYN:
            theirs.meet(Event.RECEIVE_SYN_ACK, time)
        if theirs.fin is not None and ack > theirs.fin:
            theirs.meet(Event.RECEIVE_ACK_OF_FIN, time)

    def _steps(self, seen: Seen, *, opens: bool) -> None:
        """The last step of a handshake, or a step of a close, as it arrives."""
        fact = closing.fin_ack(seen)
        if fact is not None:
            seen.found.append(fact)
        complete = opening.handshake_complete(seen) if opens else None
        if complete is not None:
            seen.found.append(complete)
            complete.learn(seen)

    def _rung(self, seen: Seen, *, lost: bool) -> Rung:
        segment, mine = seen.segment, seen.mine
        window = segment.window
        if not segment.flags & SYN:
            window <<= mine.shift
        rung = Rung(
            seen.number,
            self.number,
            "client" if mine is self.client else "server",
            segment,
            seen.seq,
            seen.ack,
            window,
            self.client.state,
            self.server.state,
            tuple(seen.found),
            lost,
        )
        if not seen.expected:
            for fact in seen.found:
                if fact.trouble:
                    self._count_trouble(rung, fact.text(rung))
                    break
        return rung

    def _count_trouble(self, rung: Rung, text: str) -> None:
        self.troubles += 1
        if not self.first_trouble:
            self.first_trouble = f"frame {rung.segment.frame.number}: {text}"
