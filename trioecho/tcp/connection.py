"""One connection as an observer sees it: two ``Half``s, and what was sent and what arrived.

A segment is told in two steps, ``sent`` and ``arrived``. A tap at one place learns both from one
frame and says ``seen``; a wire of our own tells each at its time, and never tells ``arrived`` of a
segment it dropped. The connection never raises on what the wire did.
"""

from __future__ import annotations

from copy import deepcopy

from msgspec.structs import replace

from trioecho.model import SYN, ConnectionSummary, Endpoint, Rung, Segment, State
from trioecho.model.sequence import relative
from trioecho.tcp import outcome
from trioecho.tcp.arriving import arrive
from trioecho.tcp.half import Asked, Forged, Half
from trioecho.tcp.history import History
from trioecho.tcp.sending import send
from trioecho.tcp.states import OPENING
from trioecho.tcp.step import Seen


class TrackedConnection(History):
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
        """A segment seen by a tap, which takes it to have arrived as soon as it was sent."""
        mine, theirs = self.halves(segment)
        seen = send(self, segment, number, mine, theirs)
        arrive(seen, segment.frame.time)
        return self._rung(seen, lost=False)

    def noticed(self, segment: Segment, number: int) -> None:
        """As ``seen``, where no rung is wanted: one is made only where there may be trouble."""
        mine, theirs = self.halves(segment)
        seen = send(self, segment, number, mine, theirs, told=False)
        arrive(seen, segment.frame.time)
        if not seen.expected:
            self._rung(seen, lost=False)  # it counts the trouble

    def sent(self, segment: Segment, number: int, *, forged: bool = False) -> Rung:
        """One end has sent a segment, which may never arrive."""
        mine, theirs = self.halves(segment)
        if forged:
            seen = self._forge(segment, number, mine, theirs)
        else:
            seen = send(self, segment, number, mine, theirs)
        return replace(self._rung(seen, lost=True), moved=False)

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
        arrive(seen, time)
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
        """The half that sent a segment, and the other."""
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
        seen = send(self, segment, number, *deepcopy((mine, theirs)))
        if seen.mine.asked is Asked.RESET:
            mine.forged = Forged(Asked.RESET, mine.next or 0)
        seen.mine, seen.theirs = mine, theirs
        return seen

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
