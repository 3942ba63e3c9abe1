"""Bulk transfers as ladders: a sender whose window halves on loss, and what is on its path."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from ladders import AT_CLIENT

SIZE = 100
HEADERS = 52
RTT = 0.02
RTO = 0.3

#: Takes a packet at a time, and gives its delay in seconds, None for a loss.
Device = Callable[[float, int], float | None]


def policer(rate: float, burst: float) -> Device:
    """A token bucket, in bytes a second and bytes, that is full at first."""
    tokens, before = burst, 0.0

    def take(time: float, size: int) -> float | None:
        nonlocal tokens, before
        tokens, before = min(burst, tokens + rate * (time - before)), time
        if tokens < size:
            return None
        tokens -= size
        return 0.0

    return take


def queue(rate: float, places: int) -> Device:
    """A line with a rate, in bytes a second, for which so many packets may wait."""
    free = 0.0

    def take(time: float, size: int) -> float | None:
        nonlocal free
        if (free - time) * rate / size > places:
            return None
        free = max(free, time) + size / rate
        return free - time

    return take


def chance(share: float, seed: int) -> Device:
    """A bad link."""
    lot = random.Random(seed)
    return lambda _time, _size: None if lot.random() < share else 0.0


def changing(first: Device, until: float, second: Device) -> Device:
    """A path that is another one from a time on."""
    return lambda time, size: (first if time < until else second)(time, size)


def ladder(
    device: Device, rounds: int, *, wire: bool = False, window: int = 10, pause: float = 0
) -> str:
    """Transfers from the client, round by round, captured there or on a wire that knows.

    With a ``pause``, in seconds, there is one after each 40 rounds or more, when all has arrived.
    """
    lines: list[tuple[float, str]] = []
    time, fresh, missing, got = 0.1, 1, list[int](), set[int]()
    since = 0
    for _ in range(rounds):
        new = range(fresh, fresh + SIZE * max(0, window - len(missing)), SIZE)
        fresh = new.stop
        arrived, lost = list[tuple[float, int]](), list[int]()
        for place, seq in enumerate([*missing, *new]):
            at = time + place * 1e-4
            delay = device(at, SIZE + HEADERS)
            gone = " lost" if wire and delay is None else ""
            lines.append((at, f"> . {seq}:{seq + SIZE}({SIZE}) ack 1{gone}"))
            if delay is None:
                lost.append(seq)
            else:
                arrived.append((at + RTT + delay, seq))
        for at, seq in arrived:
            got.add(seq)
            lines.append((at, _ack(got, seq)))
        time = max((at for at, _ in arrived), default=time + RTO) + 1e-3
        since += 1
        if pause and since >= 40 and not lost:
            time, since = time + pause, 0
        missing, window = lost, max(2, window // 2) if lost else window + 2
    lines.sort(key=lambda one: one[0])
    starts = [0.1, *(at for at, _ in lines)]
    steps = (then - before for before, then in pairwise(starts))
    return AT_CLIENT + "\n".join(
        f"+{step:.6f} {line}" for step, (_, line) in zip(steps, lines, strict=True)
    )


def _ack(got: set[int], seq: int) -> str:
    ack = 1
    while ack in got:
        ack += SIZE
    first, end = seq, seq + SIZE
    while first - SIZE in got:
        first -= SIZE
    while end in got:
        end += SIZE
    sack = f" <sack {first}:{end}>" if first > ack else ""
    return f"< . 1:1(0) ack {ack}{sack}"
