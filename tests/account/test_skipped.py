"""Packets that a tap has not seen, by IPv4 identification."""

from __future__ import annotations

import pytest
from frames import play
from msgspec.structs import replace

from trioecho.account.skipped import MOST, Counter, Gap
from trioecho.model import Rung

DATA = "+0 > .  1:11(10) ack 1\n"


def gaps(*numbers: int, length: int = 10) -> list[Gap | None]:
    """What is told of packets of one end with these identifications."""
    rung: Rung = play(DATA)[0]
    counter, found = Counter(), []
    for number in numbers:
        segment = replace(rung.segment, identification=number, length=length)
        found.append(counter.see(segment, 100))
    return found


@pytest.mark.parametrize(
    ("numbers", "last"),
    [
        ((1, 2, 3, 4), None),
        ((1, 2, 4), Gap(1, sure=False)),
        ((1, 2, 3, 4, 6), Gap(1, sure=True)),
        ((1, 2, 3, 4, 5 + MOST), Gap(MOST, sure=True)),
        ((1, 2, 3, 4, 6 + MOST), None),
        ((65534, 65535, 0, 1), None),  # it wraps
        ((65534, 65535, 1), Gap(1, sure=False)),
        ((1, 3), None),  # nothing has shown that it counts
        ((1, 3, 4, 5, 7), None),  # it does not count by one
        ((1, 2, 3, 5, 4, 6), None),  # overtaken
        ((0, 0, 2), None),
    ],
)
def test_gaps(numbers: tuple[int, ...], last: Gap | None) -> None:
    assert gaps(*numbers)[-1] == last


def test_offload_takes_a_number_for_each_segment() -> None:
    assert gaps(1, 4, 7, 10, 14, length=300) == [None] * 4 + [Gap(1, sure=True)]
