"""What a rung asks or answers, as notes on a ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from msgspec.structs import replace

from trioecho.model import Fact, Rung
from trioecho.requests.finder import Finder
from trioecho.requests.protocol import Change
from trioecho.requests.request import Request
from trioecho.text import bytes_of, printable, seconds

_SOURCES = {"HTTP/2": "RFC 9113 §8.1", "TLS": "RFC 8446 §4.1", "": "RFC 9293 §3.8"}


class Asks(Fact, frozen=True, tag="request"):
    """All that tells what is asked has come.

    Args:
        request: the request's number.
        protocol: what it is in.
        said: what is asked.
        alpn: the protocols that a ClientHello offers.
    """

    implied: ClassVar[bool] = True
    wanted: ClassVar[bool] = True

    request: int
    protocol: str
    said: str
    alpn: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The section that says how a request begins."""
        return _SOURCES.get(self.protocol, "RFC 9112 §3")

    def text(self, rung: Rung) -> str:
        """Say it in words."""
        offers = f", offers {' and '.join(self.alpn)}" if self.alpn else ""
        return printable(f"{self.said}{offers}")


class Answers(Fact, frozen=True, tag="answer"):
    """The head of an answer has come; times in nanoseconds.

    Args:
        request: the number of the request that is answered.
        protocol: what it is in.
        status: what is answered; of a turn, how much was said before.
        first_byte: from the question's last byte to the answer's first, at the end that asked.
        thought: how much of it the end that answers took.
        queue: how much of it an earlier answer took.
        path: how much of it the path took.
        by: the end that answers.
    """

    implied: ClassVar[bool] = True
    wanted: ClassVar[bool] = True

    request: int
    protocol: str
    status: str
    first_byte: int
    thought: int
    queue: int
    path: int
    by: str

    @property
    def source(self) -> str:
        """The section that says how an answer begins."""
        return _SOURCES.get(self.protocol, "RFC 9112 §4")

    def text(self, rung: Rung) -> str:
        """Say it in words."""
        parts = [f"{seconds(self.thought)} the {self.by}", f"{seconds(self.path)} the path"]
        if self.queue:
            parts.insert(0, f"{seconds(self.queue)} behind the answer before")
        took = f"first byte after {seconds(self.first_byte)}: {', '.join(parts)}"
        return printable(f"{self.status}, {took}")


class Secures(Fact, frozen=True, tag="tls-handshake"):
    """A TLS handshake is over for the client.

    Args:
        request: the handshake's number among the requests.
        took: nanoseconds since the connection was open.
        version: of TLS.
    """

    implied: ClassVar[bool] = True
    wanted: ClassVar[bool] = True

    request: int
    took: int
    version: str

    @property
    def source(self) -> str:
        """The section that says how a handshake ends."""
        return "RFC 8446 §4.4.4"

    def text(self, rung: Rung) -> str:
        """Say it in words."""
        return f"the TLS {self.version} handshake is over; it took {seconds(self.took)}"


class Noting:
    """Adds to rungs what they ask and answer."""

    def __init__(self) -> None:
        self._found: list[Fact] = []
        self._finder = Finder(self._changed, lambda _: None)

    def of(self, rungs: Sequence[Rung]) -> list[Rung]:
        """The same rungs, those of the next with such notes."""
        return [self._noted(rung) for rung in rungs]

    def advice(self) -> Iterator[str]:
        """A sentence for each protocol that was seen and cannot be read."""
        return self._finder.advice()

    def _noted(self, rung: Rung) -> Rung:
        self._finder.see(rung)
        if not self._found:
            return rung
        found, self._found = self._found, []
        return replace(rung, notes=(*rung.notes, *found))

    def _changed(self, change: Change, request: Request) -> None:
        number, protocol = request.number, request.protocol
        if change == "asked" and protocol and request.what:
            self._found.append(Asks(number, protocol, request.what, request.alpn))
        elif change == "answered" and request.answered is not None:
            self._found.append(_answer(request))
        elif change == "done" and protocol == "TLS" and request.handshake is not None:
            self._found.append(Secures(number, request.handshake, request.tls))


def _answer(request: Request) -> Answers:
    status = request.status or f"answer to {bytes_of(request.sent)}"
    if request.protocol == "TLS" and request.what:
        status = f"ServerHello: TLS {request.tls}"
    return Answers(
        request.number,
        request.protocol,
        status,
        request.after or 0,
        request.thought or 0,
        request.queue or 0,
        request.path or 0,
        "server" if request.asker == "client" else "client",
    )
