from __future__ import annotations

import pytest
import trio
from loopback import dial, receive_exactly, reset_on_close, running_server

from trioecho.echo.behaviour import KINDS, Behaviour, parse_behaviour
from trioecho.errors import TrioechoError
from trioecho.lessons import shelf
from trioecho.model import Call

MESSAGE = b"testing purposes"


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        (["delay=200ms"], Behaviour(delay=0.2)),
        (["delay=1.5s", "split=16"], Behaviour(delay=1.5, split=16)),
        (["slow=1kB/s"], Behaviour(slow=1000)),
        (["close-after=0"], Behaviour(close_after=0)),
        (["reset-after=4", "corrupt-byte=1"], Behaviour(reset_after=4, corrupt_byte=1)),
        (["half-close"], Behaviour(half_close=True)),
        (["never-read"], Behaviour(never_read=True)),
        (["never-accept"], Behaviour(never_accept=True)),
    ],
)
def test_ways_to_behave(texts: list[str], meant: Behaviour) -> None:
    assert parse_behaviour(texts) == meant


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["dealy=1s"], "No server behaves 'dealy'. It can: delay, slow, "),
        (["split=1", "split=2"], "'split' is there twice"),
        (["half-close=1"], "'half-close' takes no value"),
        (["delay"], "'delay' needs a time such as 200ms, not ''"),
        (["delay=1"], "'delay' needs a time such as 200ms, not '1'"),
        (["delay=1.2.3s"], "'delay' needs a time such as 200ms, not '1.2.3s'"),
        (["delay=99999999999s"], "'delay' needs a time such as 200ms, not '99999999999s'"),
        (["slow=0kB/s"], "'slow' needs a speed such as 1kB/s, not '0kB/s'"),
        (["split=0"], "'split' needs a number of bytes such as 16, not '0'"),
        (["split=-1"], "'split' needs a number of bytes such as 16, not '-1'"),
    ],
)
def test_what_is_none(texts: list[str], said: str) -> None:
    with pytest.raises(TrioechoError) as caught:
        parse_behaviour(texts)
    assert said in str(caught.value)


def test_each_has_its_lesson() -> None:
    lessons = {name: kind.lesson for name, kind in KINDS.items()}
    assert lessons.pop("corrupt-byte") == ""  # TCP has seen no error, and no wire shows one
    assert set(lessons.values()) <= set(shelf.names())


async def rest_of(client: trio.SocketStream) -> bytes:
    """What comes until the end."""
    return b"".join([data async for data in client])


async def talk(client: trio.SocketStream) -> None:
    """Sends a message, which may come too late, and gets what comes until the end."""
    await client.send_all(MESSAGE)
    await rest_of(client)


async def answer(*texts: str) -> tuple[bytes, list[Call]]:
    """What a client gets until the end, and the server's calls."""
    calls: list[Call] = []
    behaviour = parse_behaviour(texts)
    with trio.fail_after(60):
        async with (
            running_server(behaviour=behaviour, record=calls.append) as server,
            await dial(server.address) as client,
        ):
            await client.send_all(MESSAGE)
            if behaviour.close_after is None:
                await client.send_eof()
            return await rest_of(client), calls


async def test_pieces() -> None:
    got, calls = await answer("split=5")
    assert got == MESSAGE
    assert [call.result for call in calls if call.name == "send"] == [5, 5, 5, 1]


async def test_a_byte_that_is_changed() -> None:
    assert (await answer("corrupt-byte=3"))[0] == b"terting purposes"
    assert (await answer("corrupt-byte=99"))[0] == MESSAGE
    assert (await answer("corrupt-byte=7", "split=3"))[0] == b"testinf purposes"


async def test_it_closes_after_some_bytes() -> None:
    got, _ = await answer("close-after=7", "split=4")
    assert got == MESSAGE[:7]


@pytest.mark.parametrize("count", [0, 7])
async def test_it_resets_after_some_bytes(count: int) -> None:
    behaviour = parse_behaviour([f"reset-after={count}"])
    async with (
        running_server(behaviour=behaviour) as server,
        await dial(server.address) as client,
    ):
        with pytest.raises(trio.BrokenResourceError):
            await talk(client)


async def test_a_client_that_closes_before_is_not_reset() -> None:
    got, calls = await answer("reset-after=100")
    assert got == MESSAGE
    assert not [call for call in calls if call.arguments == "SO_LINGER 0"]


async def test_it_closes_its_direction_and_reads_on() -> None:
    got, calls = await answer("half-close")
    assert got == b""
    names = [call.name for call in calls if call.socket == "connection"]
    assert names.index("shutdown") < names.index("recv")


async def test_times_of_a_late_and_slow_server(autojump_clock: trio.testing.MockClock) -> None:
    behaviour = parse_behaviour(["delay=2s", "slow=8B/s"])
    async with (
        running_server(behaviour=behaviour) as server,
        await dial(server.address) as client,
    ):
        start = trio.current_time()
        await client.send_all(MESSAGE)
        await receive_exactly(client, 1)
        assert trio.current_time() >= start + 2
        await receive_exactly(client, 15)
        assert trio.current_time() >= start + 2 + 15 / 8


async def test_it_never_reads() -> None:
    calls: list[Call] = []
    behaviour = parse_behaviour(["never-read"])
    async with (
        running_server(behaviour=behaviour, record=calls.append) as server,
        await dial(server.address) as client,
    ):
        with trio.move_on_after(1):
            while True:
                await client.send_all(bytes(2**20))
        reset_on_close(client)
    assert not [call for call in calls if call.name == "recv"]


async def test_it_never_accepts() -> None:
    calls: list[Call] = []
    behaviour = parse_behaviour(["never-accept"])
    async with (
        running_server(behaviour=behaviour, record=calls.append) as server,
        await dial(server.address) as client,
    ):
        await client.send_all(MESSAGE)
        with trio.move_on_after(0.1):
            await client.receive_some()
    assert not [call for call in calls if call.name == "accept"]
