# covers: echo/conversation

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
import trio.testing
from loopback import (
    HOST,
    Running,
    at_the_end,
    early,
    flipping,
    plain_server,
    resetting,
    running_server,
    silent,
    talkative,
    tutorial,
)

from trioecho.echo.behaviour import parse_behaviour
from trioecho.echo.client import ClientClose, Exchange, exchange
from trioecho.echo.dial import open_connection
from trioecho.echo.source import message_from, read_all, size_left
from trioecho.echo.window import IN_MEMORY, EchoDiffers
from trioecho.errors import TrioechoError
from trioecho.model import Call
from trioecho.sockets.address import Address
from trioecho.sockets.observed import ObservedSocket

MESSAGE = b"testing purposes"


async def test_a_message() -> None:
    async with running_server() as server:
        connection = await open_connection(server.address)
        result = await exchange(connection, MESSAGE)
        assert connection.closed
    assert result[:2] == (16, 16)
    assert len(result.round_trips) == 1
    assert result.server_end == "fin"


@pytest.mark.parametrize(
    ("close", "client_calls", "server_end"),
    [
        ("eof", ["send", "recv", "shutdown", "recv", "close"], "fin"),
        ("half", ["send", "shutdown", "recv", "recv", "close"], "fin"),
        ("fin", ["send", "recv", "close"], "open"),
        ("rst", ["send", "recv", "setsockopt", "close"], "open"),
    ],
)
async def test_each_close(close: ClientClose, client_calls: list[str], server_end: str) -> None:
    calls: list[Call] = []
    async with running_server() as server:
        connection = await open_connection(server.address, record=calls.append)
        result = await exchange(connection, MESSAGE, close=close)
        server.stop.set()
        await server.ended.wait()
        assert (server.report.finished, server.report.reset) == (
            (0, 1) if close == "rst" else (1, 0)
        )
    assert [call.name for call in calls] == ["socket", "connect", "connect", *client_calls]
    assert result.server_end == server_end


async def test_repeating() -> None:
    calls: list[Call] = []
    rounds: list[int] = []

    async def round_done(number: int, _: int) -> None:
        rounds.append(number)

    async with running_server() as server:
        connection = await open_connection(server.address, record=calls.append)
        result = await exchange(connection, MESSAGE, count=3, round_done=round_done)
        assert server.report.connections == 1
    assert result[:2] == (48, 48)
    assert rounds == [1, 2, 3]
    assert len(result.round_trips) == 3
    assert all(time > 0 for time in result.round_trips)
    assert [call.name for call in calls][3:] == ["send", "recv"] * 3 + ["shutdown", "recv", "close"]


async def test_nothing_at_all() -> None:
    async with running_server() as server:
        result = await exchange(await open_connection(server.address), b"")
    assert (result.sent, result.received, result.server_end) == (0, 0, "fin")


async def test_more_than_every_buffer_holds() -> None:
    message = os.urandom(1 << 20) * 32
    pieces: list[bytes] = []

    async def received(data: bytes) -> None:
        pieces.append(data)

    async with running_server() as server:
        connection = await open_connection(server.address)
        result = await exchange(connection, message, received=received)
    assert result.received == len(message)
    assert b"".join(pieces) == message


async def with_plain(port: int, message: bytes = MESSAGE, **options: object) -> Exchange:
    connection = await open_connection(Address(HOST, port))
    return await exchange(connection, message, **options)  # type: ignore[arg-type]


async def test_the_server_of_every_tutorial() -> None:
    with plain_server(tutorial) as port:
        assert (await with_plain(port, MESSAGE * 10_000)).server_end == "fin"


async def test_a_server_that_never_closes() -> None:
    with plain_server(tutorial, hold=True) as port:
        result = await with_plain(port, patience=0.01)
    assert (result.received, result.server_end) == (16, "open")


async def test_a_server_that_answers_only_at_the_end() -> None:
    # Twice what is kept in memory; a plain server ends at a message that begins with a zero.
    message = b"x" + os.urandom((1 << 20) - 1) * (IN_MEMORY >> 19)
    with plain_server(at_the_end) as port:
        result = await with_plain(port, message, patience=0.01)
    assert (result.received, result.server_end) == (len(message), "fin")


async def test_a_wrong_echo() -> None:
    with plain_server(flipping) as port, pytest.raises(EchoDiffers) as caught:
        await with_plain(port)
    assert caught.value.offset == 8
    assert (caught.value.expected, caught.value.received) == (ord("p"), ord("P"))


async def test_more_than_was_sent() -> None:
    with plain_server(talkative) as port, pytest.raises(EchoDiffers, match="more than it received"):
        await with_plain(port)


async def failing(port: int, **options: object) -> str:
    with pytest.raises(TrioechoError) as caught:
        await with_plain(port, **options)  # type: ignore[arg-type]
    return caught.value.what


async def test_a_reset_half_way() -> None:
    with plain_server(resetting) as port:
        what = await failing(port)
    assert what.startswith("The connection was reset half way: ")
    assert what.endswith(" of 16 bytes had come back")  # a reset may overtake the four


async def test_an_early_end() -> None:
    with plain_server(early) as port:
        what = await failing(port)
    assert what == "The server closed the connection too early: 4 of 16 bytes had come back"


