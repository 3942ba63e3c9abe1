from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trioecho.capture.backlog import Backlog
from trioecho.model import Frame


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
