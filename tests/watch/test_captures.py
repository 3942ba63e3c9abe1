"""Several captures that run, and the one stream of frames they make."""

from __future__ import annotations

import time

import trio
from canned import Canned
from trio.testing import wait_all_tasks_blocked

from trioecho.errors import TrioechoError
from trioecho.model import Frame
from trioecho.watch.captures import Captures

HOUR = 3_600_000_000_000


def batch(source: int, *times: int, first: int = 1) -> list[Frame]:
    return [Frame(number, at, bytes(60), 101, 60, source) for number, at in enumerate(times, first)]


class Run:
    """Captures, what it has shown and which captures have failed."""

    def __init__(self, *captures: Canned) -> None:
        self.shown: list[tuple[int, int]] = []
        self.failed: list[tuple[int, str, int]] = []
        self.captures = Captures(captures, self.fail)

    async def show(self, frames: list[Frame]) -> None:
        self.shown += [(frame.interface, frame.time) for frame in frames]

    def fail(self, number: int, error: TrioechoError) -> None:
        self.failed.append((number, error.what, len(self.shown)))

    async def settle(self) -> None:
        """Run until nothing happens any more, and then to the end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.captures.run, self.show)
            await wait_all_tasks_blocked()
            self.before = list(self.shown)
            self.captures.stop()


async def test_frames_of_several_captures_in_order_of_time() -> None:
    run = Run(Canned([batch(0, 10, 30)]), Canned([batch(1, 20, 40)], 1))
    await run.settle()
    assert run.shown == [(0, 10), (1, 20), (0, 30), (1, 40)]


async def test_a_frame_waits_for_one_answer_when_the_clock_was_set_back_since() -> None:
    ahead = time.time_ns() + HOUR
    quiet = Canned(index=1)
    run = Run(Canned([batch(0, ahead)]), quiet)
    await run.settle()
    assert run.before == [(0, ahead)]
    assert quiet.marks == 1


async def test_frames_from_before_and_after_the_clock_was_set_back() -> None:
    now = time.time_ns()
    one, other = Canned([batch(0, now + HOUR), batch(0, now, first=2)]), Canned([batch(1, now)], 1)
    run = Run(one, other)
    await run.settle()
    assert sorted(run.before) == [(0, now), (0, now + HOUR), (1, now)]
    assert [at for source, at in run.before if source == 0] == [now + HOUR, now]


class Mute(Canned):
    """Answers no mark."""

    def mark(self) -> None:
        pass


async def test_what_is_behind_includes_what_waits_for_its_place() -> None:
    run = Run(Canned([batch(0, 1, 2)]), Mute(index=1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.captures.run, run.show)
        await wait_all_tasks_blocked()
        assert run.captures.behind == 120
        run.captures.stop()
    assert run.captures.behind == 0
    assert run.shown == [(0, 1), (0, 2)]


async def test_a_capture_that_fails_is_told_of_behind_its_last_frame() -> None:
    down = TrioechoError("The interface is down")
    run = Run(Canned([batch(0, 1, 2)], failure=down), Canned(index=1))
    await run.settle()
    assert run.before == [(0, 1), (0, 2)]
    assert run.failed == [(0, "The interface is down", 2)]