async def test_an_end_before_anything_was_sent() -> None:
    over = trio.Event()

    async def late() -> AsyncGenerator[bytes, None]:
        await over.wait()
        yield MESSAGE

    behaviour = parse_behaviour(["half-close"])
    async with running_server(behaviour=behaviour) as server:
        connection = await open_connection(server.address)
        with pytest.raises(TrioechoError) as caught:
            await exchange(connection, late)
    assert caught.value.what == "The server closed the connection too early: nothing had been sent"


async def test_an_early_end_while_sending_for_ever() -> None:
    async def for_ever() -> AsyncGenerator[bytes, None]:
        while True:
            yield bytes(1000)

    with plain_server(resetting) as port:
        connection = await open_connection(Address(HOST, port))
        with pytest.raises(TrioechoError, match="half way"):
            await exchange(connection, for_ever)
    gc.collect()


async def test_no_echo_in_time() -> None:
    with plain_server(silent, hold=True) as port:
        what = await failing(port, timeout=0.02)
    assert what == "No echo within 0.02 s: 0 of 16 bytes had come back"


async def test_a_source_may_take_its_time() -> None:
    """The clock runs only while an echo is awaited."""

    async def slow() -> AsyncGenerator[bytes, None]:
        yield b"a"
        await echoed.wait()
        await trio.sleep(0.08)  # more than the timeout
        yield b"b"

    async def received(_: bytes) -> None:
        echoed.set()

    echoed = trio.Event()
    async with running_server() as server:
        connection = await open_connection(server.address)
        result = await exchange(connection, slow, timeout=0.04, received=received)
    assert result.received == 2


async def test_whoever_takes_the_echo_may_take_its_time() -> None:
    taken: list[bytes] = []

    async def received(data: bytes) -> None:
        await trio.sleep(0.08)  # more than the timeout
        taken.append(data)

    async with running_server() as server:
        connection = await open_connection(server.address)
        await exchange(connection, MESSAGE, timeout=0.02, recv_size=8, received=received)
    assert b"".join(taken) == MESSAGE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was acknowledged")
async def test_a_server_that_reads_steadily_is_waited_for() -> None:
    """The kernel takes all at once, and long after that nothing moves but what the server reads."""

    def steady(connection: socket.socket) -> None:
        pieces = []
        while data := connection.recv(65536):
            pieces.append(data)
            pace.wait(0.03)
        connection.sendall(b"".join(pieces))

    pace = threading.Event()
    message = b"x" * (2 << 20)
    start = trio.current_time()
    with plain_server(steady) as port:
        result = await with_plain(port, message, timeout=0.3)
    assert result.received == len(message)
    assert trio.current_time() - start > 0.6


async def test_cancellation_leaves_nothing_open() -> None:
    calls: list[Call] = []
    with plain_server(silent) as port:
        connection = await open_connection(Address(HOST, port), record=calls.append)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exchange, connection, MESSAGE)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert connection.closed
    assert calls[-1].name == "close"
    gc.collect()


async def test_refused() -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        port = nobody.getsockname()[1]
        with pytest.raises(TrioechoError, match=f"{port} refused the connection") as caught:
            await open_connection(Address(HOST, port))
    assert caught.value.hint == f"Start a server with: trioecho serve {HOST}:{port}"
    gc.collect()


async def test_no_answer() -> None:
    """A queue of handshakes that is full drops what comes further, as a firewall would."""
    with socket.socket() as full:
        full.bind((HOST, 0))
        full.listen(0)
        address = Address(HOST, full.getsockname()[1])
        waiting: list[ObservedSocket] = []

        async def fill() -> None:
            while True:
                waiting.append(await open_connection(address, timeout=0.05))

        with pytest.raises(TrioechoError, match=r"did not answer within 0\.05 s"):
            await fill()
        for connection in waiting:
            connection.close()
    gc.collect()


async def test_a_file_is_read_again_for_each_round(tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(os.urandom(600_000))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, 100_000, os.SEEK_SET)
        assert size_left(descriptor) == 500_000
        async with running_server() as server:
            connection = await open_connection(server.address)
            result = await exchange(connection, message_from(descriptor, "it"), count=2)
    finally:
        os.close(descriptor)
    assert result.received == 1_000_000


async def test_a_pipe_is_streamed() -> None:
    readable, writable = os.pipe()
    try:
        assert size_left(readable) is None
        async with running_server() as server, trio.open_nursery() as nursery:

            async def feed(running: Running) -> None:
                for _ in range(3):
                    await trio.to_thread.run_sync(os.write, writable, b"part")
                    while running.report.connections == 0:
                        await trio.lowlevel.checkpoint()
                os.close(writable)

            nursery.start_soon(feed, server)
            connection = await open_connection(server.address)
            result = await exchange(connection, message_from(readable, "a pipe"))
    finally:
        os.close(readable)
    assert result.received == 12


async def test_what_cannot_be_read(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(TrioechoError, match="Cannot read it: Is a directory"):
            await read_all(descriptor, "it")
        async with running_server() as server:
            connection = await open_connection(server.address)
            with pytest.raises(TrioechoError, match="Cannot read it: Is a directory"):
                await exchange(connection, message_from(descriptor, "it"))
    finally:
        os.close(descriptor)
