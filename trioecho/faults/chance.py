"""Chance that repeats itself: the same seed draws the same numbers. PURE."""

from __future__ import annotations

from random import Random

from trioecho.model import ENDS, End


class Chance:
    """Draws separately for each end, and for TCP apart from other packets."""

    def __init__(self, seed: int) -> None:
        self._draws = {
            (end, tcp): Random(f"{seed} {end} {tcp}") for end in ENDS for tcp in (False, True)
        }

    def draw(self, end: End, tcp: bool) -> float:
        """The next number of an end's packets, from 0 up to 1."""
        return self._draws[end, tcp].random()
