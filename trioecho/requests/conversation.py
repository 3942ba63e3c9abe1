"""One connection: its handshake, the bytes of both directions, and the protocol that reads them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from trioecho.account.away import Away
from trioecho.model import ENDS, OTHER, RST, SYN, End, Rung
from trioecho.requests.anything import Anything
from trioecho.requests.flow import Flow, Part
from trioecho.requests.protocol import Change, GiveUp, Talk
from trioecho.requests.request import Moment, Opening, Request

#: Requests that are over, and of which a part may be sent again all the same.
_LATELY = 4


class Conversation:
    """One connection, and the log of what is asked on it.

    Args:
        rung: its first.
        opening: what is known of the time before, such as when its server's name was asked for.
        number: gives the next request its number.
        changed: told of each request that begins, is asked, answered or done.
        missing: told of a protocol that cannot be read, since a package is missing.

    Attributes:
        over: whether it has ended.
    """

    def __init__(
        self,
        rung: Rung,
        opening: Opening,
        number: Callable[[], int],
        changed: Callable[[Change, Request], None],
        missing: Callable[[str], None],
    ) -> None:
        ends = rung.segment.source, rung.segment.destination
        self.over = False
        self._number, self._changed, self._missing = number, changed, missing
        self._connection = rung.connection
        self._client, self._server = ends if rung.sender == "client" else reversed(ends)
        self._opening: Opening | None = opening
        self._handshake = opening
        self._away = Away()
        self._flows: dict[End, Flow] = {end: Flow() for end in ENDS}
        self._closed: set[End] = set()
        self._cut: int | None = None  # when a reset came
        self._asked: dict[int, Request] = {}
        self._lately: deque[Request] = deque(maxlen=_LATELY)
        self._talk: Talk = Anything(self, missing, self._server.port)
        self._moment = Moment(rung.time, rung.time, rung.number)

    def see(self, rung: Rung) -> None:
        """Take the next rung."""
        if self.over or rung.kind != "original":
            return
        sender, other = rung.sender, OTHER[rung.sender]
        again = any(fact.again for fact in rung.notes)
        if not rung.on_wire:
            self._away.see(rung, again=again)
        if again and rung.segment.length:
            self._repeat(rung)
        if rung.segment.flags & SYN:
            self._open(rung)
        heard = rung.arrived if rung.on_wire else rung.time
        if heard is not None:
            for part in self._flows[other].acknowledged(rung):
                self._feed(other, part)
        for part in self._flows[sender].take(rung):
            self._feed(sender, part)
        if heard is None or rung.lost:
            return
        self._moment = Moment(rung.time, heard, rung.number)
        if rung.segment.flags & RST and not any(fact.dropped for fact in rung.notes):
            self._cut = heard
            self.stop()
        else:
            self._close()

    def _repeat(self, rung: Rung) -> None:
        """A segment is sent again: behind the tap, the first one was lost.

        On a wire of ours it is known when each arrives, and the second may overtake the first.
        """
        requests = (*self._asked.values(), *self._lately)
        if rung.arrived is not None:
            end = rung.seq + rung.segment.length
            for request in requests:
                request.hasten(rung.sender, rung.seq, end, rung.arrived)
        elif not rung.on_wire and not any(
            fact.kind == "spurious-retransmission" for fact in rung.notes
        ):
            for request in requests:
                request.delay(rung.sender, rung.seq, rung.time)

    def _open(self, rung: Rung) -> None:
        opening = self._handshake
        if rung.sender == "client" and opening.began is None:
            opening.began = rung.time
        elif rung.sender == "server" and opening.connected is None and not rung.lost:
            opening.connected = rung.arrived if rung.on_wire else rung.time

    def _close(self) -> None:
        for end, flow in self._flows.items():
            if end not in self._closed and flow.ended:
                self._closed.add(end)
                self._talk.close(end, self._moment)
        if len(self._closed) == len(ENDS):
            self.stop()

    def stop(self) -> None:
        """Nothing more comes, or is of interest."""
        if self.over:
            return
        for end, flow in self._flows.items():
            for part in flow.flush(self._moment.rung):
                self._feed(end, part)
        self.over = True
        self._talk.stop()
        self._flows.clear()

    def _feed(self, end: End, part: Part) -> None:
        parts = deque([(end, part)])
        while parts:
            end, part = parts.popleft()
            if not part.data and not part.broken:
                continue
            try:
                handover = self._talk.take(end, part)
            except GiveUp:
                self._talk.stop()
                anything = self._talk = Anything(self, self._missing, self._server.port)
                anything.take_as_it_is(end, part)
                continue
            if handover is not None:
                self._talk = handover.talk
                parts.extendleft(reversed(handover.parts))

    # ---- what a protocol says --------------------------------------------------------------------

    def begin(self, protocol: str, moment: Moment, asker: End = "client") -> Request:
        """A request begins."""
        opening, self._opening = self._opening, None
        request = Request(
            self._number(),
            self._connection,
            self._client,
            self._server,
            protocol,
            moment,
            moment,
            asker,
            opening=opening,
            costs={},
        )
        self._asked[request.number] = request
        self._changed("begin", request)
        return request

    def asked(self, request: Request) -> None:
        """It is known what a request asks."""
        self._changed("asked", request)

    def answered(self, request: Request) -> None:
        """It is known what the answer is."""
        self._place(request)
        self._changed("answered", request)

    def done(self, request: Request) -> None:
        """A request is over."""
        self._lately.append(self._asked.pop(request.number))
        if not request.whole:
            request.cut = self._cut
        self._place(request)
        self._changed("done", request)

    def waited(self, end: End, heard: Moment, said: Moment) -> int:
        """How long an end has waited with what it said, after what it had heard."""
        return said.left - heard.came - self._away.of(end)

    def _place(self, request: Request) -> None:
        """How far both ends are from the tap, as far as it is known by now."""
        request.away = self._away.of("client") // 2, self._away.of("server") // 2
