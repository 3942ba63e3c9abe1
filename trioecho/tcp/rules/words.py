"""Words that the sentences of several rules share."""

from __future__ import annotations

from trioecho.model import OTHER, End, Rung
from trioecho.text import seconds


def ends(rung: Rung) -> tuple[End, End]:
    """Who sent a rung, and who gets it."""
    return rung.sender, OTHER[rung.sender]


def of_rung(number: int | None) -> str:
    """Such as `` of rung 4``."""
    return f" of rung {number}" if number is not None else ""


def known_copy(rung: Rung) -> str:
    """What tells that a packet is a copy, and what a copy means."""
    known = "by its IP identification" if rung.segment.identification else "too soon to be new"
    return f", {known}: it passes here twice, or was doubled on its way"


def passed(since: int, until: int) -> int | None:
    """The time from one to the other, None where the capture's clock was set back between them."""
    return until - since if until >= since else None


def later(after: int | None) -> str:
    """Such as `` after 1.02 s``."""
    return f" after {seconds(after)}" if after is not None else ""


def byte_ranges(*blocks: tuple[int, int]) -> str:
    """Such as ``bytes 101 to 200, 301``."""
    ranges = (f"{left} to {right - 1}" if right - left > 1 else f"{left}" for left, right in blocks)
    count = sum(right - left for left, right in blocks)
    return ("byte " if count == 1 else "bytes ") + ", ".join(ranges)
