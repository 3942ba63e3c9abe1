"""pcapng, the capture format of Wireshark, with each rung's sentences as its comment.

Source: draft-ietf-opsawg-pcapng, §4.1 (section header), §4.2 (interface), §4.3 (enhanced packet),
§4.6 (interface statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import TYPE_CHECKING

from trioecho.model import Rung

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.render.renderer import Event, Setting

_SECTION, _INTERFACE, _PACKET, _STATISTICS = 0x0A0D0D0A, 1, 6, 5
_COMMENT, _APPLICATION, _NAME, _RESOLUTION, _RECEIVED, _DROPPED = 1, 4, 2, 9, 4, 5


class Pcapng:
    """One section with nanosecond times. The file is valid after each block."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._last = 0
        self._interfaces: dict[tuple[int, int], int] = {}

    def begin(self) -> bytes:
        """The section header."""
        from trioecho import __version__

        section = pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)
        return _block(
            _SECTION,
            section,
            (_COMMENT, self._setting.title.encode()),
            (_APPLICATION, f"trioecho {__version__}".encode()),
        )

    def show(self, events: Sequence[Event]) -> bytes:
        """A packet block for each rung; other events have no place in a capture."""
        blocks = []
        for event in events:
            if not isinstance(event, Rung):
                continue
            frame = event.segment.frame
            self._last = frame.time
            interface = self._interfaces.get((frame.interface, frame.link))
            if interface is None:
                interface = len(self._interfaces)
                self._interfaces[frame.interface, frame.link] = interface
                blocks.append(self._interface(frame.interface, frame.link))
            head = pack("=IIIII", interface, *_time(frame.time), len(frame.data), frame.length)
            data = frame.data + b"\0" * (-len(frame.data) % 4)
            said = "; ".join(note.text(event) for note in event.notes)
            blocks.append(_block(_PACKET, head + data, (_COMMENT, said.encode())))
        return b"".join(blocks)

    def end(self, summary: Summary) -> bytes:
        """How many frames the capture received and dropped."""
        capture = summary.capture
        if not self._interfaces:
            return b""
        return _block(
            _STATISTICS,
            pack("=III", 0, *_time(self._last)),
            (_RECEIVED, pack("=Q", capture.frames)),
            (_DROPPED, pack("=Q", capture.dropped or 0)),
        )

    def _interface(self, number: int, link: int) -> bytes:
        names = self._setting.interfaces
        name = names[number] if number < len(names) else ""
        return _block(
            _INTERFACE, pack("=HHI", link, 0, 0), (_NAME, name.encode()), (_RESOLUTION, b"\x09")
        )


def _time(nanoseconds: int) -> tuple[int, int]:
    return nanoseconds >> 32, nanoseconds & 0xFFFFFFFF


def _block(kind: int, body: bytes, *options: tuple[int, bytes]) -> bytes:
    written = b"".join(
        pack("=HH", code, len(value)) + value + b"\0" * (-len(value) % 4)
        for code, value in options
        if value
    )
    if written:
        written += pack("=HH", 0, 0)
    length = 12 + len(body) + len(written)
    return pack("=II", kind, length) + body + written + pack("=I", length)
