from __future__ import annotations

import pytest
import trio
from canned import Canned
from trio.testing import wait_all_tasks_blocked

from trioecho.capture.live import Backlog
from trioecho.model import Frame

FRAMES = [[Frame(number, number, bytes(60), 101, 60)] for number in (1, 2, 3)]


async def answers(capture: Canned, asked: int) -> list[list[Frame]]:
    """What comes out when the backlog is full at the end, and marks are asked for meanwhile."""
    capture.backlog = 0
    got = []
    send, receive = trio.open_memory_channel[list[Frame]](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(capture.run, send)
        capture.mark()
        capture.stop()
        async with receive:
            for _ in range(asked):
                await wait_all_tasks_blocked()
                capture.mark()
                got.append(await receive.receive())
            got += [batch async for batch in receive]
    return got


@pytest.mark.parametrize("asked", range(7))
async def test_every_mark_that_is_asked_for_before_the_end_is_answered(asked: int) -> None:
    """At whatever moment: while frames are read, and while the last wait to be delivered."""
    got = await answers(Canned(FRAMES), asked)
    assert [batch for batch in got if batch] == FRAMES
    assert got.count([]) == 1 + asked


async def test_a_mark_behind_the_last_frame_is_answered_by_the_end_of_the_channel() -> None:
    capture = Canned(FRAMES)
    assert await answers(capture, 0) == [*FRAMES, []]
    capture.mark()


async def test_a_mark_stands_behind_what_has_been_captured() -> None:
    capture = Canned(FRAMES)
    send, receive = trio.open_memory_channel[list[Frame]](0)
    capture.mark()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(capture.run, send)
        assert [await receive.receive() for _ in range(4)] == [*FRAMES, []]
        nursery.cancel_scope.cancel()


async def test_a_mark_may_be_asked_for_at_any_moment_of_the_end() -> None:
    capture = Canned(FRAMES)
    send, receive = trio.open_memory_channel[list[Frame]](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(capture.run, send)
        capture.mark()
        capture.stop()
        for _ in range(50):
            capture.mark()
            await trio.lowlevel.checkpoint()
        async with receive:
            got = [batch async for batch in receive]
    assert got == [*FRAMES, *[[]] * 51]


@pytest.mark.parametrize("moment", range(12))
async def test_a_stop_is_heard_at_any_moment(moment: int) -> None:
    """Also on a quiet interface, while a mark is answered."""
    capture, over = Canned(), False
    send, receive = trio.open_memory_channel[list[Frame]](1)

    async def run() -> None:
        nonlocal over
        await capture.run(send)
        over = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        capture.mark()
        for _ in range(moment):
            await trio.lowlevel.checkpoint()
        capture.stop()
        await wait_all_tasks_blocked()
        assert over
        assert receive.receive_nowait() == []
        nursery.cancel_scope.cancel()


def batch(number: int, size: int = 100) -> list[Frame]:
    return [Frame(number, number, bytes(size), 1, size)]


async def test_batches_come_out_as_they_went_in() -> None:
    backlog = Backlog(limit=10_000)
    send, receive = trio.open_memory_channel[list[Frame]](0)
    batches = [batch(number) for number in range(50)]
    async with trio.open_nursery() as nursery:
        for one in batches:
            backlog.add(one)
            await backlog.room()
        backlog.end()
        nursery.start_soon(backlog.deliver, send)
        assert [one async for one in receive] == batches


@pytest.mark.parametrize(("limit", "fit"), [(0, 0), (99, 0), (100, 1), (250, 2)])
async def test_no_more_waits_than_the_limit(limit: int, fit: int) -> None:
    backlog = Backlog(limit)
    put: list[int] = []
    send, receive = trio.open_memory_channel[list[Frame]](0)

    async def fill() -> None:
        for number in range(10):
            backlog.add(batch(number))
            await backlog.room()
            put.append(number)
        backlog.end()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fill)
        nursery.start_soon(backlog.deliver, send)
        await wait_all_tasks_blocked()
        assert put == list(range(fit))
        assert [one[0].number async for one in receive] == list(range(10))


async def test_an_end_with_nothing_in_it() -> None:
    backlog = Backlog(0)
    send, receive = trio.open_memory_channel[list[Frame]](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(backlog.deliver, send)
        await wait_all_tasks_blocked()
        backlog.end()
        with pytest.raises(trio.EndOfChannel):
            await receive.receive()
