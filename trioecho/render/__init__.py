"""Rungs, calls and the summary -> text or bytes. Pure: nothing here opens, prints or waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from trioecho.model import Call, Frame, Process, Rung, Summary

#: What a renderer is shown.
Event = Rung | Call | Process


class Setting(Struct, frozen=True):
    """What a renderer may want to know before the first event.

    Args:
        title: one line that says what is shown, and where.
        interfaces: the names of the interfaces, by the frames' number for them; the sequence may
            grow while it is used.
        width: columns of the screen.
        unicode: whether arrows may be drawn with characters beyond ASCII.
        color: whether ANSI colours may be used.
        absolute: whether to show raw sequence numbers.
        several: whether there may be more than one connection, so that rows must be numbered.
        fold: after how many rungs uneventful ones are folded; None to fold none.
        refill: rungs that may be shown in full besides, for each second that passes.
        start: the time that counts as zero, nanoseconds since the epoch; None for the first event.
        details: lines to show below a rung, such as its dissected fields; None for none.
    """

    title: str = ""
    interfaces: Sequence[str] = ()
    width: int = 80
    unicode: bool = True
    color: bool = False
    absolute: bool = False
    several: bool = False
    fold: int | None = None
    refill: int = 0
    start: int | None = None
    details: Callable[[Frame], Sequence[str]] | None = None


class Renderer(Protocol):
    """One format. Each method returns the bytes to be written, possibly none."""

    def begin(self) -> bytes:
        """What stands before the first event."""

    def show(self, events: Sequence[Event]) -> bytes:
        """Some events.

        Args:
            events: the events, in order of time.

        Returns:
            What is to be written for them now; nothing, where the renderer waits for the end.
        """

    def end(self, summary: Summary) -> bytes:
        """What stands after the last event. Without it, what was written so far is still valid.

        Args:
            summary: what it all came to.

        Returns:
            The last of what is to be written.
        """


def _terminal(setting: Setting) -> Renderer:
    from trioecho.render.terminal import Terminal

    return Terminal(setting)


def _jsonl(setting: Setting) -> Renderer:
    from trioecho.render.jsonl import JsonLines

    return JsonLines(setting)


def _ladder(setting: Setting) -> Renderer:
    from trioecho.render.script import Script

    return Script(setting)


def _pcapng(setting: Setting) -> Renderer:
    from trioecho.render.pcapng import Pcapng

    return Pcapng(setting)


def _svg(setting: Setting) -> Renderer:
    from trioecho.render.svg import Svg

    return Svg(setting)


#: Every format by its name.
FORMATS: dict[str, Callable[[Setting], Renderer]] = {
    "terminal": _terminal,
    "json": _jsonl,
    "ladder": _ladder,
    "pcapng": _pcapng,
    "svg": _svg,
}

#: Suffixes of the formats that are written in one piece, at their end.
AT_THE_END = {".svg"}

#: The format of a file by its suffix.
SUFFIXES = {
    ".txt": "terminal",
    ".jsonl": "json",
    ".ladder": "ladder",
    ".pcapng": "pcapng",
    ".svg": "svg",
}
