"""Rungs of troubled connections, held back in bounded memory and let go in order."""

from __future__ import annotations

import random
from contextlib import closing

import frames
import pytest
from msgspec.structs import replace

from trioecho.model import Rung
from trioecho.reading.troubled import HeldEvents

(ONE,) = frames.play("+0 > S 0:0(0)")


def rungs(connections: list[int]) -> list[Rung]:
    return [replace(ONE, number=at, connection=one) for at, one in enumerate(connections, 1)]


def test_the_first_goes_as_soon_as_its_connection_is_in_trouble() -> None:
    troubled: set[int] = set()
    with closing(HeldEvents[Rung](lambda rung: rung.connection in troubled)) as held:
        one, two, three, four = rungs([1, 2, 1, 2])
        assert held.put([one, two]) == []
        troubled.add(1)
        assert held.put([three]) == [one]
        troubled.add(2)
        assert held.put([four]) == [two, three, four]
        assert list(held.rest()) == []


@pytest.mark.parametrize("most", [0, 5_000, 1 << 20])
@pytest.mark.parametrize("seed", range(20))
def test_what_comes_out_is_the_same_through_a_file(most: int, seed: int) -> None:
    chance = random.Random(seed)
    every = rungs([chance.randint(1, 6) for _ in range(500)])
    wanted = set(chance.sample(range(1, 7), chance.randint(0, 6)))
    begins = {one: chance.randint(1, 500) for one in wanted}  # the rung that is trouble
    seen = 0

    def is_troubled(rung: Rung) -> bool:
        return begins.get(rung.connection, 501) <= seen

    with closing(HeldEvents(is_troubled, most, piece=4_000)) as held:
        got: list[Rung] = []
        at = 0
        while at < len(every):
            batch = every[at : at + chance.randint(1, 40)]
            at += len(batch)
            seen = at
            got += held.put(batch)
        got += [rung for piece in held.rest() for rung in piece]
    assert got == [rung for rung in every if rung.connection in wanted]
