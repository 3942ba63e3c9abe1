"""What the engine infers, held against what the wire did."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from broken import play, rude, script, unlike
from frames import REPETITIONS

from trioecho.model import Rung
from trioecho.render.script import line

SCRIPTS = 100
TOGETHER = 50


def unnamed(rungs: list[Rung]) -> list[str]:
    """The retransmissions of what the wire lost that are not named so, or point elsewhere."""
    wrong = []
    for at, rung in enumerate(rungs):
        if not rung.segment.space or rung.kind != "original":
            continue
        mine = [one for one in rungs[:at] if one.sender == rung.sender]
        first = next((o for o in mine if o.seq <= rung.seq < o.seq + o.segment.space), None)
        if first is None or not first.lost:
            continue
        named = [note.of for note in rung.notes if isinstance(note, REPETITIONS)]
        if named != [first.number]:
            wrong.append(f"rung {rung.number} repeats the lost {first.number}: {line(rung)}")
    return wrong


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize("start", range(0, SCRIPTS, TOGETHER))
async def test_every_retransmission_of_what_was_lost_is_named_and_points_to_it(start: int) -> None:
    wrong: dict[int, tuple[list[str], list[str]]] = {}
    lost = 0

    async def one(seed: int) -> None:
        nonlocal lost
        faults = script(seed)
        rungs = await play(seed)
        assert rungs
        lost += sum(rung.lost for rung in rungs)
        if found := unnamed(rungs):
            wrong[seed] = faults, found

    async with trio.open_nursery() as nursery:
        for seed in range(start, start + TOGETHER):
            nursery.start_soon(one, seed)
    assert not wrong, "\n".join(
        f"{seed}: {faults}: {said}" for seed, (faults, said) in wrong.items()
    )
    assert lost


@pytest.mark.usefixtures("wires")
@pytest.mark.parametrize("faults", [script, rude], ids=["broken", "rude"])
async def test_each_end_is_in_the_state_that_its_kernel_says(
    faults: Callable[[int], list[str]],
) -> None:
    wrong: dict[str, list[str]] = {}

    async def one(seed: int) -> None:
        if found := await unlike(seed, faults(seed)):
            wrong[f"{seed}: {'; '.join(faults(seed))}"] = found

    async with trio.open_nursery() as nursery:
        # In 8549 hardly an ACK of the client's arrives; in 1166 a forged SYN opens what was closed.
        for seed in (*range(TOGETHER), 1166, 8549):
            nursery.start_soon(one, seed)
    assert not wrong
