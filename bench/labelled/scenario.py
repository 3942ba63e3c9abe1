"""Scenario: one labelled run, drawn by its seed."""

from __future__ import annotations

import random

from msgspec import Struct

from labelled.plans import FIRST, LATER, PLANS, Draw, Plan
from trioecho.model import ENDS, End


class Scenario(Struct):
    """A run, as it is planned.

    Args:
        seed: what it was drawn by.
        names: the causes that are planned, one or two.
        end: the one that sends most, or is to blame.
        rtt: the path's, seconds.
        mtu: of both devices.
        congestion: the congestion control of both hosts.
        quiet: whether the hosts are quiet, or have the kernel's own ways.
        plans: what is to happen, one after the other.
    """

    seed: int
    names: tuple[str, ...]
    end: End
    rtt: float
    mtu: int
    congestion: str
    quiet: bool
    plans: list[Plan]

    @property
    def faults(self) -> list[str]:
        """What the wire does."""
        parts = [f"delay {round(self.rtt * 5e5)}us"]
        for plan in self.plans:
            parts += plan.faults
        if self.mtu != 1500:
            parts.append(f"mtu {self.mtu}")
        return parts

    @property
    def sysctl(self) -> tuple[tuple[str, str], ...]:
        """What is set on both hosts."""
        settings = {"net.ipv4.tcp_congestion_control": self.congestion}
        for plan in self.plans:
            settings.update(plan.sysctl)
        return tuple(settings.items())


def scenario(seed: int) -> Scenario:
    """Draw a run: a fifth is clean, two thirds of the rest have one cause, the others two."""
    lot = random.Random(seed)
    names: tuple[str, ...]
    kind = seed % 10
    if kind in (0, 5):
        names = ("clean",)
    elif kind in (3, 6, 9):
        names = _two(lot)
    else:
        names = (lot.choice([name for name in PLANS if name != "clean"]),)
    low = max(PLANS[name][1] for name in names)
    high = min(PLANS[name][2] for name in names)
    rtt = low * (high / low) ** lot.random()
    end = lot.choice(ENDS)
    plans = [PLANS[name][0](Draw(lot, rtt, end, number)) for number, name in enumerate(names, 1)]
    return Scenario(
        seed,
        names,
        end,
        rtt,
        lot.choice((1500, 1500, 1500, 1400, 1280)),
        lot.choice(("reno", "reno", "bbr") if "bottleneck" not in names else ("reno", "bbr")),
        lot.random() < 0.5,
        plans,
    )


def _two(lot: random.Random) -> tuple[str, str]:
    """Two causes that go together: on one path, with other buffers and faults."""
    while True:
        first, second = lot.choice(FIRST), lot.choice(LATER)
        low = max(PLANS[first][1], PLANS[second][1])
        high = min(PLANS[first][2], PLANS[second][2])
        if first != second and low <= high and not _same(first, second):
            return first, second


#: Causes of which one changes what the other needs: a rate, a buffer, a congestion window.
_TOGETHER = (
    frozenset(("bottleneck", "bufferbloat", "slow-start", "congestion-window", "fast-recovery")),
    frozenset(
        (
            "slow-reader",
            "receive-buffer",
            "send-buffer",
            "slow-start",
            "congestion-window",
            "bottleneck",
            "bufferbloat",
            "fast-recovery",
        )
    ),
)


def _same(first: str, second: str) -> bool:
    return any(first in group and second in group for group in _TOGETHER)
