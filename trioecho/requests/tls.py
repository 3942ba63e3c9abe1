"""TLS: its records, its handshake, and the turns of what it hides. Nothing is decrypted."""

from __future__ import annotations

from collections.abc import Iterator

from trioecho.model import End
from trioecho.packet.records import (
    ALERT,
    CHANGE,
    DATA,
    HANDSHAKE,
    HEADER,
    MOST_RECORD,
    alert_of,
)
from trioecho.requests.flow import Part
from trioecho.requests.framing import Frames
from trioecho.requests.hello import Hello, hello_of
from trioecho.requests.hidden import Hidden, Record
from trioecho.requests.protocol import MOST_HEADER, GiveUp, Handover, Log, Talk
from trioecho.requests.request import Moment, Opening, Request


class _Half:
    """One direction: its records, and how far its handshake is."""

    def __init__(self) -> None:
        self.changed = False  # whether all that follows is encrypted, up to TLS 1.2
        self.finished: Moment | None = None
        self.message = b""  # a Hello, which may come in several records
        self._frames = Frames(HEADER, _size, _keeps)

    def read(self, data: bytes, moment: Moment) -> Iterator[Record]:
        """The records that are whole with some bytes."""
        for head, payload, size, first, last in self._frames.read(data, moment):
            yield Record(head[0], size, payload, first, last)


def _size(head: bytes) -> int:
    size = int.from_bytes(head[3:])
    if not CHANGE <= head[0] <= DATA + 1 or head[1] != 3 or size > MOST_RECORD:
        raise GiveUp
    return size


def _keeps(head: bytes) -> bool:
    """Whether a record may be read."""
    return head[0] in (HANDSHAKE, ALERT)


class Tls(Talk):
    """Both directions of a connection: the handshake, then turns.

    Args:
        log: told of each turn, and of a handshake that no turn follows.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._halves: dict[End, _Half] = {"client": _Half(), "server": _Half()}
        self._client: Hello | None = None
        self._server: Hello | None = None
        self._shake: Request | None = None
        self._hidden: Hidden | None = None  # once the handshake is over

    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes of records."""
        if part.broken:
            raise GiveUp
        for record in self._halves[end].read(part.data, part.moment):
            if self._shake is None:
                self._shake = self._log.begin("TLS", record.first)
            if self._hidden is None:
                self._handshake(end, record)
            elif record.kind == DATA:
                self._hidden.say(end, record)
        return None

    def stop(self) -> None:
        """The last turn is over, or the handshake ends as it is."""
        if self._hidden is not None:
            self._hidden.stop()
        elif self._shake is not None:
            self._log.done(self._shake)

    # ---- the handshake ---------------------------------------------------------------------------

    def _handshake(self, end: End, record: Record) -> None:
        half, shake = self._halves[end], self._shake
        assert shake is not None
        if end == "client":
            shake.sent += record.size
            if self._client is None:
                shake.last = record.last
        else:
            shake.received += record.size
            shake.answered, shake.ended = shake.answered or record.first, record.last
        if record.kind == CHANGE:
            half.changed = True
        elif record.kind == ALERT and not half.changed and record.size == 2:
            shake.status = f"alert of the {end}: {alert_of(record.data)}"
        elif record.kind == HANDSHAKE and self._encrypted(half):
            half.finished = record.last
            self._both_finished()
        elif record.kind == HANDSHAKE:
            self._hello(end, half, record.data)
        elif record.kind == DATA and end == "client" and self._of_1_3:
            self._secure(record.last)

    def _encrypted(self, half: _Half) -> bool:
        """Whether a handshake record can no longer be read: up to TLS 1.2, that is Finished."""
        return half.changed and not self._of_1_3 and self._server is not None

    @property
    def _of_1_3(self) -> bool:
        return self._server is not None and self._server.version == "1.3"

    def _hello(self, end: End, half: _Half, data: bytes) -> None:
        known = self._client if end == "client" else self._server
        if known is not None:
            return
        half.message += data
        if len(half.message) > MOST_HEADER:
            raise GiveUp
        if len(half.message) < 4 + int.from_bytes(half.message[1:4]):
            return
        hello, half.message = hello_of(half.message), b""
        shake = self._shake
        if hello is None or shake is None:
            raise GiveUp
        if end == "client":
            self._client = hello
            shake.host, shake.alpn = hello.name, hello.protocols
            shake.what = f"ClientHello to {hello.name}" if hello.name else "ClientHello"
            self._log.asked(shake)
        elif not hello.retry:
            self._server = hello
            shake.tls = shake.status = hello.version
            shake.alpn = hello.protocols or shake.alpn
            self._log.answered(shake)

    def _both_finished(self) -> None:
        """Up to TLS 1.2, it ends when the client has sent its Finished and got the server's."""
        client, server = (half.finished for half in self._halves.values())
        if client is not None and server is not None:
            by_client = client.left > server.came
            self._secure(client if by_client else server, "client" if by_client else "server")

    def _secure(self, moment: Moment, by: End = "client") -> None:
        """The handshake is over for the client, by the last message of one end."""
        shake = self._shake
        assert shake is not None
        if shake.opening is None:
            shake.opening = Opening()
        shake.opening.secured = moment.left if by == "client" else moment.came
        shake.opening.secured_by = by
        shake.whole = True
        self._hidden = Hidden(self._log, shake, moment)
        self._log.done(shake)
