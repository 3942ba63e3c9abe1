"""HTTP/1.0 and HTTP/1.1 in the clear, with keep-alive, pipelining and upgrades, read by h11."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from trioecho.model import End
from trioecho.requests.flow import Part
from trioecho.requests.protocol import (
    MOST_HEADER,
    MOST_OPEN,
    GiveUp,
    Handover,
    Log,
    Missing,
    Talk,
    text,
)
from trioecho.requests.request import Moment, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    import h11

    #: Makes what goes on behind an upgrade to HTTP/2: given the request, and the client's settings.
    Upgrade = Callable[[Request, bytes], Talk]


class Http1(Talk):
    """Both directions of a connection; each message is read by an h11 of its own.

    An h11 connection plays one end, and wants to be told what that end does. An observer plays
    none, so each request is read as a server reads it, which then forgets it; and each answer as a
    client does that has just sent that request.

    Args:
        log: told of each request.
        other: makes the protocol that goes on behind CONNECT and an upgrade.
        http2: makes the one behind an upgrade to HTTP/2, which answers the request that asked.

    Raises:
        Missing: h11 is not installed.
    """

    def __init__(self, log: Log, other: Callable[[], Talk], http2: Upgrade) -> None:
        try:
            import h11
        except ImportError:
            raise Missing("HTTP/1") from None
        self._h11 = h11
        self._log, self._other, self._http2 = log, other, http2
        self._asking: h11.Connection | None = None
        self._answering: h11.Connection | None = None
        self._waiting: deque[tuple[Request, h11.Request]] = deque()
        self._current: Request | None = None  # whose bytes the client sends
        self._first: Moment | None = None
        self._size = 0
        self._answered: Moment | None = None  # when an answer's first byte came
        self._before: int | None = None  # when the last byte of the answer before left
        self._switches = False
        self._settings: bytes | None = None  # of a client that wants to upgrade to HTTP/2

    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes of a request, or of an answer."""
        if part.broken:
            raise GiveUp
        try:
            if end == "client":
                self._ask(part)
                return None
            return self._answer(part)
        except self._h11.ProtocolError as error:
            raise GiveUp from error

    def close(self, end: End, moment: Moment) -> None:
        """The server's FIN is the end of an answer without a length (RFC 9112 §6.3)."""
        if end == "client" or self._answering is None:
            return
        try:
            self._answering.receive_data(b"")
            self._events(moment)
        except self._h11.ProtocolError:  # it was cut short, and ends as it is
            self._answering = None

    def stop(self) -> None:
        """All that is open ends as it is."""
        self._answering = None
        while self._waiting:
            self._log.done(self._waiting.popleft()[0])

    # ---- what the client sends -------------------------------------------------------------------

    def _ask(self, part: Part) -> None:
        data = part.data
        while data:
            if self._asking is None:
                if self._switches:
                    raise GiveUp  # it does not wait for the answer that would tell
                self._asking = self._h11.Connection(self._h11.SERVER, MOST_HEADER)
                self._first, self._size = part.moment, 0
            data = self._read(self._asking, data, part.moment)

    def _read(self, asking: h11.Connection, data: bytes, moment: Moment) -> bytes:
        """Read on in one request; returns what stands behind it."""
        asking.receive_data(data)
        self._size += len(data)
        rest = b""
        while True:
            event = asking.next_event()
            if isinstance(event, self._h11.Request):
                self._begin(event)
            elif isinstance(event, self._h11.EndOfMessage):
                rest, _ = asking.trailing_data
                self._size -= len(rest)
                self._asking = None
                break
            elif not isinstance(event, self._h11.Data):
                break
        if self._current is not None:
            self._current.sent, self._current.last = self._size, moment
            if self._asking is None:
                self._current = None
        return rest

    def _begin(self, event: h11.Request) -> None:
        assert self._first is not None
        if len(self._waiting) >= MOST_OPEN:
            raise GiveUp
        request = self._log.begin(f"HTTP/{text(event.http_version)}", self._first)
        request.what = f"{text(event.method)} {text(event.target)}"
        request.host = next((text(value) for name, value in event.headers if name == b"host"), "")
        self._waiting.append((request, event))
        self._current = request
        self._log.asked(request)
        self._switches = event.method == b"CONNECT" or any(
            name == b"upgrade" for name, _ in event.headers
        )
        fields = dict(event.headers)
        h2c = fields.get(b"upgrade", b"").lower() == b"h2c"
        self._settings = fields.get(b"http2-settings", b"") if h2c else None

    # ---- what the server answers -----------------------------------------------------------------

    def _answer(self, part: Part) -> Handover | None:
        data = part.data
        while data:
            if not self._waiting:
                raise GiveUp
            request, event = self._waiting[0]
            if self._answering is None:
                self._answering = self._client(event)
            if self._answered is None:
                self._answered = part.moment
            self._answering.receive_data(data)
            request.received += len(data)
            data = self._events(part.moment)
            request.received -= len(data)
            if self._answering is None and self._has_switched(request):
                rest = [("server", part._replace(data=data))] if data else []
                if request.whole or self._settings is None:
                    return Handover(self._other(), rest)
                return Handover(self._http2(request, self._settings), rest)
        return None

    def _client(self, event: h11.Request) -> h11.Connection:
        """A client that has sent a request."""
        client = self._h11.Connection(self._h11.CLIENT, MOST_HEADER)
        headers = [(b"host", b"-"), *(one for one in event.headers if one[0] == b"upgrade")]
        client.send(self._h11.Request(method=event.method, target=b"/", headers=headers))
        client.send(self._h11.EndOfMessage())
        return client

    def _events(self, moment: Moment) -> bytes:
        """Read on in one answer; returns what stands behind it."""
        h11, answering = self._h11, self._answering
        assert answering is not None
        request, _ = self._waiting[0]
        if request.status:
            request.ended = moment
        while True:
            event: Any = answering.next_event()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code != 101:
                    self._answered = moment if answering.trailing_data[0] else None
                    continue
                self._head(request, event.status_code, moment)
            elif isinstance(event, h11.Response):
                self._head(request, event.status_code, moment)
            elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return self._over(request, answering, moment)
            elif not isinstance(event, h11.Data):
                return b""

    def _head(self, request: Request, status: int, moment: Moment) -> None:
        request.status = str(status)
        request.answered, request.ended = self._answered or moment, moment
        request.before = self._before
        self._log.answered(request)

    def _over(self, request: Request, answering: h11.Connection, moment: Moment) -> bytes:
        rest, _ = answering.trailing_data
        self._answering = self._answered = None
        self._before = moment.left
        self._waiting.popleft()
        # In an upgrade to HTTP/2 the answer is that on the first stream (RFC 7540 §3.2).
        if request.status != "101" or self._settings is None:
            request.whole = True
            self._log.done(request)
        return rest

    def _has_switched(self, request: Request) -> bool:
        """Whether what follows an answer is another protocol (RFC 9110 §7.8, §9.3.6)."""
        if not self._switches or self._waiting:
            return False
        switched = request.status == "101" or (
            request.what.startswith("CONNECT ") and request.status.startswith("2")
        )
        self._switches = False
        return switched
