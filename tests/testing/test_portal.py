from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from trioecho.errors import TrioechoError
from trioecho.testing.portal import open_portal


@asynccontextmanager
async def diary(said: list[str]) -> AsyncIterator[list[str]]:
    said.append("opened")
    try:
        yield said
    finally:
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
        said.append("closed")


async def divide(number: int) -> float:
    await trio.lowlevel.checkpoint()
    return 1 / number


def test_it_calls_and_answers() -> None:
    said: list[str] = []
    with open_portal(diary(said)) as (portal, value):
        assert value is said == ["opened"]
        assert portal.call(divide, 2) == 0.5
        with pytest.raises(ZeroDivisionError):
            portal.call(divide, 0)
        assert portal.call(divide, 4) == 0.25
    assert said == ["opened", "closed"]


async def test_it_is_open_to_a_task_of_another_loop() -> None:
    with open_portal(diary([])) as (portal, _):
        assert portal.call(divide, 2) == 0.5


def test_the_thread_is_joined_when_the_block_fails() -> None:
    said: list[str] = []
    before = threading.enumerate()
    with pytest.raises(KeyError), open_portal(diary(said)):
        raise KeyError
    assert said == ["opened", "closed"]
    assert [one for one in threading.enumerate() if one not in before] == []


def test_what_cannot_be_opened_says_why() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise LookupError("no such thing")
        yield

    with pytest.raises(LookupError, match="no such thing"), open_portal(broken()):
        raise AssertionError


def test_what_breaks_in_the_loop_comes_out() -> None:
    stumble = threading.Event()

    @asynccontextmanager
    async def stumbling() -> AsyncIterator[None]:
        async def fall() -> None:
            await trio.to_thread.run_sync(stumble.wait)
            raise LookupError("fallen")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fall)
            yield

    def use() -> None:
        with open_portal(stumbling()) as (portal, _):
            stumble.set()
            portal.call(trio.sleep_forever)

    with pytest.raises(ExceptionGroup) as caught:
        use()
    assert caught.group_contains(LookupError, match="fallen")
    assert isinstance(caught.value.__context__, TrioechoError)
    assert str(caught.value.__context__).startswith("The wire has ended")


def test_calls_from_other_threads_end_with_the_block() -> None:
    errors: list[BaseException] = []
    begun = threading.Event()

    async def for_ever() -> None:
        begun.set()
        await trio.sleep_forever()

    def use() -> None:
        try:
            portal.call(for_ever)
        except TrioechoError as error:
            errors.append(error)

    with open_portal(diary([])) as (portal, _):
        thread = threading.Thread(target=use)
        thread.start()
        assert begun.wait(30)
    thread.join()
    with pytest.raises(TrioechoError, match="ended with its test"):
        portal.call(divide, 1)
    assert len(errors) == 1
