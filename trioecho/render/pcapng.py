"""pcapng, the capture format of Wireshark, with each rung's sentences as its comment.

Of a wire of ours a second comment says what became of the packet, so that the ladder read back is
the ladder written (`trioecho.model.way`). It is no option or block of our own, since those that are
for everybody's use want a number that IANA gives out, and other programs drop the rest.

Source: draft-ietf-opsawg-pcapng, §4.1 (section header), §4.2 (interface), §4.3 (enhanced packet),
§4.6 (interface statistics).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from struct import pack
from typing import TYPE_CHECKING, TypeGuard

from msgspec.structs import replace

from trioecho.model import Frame, Rung, State
from trioecho.model.way import TOLD, Way
from trioecho.render.fate import fate
from trioecho.tcp.rules.resets import ProgramStopped

if TYPE_CHECKING:
    from trioecho.model import Summary
    from trioecho.render.renderer import Event, Setting

_SECTION, _INTERFACE, _PACKET, _STATISTICS = 0x0A0D0D0A, 1, 6, 5
_COMMENT, _APPLICATION, _NAME, _DESCRIPTION, _RESOLUTION = 1, 4, 2, 3, 9
_RECEIVED, _DROPPED = 4, 5


class Pcapng:
    """One section with nanosecond times. The file is valid after each block."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._last = 0
        self._interfaces: dict[tuple[int, int, bool], int] = {}

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
        """A packet block for each frame of each rung; other events have no place in a capture."""
        blocks = []
        for frame, several in groupby(filter(_is_rung, events), _frame_of):
            rungs = list(several)  # a frame of 802.11 may hold more than one
            told = any(rung.on_wire for rung in rungs)
            for earlier in rungs[0].segment.earlier:
                blocks += self._frame(earlier, (), told=told)
            blocks += self._frame(frame, chain(*map(_comments, rungs)), told=told)
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
            (_DROPPED, b"" if capture.dropped is None else pack("=Q", capture.dropped)),
        )

    def _frame(self, frame: Frame, comments: Iterable[str], *, told: bool) -> list[bytes]:
        """A packet's block, behind that of its interface if it is the first from there."""
        blocks = []
        self._last = frame.time
        interface = self._interfaces.get((frame.interface, frame.link, told))
        if interface is None:
            interface = len(self._interfaces)
            self._interfaces[frame.interface, frame.link, told] = interface
            blocks.append(self._interface(frame.interface, frame.link, told=told))
        head = pack("=IIIII", interface, *_time(frame.time), len(frame.data), frame.length)
        data = frame.data + b"\0" * (-len(frame.data) % 4)
        options = ((_COMMENT, comment.encode()) for comment in comments)
        return [*blocks, _block(_PACKET, head + data, *options)]

    def _interface(self, number: int, link: int, *, told: bool) -> bytes:
        names = self._setting.interfaces
        return _block(
            _INTERFACE,
            pack("=HHI", link, 0, 0),
            (_NAME, (names[number] if number < len(names) else "").encode()),
            (_DESCRIPTION, TOLD.encode() if told else b""),
            (_RESOLUTION, b"\x09"),
        )


def _is_rung(event: Event) -> TypeGuard[Rung]:
    return isinstance(event, Rung)


def _frame_of(rung: Rung) -> Frame:
    return rung.segment.frame


def _comments(rung: Rung) -> list[str]:
    """What is said of a rung, and what became of it."""
    said = "; ".join((*fate(rung), *(note.text(rung) for note in rung.notes)))
    if not rung.on_wire:
        return [said]
    took = None if rung.arrived is None else rung.arrived - rung.time
    way = Way(rung.kind, rung.fault, rung.lost, rung.broken, rung.too_large, rung.edited, took)
    if rung.sender == "client" and rung.server_state is State.LISTEN:
        way = replace(way, listens=True)
    if any(isinstance(note, ProgramStopped) for note in rung.notes):
        way = replace(way, stopped=True)
    return [said, way.text()]


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
