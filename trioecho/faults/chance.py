"""Chance that repeats itself: the same seed draws the same numbers. PURE."""

from __future__ import annotations

from random import Random
from typing import Generic, TypeVar

from trioecho.faults.fate import Fate
from trioecho.faults.fault import NEVER, Actor, Fault
from trioecho.model import ENDS, End
from trioecho.text import plural


class Chance:
    """Draws separately for each end, and for TCP apart from other packets."""

    def __init__(self, seed: int) -> None:
        self._draws = {
            (end, tcp): Random(f"{seed} {end} {tcp}") for end in ENDS for tcp in (False, True)
        }

    def draw(self, end: End, tcp: bool) -> float:
        """The next number of an end's packets, from 0 up to 1."""
        return self._draws[end, tcp].random()


class AtRandom(Fault, frozen=True):
    """A fault of packets at random; the same seed chooses the same ones.

    Args:
        percent: the share of the packets.
        end: whose packets; None for both ends'.
    """

    percent: float
    seed: int = 1
    end: End | None = None


AnyRandom = TypeVar("AnyRandom", bound=AtRandom)


class Drawing(Actor[AnyRandom], Generic[AnyRandom]):
    """Such a fault at work.

    Attributes:
        drawn: whether chance took the packet.
    """

    def __init__(self, fault: AnyRandom) -> None:
        super().__init__(fault)
        self.drawn = False
        self._packets = self._taken = 0
        self._chance = Chance(fault.seed)

    def meet(self, fate: Fate) -> None:
        fault, packet = self.fault, fate.packet
        self.drawn = False
        if packet.is_from(fault.end):
            self._packets += 1
            share = self._chance.draw(packet.end, packet.segment is not None)
            self.drawn = share * 100 < fault.percent
            self._taken += self.drawn

    def why(self, connections: int) -> str:
        if self._taken:
            return ""
        return f"{NEVER}chance took none of {plural(self._packets, 'packet')}"
