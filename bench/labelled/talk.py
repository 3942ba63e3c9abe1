"""What two programs say to each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from labelled.party import Party


async def both(one: Callable[[], Awaitable[None]], other: Callable[[], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one)
        nursery.start_soon(other)


def text(count: int, *tokens: tuple[int, bytes]) -> bytes:
    """So many bytes, with tokens at some places."""
    data = bytearray(b"." * max(count, 1))
    for place, token in tokens:
        place = max(0, min(place, len(data) - len(token)))
        data[place : place + len(token)] = token
    return bytes(data)


async def bulk(sender: Party, receiver: Party, data: bytes, most: int = 65536) -> None:
    """One sends all that it has, the other reads it as it comes, and says that it has it."""

    async def read() -> None:
        await receiver.receive(len(data), most)
        await receiver.send(b"done")

    async def write() -> None:
        await sender.send(data)
        await sender.receive(4)

    await both(write, read)


async def exchange(asks: Party, answers: Party, sizes: tuple[int, int], think: float = 0) -> None:
    """A question and its answer."""

    async def answer() -> None:
        await answers.receive(sizes[0])
        if think:
            await answers.sleep(think)
        await answers.send(text(sizes[1]))

    async def ask() -> None:
        await asks.send(text(sizes[0]))
        await asks.receive(sizes[1])

    await both(ask, answer)
