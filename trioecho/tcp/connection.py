"""One connection as an observer sees it: two ``Half``s, and what was sent and what arrived.

A segment is reported in two steps, ``sent`` and ``arrived``. A tap at one point learns both from
one frame and calls ``seen``. Our own wire reports each when it happens, and never ``arrived`` for a
segment it dropped. Nothing that the wire does makes this raise.
"""

from __future__ import annotations

from msgspec.structs import replace

from trioecho.model import (
    ACK,
    RST,
    SYN,
    ConnectionSummary,
    End,
    Endpoint,
    Fact,
    Kind,
    Rung,
    Segment,
    State,
)
from trioecho.model.sequence import relative
from trioecho.tcp import learn, outcome, rules
from trioecho.tcp.arriving import arrive, reset
from trioecho.tcp.flight import Sent
from trioecho.tcp.half import Asked, Believed, Forged, Half, Heard
from trioecho.tcp.history import History, Told
from trioecho.tcp.rules.refusals import CHALLENGING
from trioecho.tcp.sending import send
from trioecho.tcp.states import Event
from trioecho.tcp.step import Seen


class TrackedConnection(History):
    """A TCP connection between two endpoints.

    Args:
        number: its number in the trace, from 1.
        client, server: its endpoints.
        opening: whether it is seen from before its first SYN; if not, both ends are assumed to be
            ESTABLISHED.
    """

    __slots__ = ()

    def __init__(
        self, number: int, client: Endpoint, server: Endpoint, *, opening: bool = True
    ) -> None:
        super().__init__(
            number,
            Half(client, State.CLOSED if opening else State.ESTABLISHED),
            Half(server, State.UNKNOWN if opening else State.ESTABLISHED, passive=True),
            opening,
            underway=opening,
        )

    def seen(self, segment: Segment, number: int) -> Rung:
        """A segment seen by a tap, which is assumed to arrive as soon as it is sent."""
        mine, theirs = self.client, self.server  # ``halves`` written out, for each segment
        if segment.source != mine.endpoint:
            mine, theirs = theirs, mine
        seen = send(self, segment, number, mine, theirs)
        arrive(seen, seen.time)
        return self._rung(seen, lost=False)

    def noticed(self, segment: Segment, number: int) -> None:
        """As ``seen``, but without a rung, except where there may be trouble."""
        mine, theirs = self.client, self.server  # as in ``seen``
        if segment.source != mine.endpoint:
            mine, theirs = theirs, mine
        seen = send(self, segment, number, mine, theirs, told=False)
        arrive(seen, seen.time)
        if not seen.expected:
            self._rung(seen, lost=False)  # it counts the trouble

    def sent(self, segment: Segment, number: int, kind: Kind = "original") -> Rung:
        """A segment sent by one end, or by the wire in its name; it may never arrive."""
        mine, theirs = self.halves(segment)
        if mine.heard is None or theirs.heard is None:
            mine.heard, theirs.heard = Heard(), Heard()
        if kind == "injected":
            seen = self._forge(segment, number, mine, theirs)
        elif kind == "copy":
            seen = self._copy(segment, number, mine, theirs)
        else:
            seen = send(self, segment, number, mine, theirs, wired=True)
            learn.unheard(seen)
        return replace(self._rung(seen, lost=True), moved=False, kind=kind)

    def lost(self, rung: Rung) -> None:
        """A segment that was ``sent`` never arrives."""
        mine, _ = self.halves(rung.segment)
        for one in () if mine.heard is None else mine.heard.unheard:
            if one.number == rung.number:
                one.lost = True
        if rung.too_large:
            for sent in mine.flight.within(rung.seq, rung.seq + rung.segment.space):
                sent.too_large = True

    def gave_up(self, time: int) -> None:
        """The client is known to have given up, if its SYN has not been answered by then.

        Args:
            time: when, nanoseconds since the epoch.
        """
        client = self.client
        if client.state is State.SYN_SENT:
            self.told = self.told or Told()
            self.told.gave_up = True
            client.meet(Event.GIVE_UP, time)

    def stopped(self, end: End, time: int) -> None:
        """The program at an end is stopped, by us.

        Args:
            end: which end.
            time: when, nanoseconds since the epoch.
        """
        self.told = self.told or Told()
        self.told.stops(end, time)

    def arrived(self, rung: Rung, time: int) -> Rung:
        """A segment that was ``sent`` has arrived at the other end."""
        segment = rung.segment
        mine, theirs = self.halves(segment)
        end = rung.seq + segment.space
        found = list(rung.notes)
        seen = Seen(
            segment, rung.number, rung.time, rung.seq, rung.ack, end, mine, theirs, self, found
        )
        before = theirs.state
        if rung.kind == "injected" and segment.flags & RST:
            self._fooled(seen, rung, time)
        elif rung.kind == "injected":
            self._forged_syn(seen, rung, time)
        else:
            late = segment.flags & (SYN | ACK) == SYN and theirs.state in CHALLENGING
            if late:  # a SYN that took its time is answered as a forged one
                mine.forged = Forged(Asked.SYN, mine.next, rung.number, -1)
            if theirs.believed is not None and (fact := rules.one(rules.MISLED, seen)) is not None:
                self._count_trouble(rung, fact)
            taken = arrive(seen, time)
            if taken and seen.end > seen.seq:
                learn.brought(seen)
            if not any(fact.dropped for fact in found):
                learn.hear(seen)
        from_client = mine is self.client
        return replace(
            rung,
            client_state=rung.client_state if from_client else self.client.state,
            server_state=self.server.state if from_client else rung.server_state,
            notes=tuple(found),
            lost=False,
            arrived=time,
            moved=theirs.state is not before or self._told_of(theirs),
        )

    def _told_of(self, end: Half) -> bool:
        """Whether an end was told to have changed its state by itself."""
        return end is self.client and self.told is not None and self.told.gave_up

    def summary(self) -> ConnectionSummary:
        """The connection's totals so far."""
        return outcome.summary(self)

    def halves(self, segment: Segment) -> tuple[Half, Half]:
        """The half that sent a segment, and the other."""
        if segment.source == self.client.endpoint:
            return self.client, self.server
        return self.server, self.client

    def _copy(self, segment: Segment, number: int, mine: Half, theirs: Half) -> Seen:
        """A copy made by the wire: it says nothing about its sender."""
        seen = self._numbered(segment, number, mine, theirs)
        seq, end, time = seen.seq, seen.end, seen.time
        self.end = time
        if segment.flags & SYN:  # which is answered once more
            mine.asked = Asked.REPEATED_SYN if seen.ack is None else Asked.REPEATED_SYN_ACK
        if segment.space and not segment.flags & RST:
            packet = segment.identification
            mine.flight.repeats.append(Sent(seq, end, number, time, packet, copied=True))
            mine.flight.insert(seq, end, number, time, segment)  # what comes twice is remembered
        return seen

    def _forge(self, segment: Segment, number: int, mine: Half, theirs: Half) -> Seen:
        """Number a segment that another sent in ``mine``'s name, of which it says nothing."""
        self.end = segment.frame.time
        return self._numbered(segment, number, mine, theirs)

    def _fooled(self, seen: Seen, rung: Rung, time: int) -> None:
        """A RST arrives that another sent in ``seen.mine``'s name."""
        seen.forged = True
        fact = rules.one(rules.FORGED, seen)
        assert fact is not None
        self._count_trouble(rung, fact)
        seen.mine.forged = Forged(Asked.RESET, seen.mine.next, rung.number, seen.segment.seq)
        reset(seen, time)

    def _forged_syn(self, seen: Seen, rung: Rung, time: int) -> None:
        """A SYN arrives that another sent in ``seen.mine``'s name: its receiver answers that one.

        One that has seen no other SYN takes it for its peer's.
        """
        mine, theirs = seen.mine, seen.theirs
        fact = rules.one(rules.FORGED_SYN, seen)
        if fact is not None:
            self._count_trouble(rung, fact)
        if isinstance(fact, rules.forgeries.ForgedSynBelieved):
            theirs.believed = Believed(seen.segment.seq, rung.number)
            theirs.meet(Event.RECEIVE_SYN, time)
        else:
            mine.forged = Forged(Asked.SYN, mine.next, rung.number, seen.segment.seq)
            mine.asked_time = time

    def _numbered(self, segment: Segment, number: int, mine: Half, theirs: Half) -> Seen:
        """A segment with its relative numbers, from which nothing is learned."""
        seq = 0 if mine.isn is None else relative(segment.seq, mine.isn, mine.next)
        ack = segment.ack
        if ack is not None:
            ack = relative(ack, theirs.isn or 0, theirs.next)
        end, time = seq + segment.space, segment.frame.time
        return Seen(segment, number, time, seq, ack, end, mine, theirs, self, [])

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
                    self._count_trouble(rung, fact)
                    break
        return rung

    def _count_trouble(self, rung: Rung, fact: Fact) -> None:
        self.troubles += 1
        if not self.first_trouble:
            self.first_trouble = f"rung {rung.number}: {fact.text(rung)}"
            self.first_trouble_kind = fact.kind
