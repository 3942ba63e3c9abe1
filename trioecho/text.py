"""Bytes and numbers as text that is safe to show.

Bytes from the wire are hostile. Whatever a peer sent, the text made here has no control characters,
no escape sequences and no bidirectional overrides.
"""

from __future__ import annotations

import re
import signal
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textwrap import TextWrapper

_ESCAPE = re.compile(r"\\(x..|u.{4}|U.{8}|.)")


def preview(data: bytes, limit: int = 24, length: int | None = None) -> str:
    """Bytes as a Python literal, cut to ``limit`` bytes.

    >>> preview(b"ok\\x1b[2J", 24)
    "b'ok\\\\x1b[2J'"
    """
    shown = repr(data[:limit])
    return shown + "…" if max(len(data), length or 0) > limit else shown


def fitting(data: bytes, width: int) -> str:
    """Bytes as a Python literal, as many as ``width`` characters have room for.

    >>> fitting(b"GET / HTTP/1.1\\r\\n", 10), fitting(b"ok", 10)
    ("b'GET / '…", "b'ok'")
    """
    if len(repr(data[:width])) <= width and len(data) <= width:
        return repr(data)
    end = min(len(data), width)
    while end and len(repr(data[:end])) >= width:
        end -= 1
    return preview(data, end)


def wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    """Text in lines of at most so many columns, broken between words and never at a hyphen.

    A word that is too long for a line is broken too, though not within an escape such as ``\\xa4``.

    >>> wrapped("it is in SYN-RECEIVED", 12)
    ['it is in', 'SYN-RECEIVED']
    >>> wrapped(repr(bytes(4)), 12)
    ["b'\\\\x00\\\\x00", "\\\\x00\\\\x00'"]
    """
    return _wrapper()(
        width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    ).wrap(text)


@cache
def _wrapper() -> type[TextWrapper]:
    from textwrap import TextWrapper  # most commands need none

    class Wrapper(TextWrapper):
        """It breaks a word that is too long for a line, though never within an escape."""

        def _handle_long_word(
            self, reversed_chunks: list[str], cur_line: list[str], cur_len: int, width: int
        ) -> None:
            word, room = reversed_chunks.pop(), max(width - cur_len, 1)
            within = (one.start() for one in _ESCAPE.finditer(word) if one.end() > room)
            end = min(room, next(within, room)) or (0 if cur_line else room)
            if end:
                cur_line.append(word[:end])
            reversed_chunks.append(word[end:])

    return Wrapper


def printable(text: str) -> str:
    """Text with control characters escaped, so that it cannot control a terminal.

    >>> printable("eth0\\x1b[31m")
    'eth0\\\\x1b[31m'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def seconds(nanoseconds: int) -> str:
    """A duration in a suitable unit.

    >>> seconds(17_300), seconds(1_020_000_000), seconds(250)
    ('17 µs', '1.02 s', '250 ns')
    """
    if nanoseconds >= 999_500_000:
        return f"{nanoseconds / 1e9:.2f} s"
    if nanoseconds >= 10_000_000:
        return f"{nanoseconds / 1e6:.0f} ms"
    if nanoseconds >= 999_500:
        return f"{nanoseconds / 1e6:.1f} ms"
    if nanoseconds >= 1_000:
        return f"{nanoseconds / 1e3:.0f} µs"
    return f"{nanoseconds} ns"


def exit_of(code: int) -> str:
    """How a process ended, by the code that ``subprocess`` gives; not every signal has a name.

    >>> exit_of(1), exit_of(-9), exit_of(-40)
    ('exit code 1', 'SIGKILL', 'signal 40')
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def bytes_of(count: int) -> str:
    """A number of bytes, with its unit.

    >>> bytes_of(1), bytes_of(65483)
    ('1 byte', '65,483 bytes')
    """
    return "1 byte" if count == 1 else f"{count:,} bytes"


def plural(count: int, noun: str) -> str:
    """A number of things, with their name.

    >>> plural(1, "segment"), plural(2, "segment")
    ('1 segment', '2 segments')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def ordinal(number: int) -> str:
    """A number that tells a place.

    >>> ordinal(2), ordinal(13), ordinal(21)
    ('2nd', '13th', '21st')
    """
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
