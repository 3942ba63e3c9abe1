"""Words that the sentences of several rules share."""

from __future__ import annotations

from trioecho.model import OTHER, End, Options, Rung
from trioecho.text import seconds


def ends(rung: Rung) -> tuple[End, End]:
    """Who sent a rung, and who gets it."""
    return rung.sender, OTHER[rung.sender]


def of_rung(number: int | None) -> str:
    """Such as `` of rung 4``."""
    return f" of rung {number}" if number is not None else ""


def later(after: int | None) -> str:
    """Such as `` after 1.02 s``."""
    return f" after {seconds(after)}" if after is not None else ""


def byte_ranges(*blocks: tuple[int, int]) -> str:
    """Such as ``bytes 101 to 200, 301``."""
    ranges = (f"{left} to {right - 1}" if right - left > 1 else f"{left}" for left, right in blocks)
    one = len(blocks) == 1 and blocks[0][1] - blocks[0][0] == 1
    return ("byte " if one else "bytes ") + ", ".join(ranges)


def offer(options: Options) -> str:
    """The options of a SYN, such as ``mss 1460, window scale 7, SACK``."""
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.window_scale is not None:
        words.append(f"window scale {options.window_scale}")
    if options.sack_permitted:
        words.append("SACK")
    if options.timestamps is not None:
        words.append("timestamps")
    return ", ".join(words) or "no options"
