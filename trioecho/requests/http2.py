"""HTTP/2 in the clear: frames by hyperframe, headers by hpack."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from trioecho.model import OTHER, End
from trioecho.requests.flow import Part
from trioecho.requests.framing import Frame, Frames
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
    from hpack import Decoder

#: What a client sends first (RFC 9113 §3.4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: What a server sends first, behind three bytes of length: settings of the whole connection.
SETTINGS = b"\4\0\0\0\0\0"
#: Frames of one header block: with so many, they are small on purpose.
MOST_FRAMES = 100
_HEADER = 9
_DATA, _SETTINGS, _PUSH, _CONTINUATION = 0, 4, 5, 9
_END_STREAM = 1
_TABLE_SIZE = 1  # SETTINGS_HEADER_TABLE_SIZE


class _Block(Struct):
    """A header block, which may come in several frames."""

    stream: int
    first: Moment
    data: bytes
    ends: bool
    pushed: bool
    frames: int = 1


class _Half:
    """One direction: its frames, its headers, and the block that is not whole."""

    def __init__(self, decoder: Decoder, skip: int) -> None:
        self.decoder = decoder
        self.block: _Block | None = None
        self.frames = Frames(_HEADER, _size, _keeps, skip=skip)


def _size(head: bytes) -> int:
    size = int.from_bytes(head[:3])
    if size > MOST_HEADER and _keeps(head):
        raise GiveUp
    return size


def _keeps(head: bytes) -> bool:
    """Whether a frame must be read; of DATA, the length is enough."""
    return head[3] != _DATA


class Http2(Talk):
    """Both directions of a connection, which multiplexes streams.

    The library h2 plays one end and refuses an answer to what it has not sent; an observer reads
    with what lies under it.

    Args:
        log: told of each stream.
        upgraded: the request of HTTP/1.1 that is answered on the first stream, if there is one.
        settings: what its header HTTP2-Settings says.

    Raises:
        Missing: hpack or hyperframe is not installed.
    """

    def __init__(self, log: Log, upgraded: Request | None = None, settings: bytes = b"") -> None:
        try:
            from hpack import Decoder, HPACKError
            from hyperframe.exceptions import HyperframeError
            from hyperframe.frame import Frame as Parsed
            from hyperframe.frame import SettingsFrame
        except ImportError:
            raise Missing("HTTP/2") from None
        self._errors = (HPACKError, HyperframeError)
        self._frame_of = Parsed.parse_frame_header
        self._log = log
        self._halves: dict[End, _Half] = {
            "client": _Half(Decoder(MOST_HEADER), len(PREFACE)),
            "server": _Half(Decoder(MOST_HEADER), 0),
        }
        self._streams: dict[int, Request] = {}
        if upgraded is not None:
            upgraded.stream, upgraded.protocol, upgraded.status = 1, "HTTP/2", ""
            upgraded.answered = upgraded.ended = None
            self._streams[1] = upgraded
            with suppress(ValueError, *self._errors):
                frame = SettingsFrame()
                frame.parse_body(memoryview(urlsafe_b64decode(settings + b"==")))
                self._allow("server", frame.settings)

    def take(self, end: End, part: Part) -> Handover | None:
        """Take bytes of frames."""
        if part.broken:
            raise GiveUp
        try:
            for frame in self._halves[end].frames.read(part.data, part.moment):
                self._take(end, frame)
        except self._errors as error:
            raise GiveUp from error
        return None

    def stop(self) -> None:
        """All streams that are open end as they are."""
        for request in self._streams.values():
            self._log.done(request)
        self._streams.clear()

    def _take(self, end: End, frame: Frame) -> None:
        kind, half = frame.head[3], self._halves[end]
        stream = int.from_bytes(frame.head[5:]) & 0x7FFFFFFF
        if (half.block is not None) != (kind == _CONTINUATION) or (
            half.block is not None and half.block.stream != stream
        ):
            raise GiveUp  # nothing comes between the frames of a block (RFC 9113 §4.3)
        if kind == _DATA:
            self._data(end, stream, frame)
            return
        parsed, _ = self._frame_of(memoryview(frame.head))
        parsed.parse_body(memoryview(frame.payload))
        match type(parsed).__name__:
            case "HeadersFrame" | "PushPromiseFrame":
                ends = "END_STREAM" in parsed.flags
                pushed = kind == _PUSH
                half.block = _Block(stream, frame.first, parsed.data, ends, pushed)  # type: ignore[attr-defined]
            case "ContinuationFrame":
                assert half.block is not None
                half.block.data += parsed.data  # type: ignore[attr-defined]
                half.block.frames += 1
                if len(half.block.data) > MOST_HEADER or half.block.frames > MOST_FRAMES:
                    raise GiveUp
            case "SettingsFrame":
                self._allow(OTHER[end], parsed.settings)  # type: ignore[attr-defined]
            case "RstStreamFrame":
                self._reset(end, stream, frame.last)
        if "END_HEADERS" in parsed.flags and half.block is not None:
            self._headers(end, half, frame)

    def _allow(self, end: End, settings: Mapping[int, int]) -> None:
        """How large an end may make the table of its headers, as the other one says."""
        decoder, size = self._halves[end].decoder, settings.get(_TABLE_SIZE, 0)
        allowed = max(decoder.max_allowed_table_size, min(size, MOST_HEADER))
        decoder.max_allowed_table_size = allowed

    def _data(self, end: End, stream: int, frame: Frame) -> None:
        if not stream:
            raise GiveUp
        if (request := self._streams.get(stream)) is not None:
            self._count(end, request, frame.size, frame.last)
            if frame.head[4] & _END_STREAM:
                self._ended(end, stream, request)

    def _headers(self, end: End, half: _Half, frame: Frame) -> None:
        block, half.block = half.block, None
        assert block is not None
        fields = dict(half.decoder.decode(block.data, raw=True))
        if block.pushed:
            return  # the client has not asked for it
        request = self._streams.get(block.stream)
        if request is None and end == "client" and b":method" in fields:
            request = self._begin(block, fields)
        if request is None:
            return
        self._count(end, request, len(block.data), frame.last)
        status = fields.get(b":status", b"")
        if end == "server" and status and not status.startswith(b"1"):
            request.status = text(status)
            request.answered, request.ended = block.first, frame.last
            self._log.answered(request)
        if block.ends:
            self._ended(end, block.stream, request)

    def _begin(self, block: _Block, fields: dict[bytes, bytes]) -> Request:
        if len(self._streams) >= MOST_OPEN:
            raise GiveUp
        request = self._log.begin("HTTP/2", block.first)
        request.stream = block.stream
        target = fields.get(b":path") or fields.get(b":authority", b"")
        request.what = f"{text(fields[b':method'])} {text(target)}"
        request.host = text(fields.get(b":authority", b""))
        self._streams[block.stream] = request
        self._log.asked(request)
        return request

    def _count(self, end: End, request: Request, size: int, moment: Moment) -> None:
        if end == "client":
            request.sent += size
            request.last = moment
        else:
            request.received += size
            request.ended = moment if request.answered is not None else None

    def _ended(self, end: End, stream: int, request: Request) -> None:
        if end == "server" and request.answered is not None:
            request.whole = True
            del self._streams[stream]
            self._log.done(request)

    def _reset(self, end: End, stream: int, moment: Moment) -> None:
        request = self._streams.pop(stream, None)
        if request is None:
            return
        request.status = f"{request.status} reset by the {end}".strip()
        self._log.done(request)
