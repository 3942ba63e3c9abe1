"""DNS over TCP: messages behind two bytes of length, in any order (RFC 7766)."""

from __future__ import annotations

from typing import Literal

from trioecho.model import End
from trioecho.requests.dns import Messages
from trioecho.requests.flow import Part
from trioecho.requests.framing import Frame, Frames
from trioecho.requests.protocol import MOST_OPEN, GiveUp, Handover, Log, Talk
from trioecho.requests.request import Request

_LENGTH, _HEADER = 2, 12
#: Questions whose answer may come in many messages: AXFR and IXFR (RFC 5936 §2.2, RFC 1995 §4).
_TRANSFERS = (252, 251)


def is_question(data: bytes) -> Literal["dns", "more", ""]:
    """Whether bytes begin a message that asks one thing.

    >>> is_question(b"\\0\\x1cab\\1\\0\\0\\1" + bytes(6)), is_question(b"GET / HTTP/1.1")
    ('dns', '')
    """
    if len(data) < _LENGTH + _HEADER:
        return "more"
    size = int.from_bytes(data[:_LENGTH])
    answers, questions = data[4] & 0x80, data[6:8]
    return "dns" if size > _HEADER and not answers and questions == b"\0\1" else ""


class DnsTcp(Talk):
    """Both directions of a connection; an answer has the number of its question.

    Args:
        log: told of each question.

    Raises:
        Missing: dnslib is not installed.
    """

    def __init__(self, log: Log) -> None:
        self._log, self._messages = log, Messages()
        self._frames: dict[End, Frames] = {
            end: Frames(_LENGTH, int.from_bytes, lambda _: True) for end in ("client", "server")
        }
        self._open: dict[int, Request] = {}
        self._transfers: set[int] = set()

    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes of messages."""
        if part.broken:
            raise GiveUp
        for message in self._frames[end].read(part.data, part.moment):
            if end == "client":
                self._ask(message)
            else:
                self._answer(message)
        return None

    def stop(self) -> None:
        """What is open ends as it is; a zone's transfer ends with its connection."""
        for number in list(self._open):
            self._done(number, whole=number in self._transfers)

    def _ask(self, message: Frame) -> None:
        read = self._messages.read(message.payload)
        if read is None or read.record.header.qr or len(self._open) >= MOST_OPEN:
            raise GiveUp
        record = read.record
        number = record.header.id
        self._done(number, whole=number in self._transfers)
        request = self._log.begin("DNS", message.first)
        request.what = self._messages.asked(record)
        request.sent, request.last = _LENGTH + message.size, message.last
        self._open[number] = request
        if record.q.qtype in _TRANSFERS:
            self._transfers.add(number)
        self._log.asked(request)

    def _answer(self, message: Frame) -> None:
        number = int.from_bytes(message.payload[:2])
        request = self._open.get(number)
        if request is None:
            return
        request.received += _LENGTH + message.size
        request.ended = message.last
        if request.answered is None:
            read = self._messages.read(message.payload)
            if read is None or not read.record.header.qr:
                raise GiveUp
            request.status = self._messages.status(read.record)
            request.answered = message.first
            self._log.answered(request)
        if number not in self._transfers:
            self._done(number, whole=True)

    def _done(self, number: int, *, whole: bool) -> None:
        request = self._open.pop(number, None)
        self._transfers.discard(number)
        if request is not None:
            request.whole = whole and request.answered is not None
            self._log.done(request)
