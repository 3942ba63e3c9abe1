"""The turns of any talk: who spoke, how much, and how long until the answer."""

from __future__ import annotations

from trioecho.model import End
from trioecho.requests.protocol import Log
from trioecho.requests.request import Moment, Request


class Turns:
    """Puts what both ends say together to questions and answers.

    A question is what the client says until the server answers. What it says before it can have
    heard the answer still belongs to it. A server that speaks first waits for the client to speak,
    and with that the client asks.

    Args:
        log: told of each turn.
        protocol: what the talk is in, ``""`` where that is not known.
    """

    def __init__(self, log: Log, protocol: str = "") -> None:
        self._log = log
        self._protocol = protocol
        self._turn: Request | None = None

    def say(self, end: End, size: int, first: Moment, last: Moment) -> Request:
        """An end says so many bytes.

        Args:
            end: which end.
            size: how many.
            first, last: when the first and the last of them went over.

        Returns:
            The turn they belong to.
        """
        if self._begins(end, first):
            self._answer_server(first)
            self.stop()
            self._turn = self._log.begin(self._protocol, first, end)
        turn = self._turn
        assert turn is not None
        if turn.asker == end:
            turn.sent += size
            turn.last = last
            return turn
        turn.received += size
        if turn.answered is None:
            self._log.asked(turn)
            turn.answered, turn.ended = first, last
            self._log.answered(turn)
        turn.ended = last
        return turn

    def stop(self) -> None:
        """The turn is over."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.whole = turn.ended is not None
            self._log.done(turn)

    def _begins(self, end: End, moment: Moment) -> bool:
        turn = self._turn
        if turn is None or turn.asker == "server":
            return turn is None or end == "client"
        return end == "client" and turn.ended is not None and moment.left >= turn.ended.came

    def _answer_server(self, moment: Moment) -> None:
        turn = self._turn
        if turn is not None and turn.asker == "server":
            self._log.asked(turn)
            turn.answered = turn.ended = moment
            self._log.answered(turn)
