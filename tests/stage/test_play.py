"""A run on a stage: it begins, something happens, it settles, and all of it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import pytest
import trio
import trio.testing
from frames import frames
from ladders import OPEN

from trioecho.errors import TrioechoError
from trioecho.model import CaptureSummary, Summary
from trioecho.packet.decode import decode
from trioecho.stage.journal import Journal
from trioecho.stage.outputs import Kept, Output
from trioecho.stage.play import LITTLE, check_whole, play
from trioecho.stage.stage import RecordedStage

CLOSE = OPEN + "+.01 < R. 1:1(0) ack 1"


class Quiet:
    """A stage where nothing moves by itself."""

    def __init__(self) -> None:
        self.journal = Journal()
        self._closed = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await self._closed.wait()

    def close(self) -> None:
        self._closed.set()

    async def landed(self) -> None:
        await self.journal.landed()

    async def over(self) -> None:
        while not self.journal.over():
            await self.journal.change()

    async def ask(self) -> None:
        raise AssertionError("a wire is always settled")

    def summary(self) -> Summary:
        return self.journal.summary("quiet")

    def see(self, ladder: str) -> None:
        for _, frame in frames(ladder):
            segment = decode(frame)
            assert segment is not None
            self.journal.seen(segment)


class Direct(Output):
    """Writes without a thread, for which no made-up clock would wait."""

    async def write(self, render: Callable[[], bytes]) -> None:
        render()


class Run:
    """A run of ladders, and what became of it."""

    def __init__(self, ladder: str, *failures: TrioechoError) -> None:
        self.stage, self.kept, self.stop = Quiet(), Kept(), trio.Event()
        self.ladder, self.failures = ladder, failures
        self.settled = 0

    async def act(self) -> Sequence[TrioechoError]:
        self.stage.see(self.ladder)
        return self.failures

    async def play(self, grace: float = 60) -> Summary:
        return await play(
            cast(RecordedStage, self.stage),
            [Direct(self.kept, bytearray().extend)],
            self.act,
            grace=grace,
            stop=self.stop,
            settled=self._settle,
        )

    def _settle(self) -> None:
        self.settled += 1


async def test_all_of_it_is_shown_when_the_connections_are_over() -> None:
    run = Run(CLOSE)
    summary = await run.play(grace=float("inf"))
    assert len(run.kept.rungs) == 4
    assert run.settled == 1
    assert run.stage.journal.finished
    assert summary.connections[0].closed_by == "rst"


async def test_a_connection_that_stays_open_has_the_grace(
    autojump_clock: trio.testing.MockClock,
) -> None:
    run, began = Run(OPEN), trio.current_time()
    summary = await run.play(grace=60)
    assert trio.current_time() - began == 60
    assert len(run.kept.rungs) == 3
    assert summary.connections[0].closed_by is None


async def test_behind_a_failure_there_is_little_to_wait_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The first is raised, and the outputs are complete all the same."""
    run, began = Run(OPEN, TrioechoError("first"), TrioechoError("second")), trio.current_time()
    with pytest.raises(TrioechoError, match="first"):
        await run.play(grace=60)
    assert trio.current_time() - began == LITTLE
    assert len(run.kept.rungs) == 3


async def test_once_the_user_has_had_enough_nothing_is_waited_for_and_nothing_raised(
    autojump_clock: trio.testing.MockClock,
) -> None:
    run, began = Run(OPEN, TrioechoError("first")), trio.current_time()
    run.stop.set()
    await run.play(grace=60)
    assert trio.current_time() - began == LITTLE
    assert len(run.kept.rungs) == 3


async def test_a_bug_in_what_happens_comes_out() -> None:
    run = Run(OPEN)

    async def act() -> Sequence[TrioechoError]:
        raise ZeroDivisionError

    run.act = act  # type: ignore[method-assign]
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        await run.play()


@pytest.mark.parametrize("dropped", [None, 0])
def test_a_capture_without_holes_is_whole(dropped: int | None) -> None:
    check_whole(Summary((), CaptureSummary("lo", 9, dropped)))


def test_a_capture_with_holes_is_told() -> None:
    with pytest.raises(TrioechoError, match="dropped 2 frames: the ladder has holes"):
        check_whole(Summary((), CaptureSummary("lo", 9, 2)))
