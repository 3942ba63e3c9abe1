"""The terminal's colours."""

from __future__ import annotations

from typing import Literal, TypeAlias

Style: TypeAlias = Literal["", "quiet", "strong", "call", "arrow", "trouble", "client", "server"]

_CODES: dict[Style, str] = {
    "quiet": "2",
    "strong": "1",
    "call": "36",
    "arrow": "32",
    "trouble": "1;31",
    "client": "36",
    "server": "33",
}


def paint(text: str, style: Style) -> str:
    """Text in a style's colour, by ANSI escape codes."""
    code = _CODES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text else text
