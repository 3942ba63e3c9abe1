"""A talk of which it is not known yet what it is: the beginning of each turn may tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from trioecho.model import End
from trioecho.packet.records import CLIENT_HELLO, HANDSHAKE
from trioecho.requests.dns import PORT
from trioecho.requests.dns_tcp import DnsTcp, is_question
from trioecho.requests.flow import Part
from trioecho.requests.http1 import Http1
from trioecho.requests.http2 import PREFACE, SETTINGS, Http2
from trioecho.requests.protocol import MOST_HEADER, Handover, Log, Missing, Talk
from trioecho.requests.request import Request
from trioecho.requests.tls import Tls
from trioecho.requests.turns import Turns

#: Pieces of a first line; each is looked at again with every further one.
MOST_HELD = 100

_METHOD = re.compile(rb"[A-Z]{1,20}( |$)")
_REQUEST_LINE = re.compile(rb"[A-Z]{1,20} [^\s]+ HTTP/1\.[01]\r?$")


def sniff(data: bytes, port: int = 0) -> Literal["http/1", "http/2", "tls", "dns", "more", ""]:
    """What a client's first bytes begin: ``more`` if that takes more of them to tell.

    What is sent to DNS's port is a message of DNS if it looks like one.

    Source: RFC 9112 §3, RFC 9113 §3.4, RFC 8446 §5.1, RFC 1035 §4.2.2.

    >>> sniff(b"GET /a HTTP/1.1\\r\\n"), sniff(b"GET /"), sniff(b"EHLO a\\r\\n")
    ('http/1', 'more', '')
    """
    if port == PORT:
        return is_question(data)
    if data and data[0] == HANDSHAKE:
        if len(data) < 6:
            return "more"
        return "tls" if data[1] == 3 and data[2] <= 4 and data[5] == CLIENT_HELLO else ""
    if len(data) < len(PREFACE) and PREFACE.startswith(data):
        return "more"
    if data.startswith(PREFACE):
        return "http/2"
    if not _METHOD.match(data):
        return ""
    line, newline, _ = data.partition(b"\n")
    if not newline:
        return "more" if len(data) < MOST_HEADER else ""
    return "http/1" if _REQUEST_LINE.match(line) else ""


class Anything(Talk):
    """Counts turns, and looks at the first bytes whenever the client begins to speak.

    Args:
        log: told of each turn, and given to the protocol that is found.
        missing: told of a protocol that cannot be read, since a package is missing.
        port: the server's.
    """

    def __init__(self, log: Log, missing: Callable[[str], None], port: int = 0) -> None:
        self._log, self._missing, self._port = log, missing, port
        self._turns = Turns(log)
        self._speaker: End | None = None
        self._held: list[tuple[End, Part]] = []

    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes; held are those that are too few to tell what they begin.

        That is what the client says, and settings of HTTP/2 that cross the client's first bytes.
        """
        if end == "client":
            if self._asks or (not part.broken and self._speaker != end):
                return self._begin(part)
        elif self._is_early(part):
            self._held.append((end, part))
            return None
        self._release()
        self._say(end, part)
        return None

    @property
    def _asks(self) -> list[bytes]:
        return [part.data for end, part in self._held if end == "client"]

    def _is_early(self, part: Part) -> bool:
        if part.broken or self._speaker is not None or self._asks or len(self._held) >= MOST_HELD:
            return False
        return bool(self._held) or part.data[3:9] == SETTINGS

    def take_as_it_is(self, end: End, part: Part) -> None:
        """Take bytes that are known to begin no protocol."""
        self._release()
        self._say(end, part)

    def _begin(self, part: Part) -> Handover | None:
        self._held.append(("client", part))
        found = sniff(b"".join(self._asks), self._port)
        if found == "more" and len(self._held) < MOST_HELD:
            return None
        if found in ("", "more"):
            self._release()
            return None
        try:
            talk = self._talk(found)
        except Missing as missing:
            self._missing(str(missing))
            self._release()
            return None
        if found != "http/2":
            while self._held[0][0] == "server":
                self._say(*self._held.pop(0))
        self._turns.stop()
        held, self._held = self._held, []
        return Handover(talk, held)

    def _talk(self, protocol: str) -> Talk:
        if protocol == "http/1":
            return Http1(self._log, self._anew, self._upgraded)
        if protocol == "dns":
            return DnsTcp(self._log)
        return Http2(self._log) if protocol == "http/2" else Tls(self._log)

    def _anew(self) -> Anything:
        return Anything(self._log, self._missing, self._port)

    def _upgraded(self, request: Request, settings: bytes) -> Talk:
        try:
            return Http2(self._log, request, settings)
        except Missing as missing:
            self._missing(str(missing))
            self._log.done(request)
            return self._anew()

    def _say(self, end: End, part: Part) -> None:
        self._speaker = end
        self._turns.say(end, len(part.data), part.moment, part.moment)

    def _release(self) -> None:
        held, self._held = self._held, []
        for end, part in held:
            self._say(end, part)

    def stop(self) -> None:
        """The last turn is over."""
        self._release()
        self._turns.stop()
