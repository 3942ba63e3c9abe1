# covers: sockets/recorder

from __future__ import annotations

import gc
import socket
import sys

import pytest
import trio
import trio.testing
from loopback import HOST, need_ipv6
from needs import missing

from trioecho.model import Call, Endpoint
from trioecho.render.calls import call_text
from trioecho.sockets.listening import open_listener
from trioecho.sockets.observed import ObservedSocket
from trioecho.sockets.told import ToldSocket

# linux/tcp.h
FAST_OPEN = {"TCP_FASTOPEN_CONNECT": 30, "TCP_FASTOPEN_NO_COOKIE": 34}


def told(calls: list[Call]) -> list[tuple[str, str, str, int | None, str | None]]:
    return [(call.end, call.name, call.arguments, call.result, call.error) for call in calls]


async def test_the_record_of_a_conversation() -> None:
    calls: list[Call] = []
    listener = await open_listener(socket.AF_INET, (HOST, 0), backlog=7, record=calls.append)
    assert listener.local is not None
    server = listener.local
    client = await ObservedSocket.create(socket.AF_INET, end="client", record=calls.append)
    client.set_nodelay()
    assert [call.end for call in calls] == ["server"] * 4  # the client's are held back

    with listener, client:
        await client.connect((HOST, server.port))
        with await listener.accept() as connection:
            await client.send_all(b"testing purposes")
            await connection.send_all(await connection.recv(16))
            assert await client.recv(65536) == b"testing purposes"
            client.shutdown_write()
            assert await connection.recv(16) == b""
    where = f"{HOST}:{server.port}"
    assert told(calls) == [
        ("server", "socket", "AF_INET", listener.fd, None),
        ("server", "setsockopt", "SO_REUSEADDR 1", 0, None),
        ("server", "bind", f"{HOST}:0", 0, None),
        ("server", "listen", "7", 0, None),
        ("client", "socket", "AF_INET", client.fd, None),
        ("client", "setsockopt", "TCP_NODELAY 1", 0, None),
        ("client", "connect", where, None, None),
        ("client", "connect", where, 0, None),
        ("server", "accept", "", connection.fd, None),
        ("client", "send", "16 B", 16, None),
        ("server", "recv", "16", 16, None),
        ("server", "send", "16 B", 16, None),
        ("client", "recv", "65536", 16, None),
        ("client", "shutdown", "SHUT_WR", 0, None),
        ("server", "recv", "16", 0, None),
        ("server", "close", "", 0, None),
        ("client", "close", "", 0, None),
        ("server", "close", "", 0, None),
    ]
    assert [call.time for call in calls[:4]] == sorted(call.time for call in calls[:4])
    assert [call.time for call in calls[4:]] == sorted(call.time for call in calls[4:])

    peer = client.local
    assert isinstance(peer, Endpoint)
    for call in calls:
        if call.end == "client":
            assert (call.local, call.peer) == (peer, server)
        elif call.socket == "connection" or call.name == "accept":
            assert (call.local, call.peer) == (server, peer)
    assert {call.fd for call in calls} == {listener.fd, client.fd, connection.fd}
    assert [call.data for call in calls if call.data] == [b"testing purposes"] * 4


async def test_only_the_first_bytes_are_remembered() -> None:
    calls: list[Call] = []
    with await open_listener(socket.AF_INET, (HOST, 0), record=calls.append) as listener:
        async with await trio.open_tcp_stream(HOST, port_of(listener)) as client:
            with await listener.accept() as connection:
                await connection.send_all(b"x" * 1000)
                await client.send_all(b"y" * 1000)
                data = await connection.recv(1000)
    assert [call.data for call in calls if call.data] == [b"x" * 64, b"y" * 64]
    assert connection.received == len(data)
    assert connection.sent == 1000


def port_of(sock: ToldSocket) -> int:
    assert sock.local is not None
    return sock.local.port


async def test_a_refused_connect_is_told_twice() -> None:
    calls: list[Call] = []
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))  # bound, but it does not listen
        address = nobody.getsockname()
        with (
            await ObservedSocket.create(
                socket.AF_INET, end="client", record=calls.append
            ) as client,
            pytest.raises(ConnectionRefusedError),
        ):
            await client.connect(address)
    assert [(call.name, call.result, call.error) for call in calls] == [
        ("socket", client.fd, None),
        ("connect", None, None),
        ("connect", None, "ECONNREFUSED"),
        ("close", 0, None),
    ]
    assert calls[0].peer == Endpoint(*address)
    assert calls[0].local is not None


async def test_without_connect_the_calls_are_told_at_the_close() -> None:
    calls: list[Call] = []
    with await ObservedSocket.create(socket.AF_INET6, end="client", record=calls.append):
        assert calls == []
    assert [(call.name, call.arguments) for call in calls] == [
        ("socket", "AF_INET6"),
        ("close", ""),
    ]


async def test_a_port_in_use_is_told_and_raised() -> None:
    calls: list[Call] = []
    with await open_listener(socket.AF_INET, (HOST, 0)) as listener:
        address = (HOST, port_of(listener))
        with pytest.raises(OSError, match="in use"):
            await open_listener(socket.AF_INET, address, record=calls.append)
    assert [(call.name, call.error) for call in calls][-2:] == [
        ("bind", "EADDRINUSE"),
        ("close", None),
    ]


async def test_abort_resets() -> None:
    calls: list[Call] = []
    record = calls.append
    with (
        await open_listener(socket.AF_INET, (HOST, 0), record=record) as listener,
        await ObservedSocket.create(socket.AF_INET, end="client", record=record) as client,
    ):
        await client.connect((HOST, port_of(listener)))
        connection = await listener.accept()
        connection.abort()
        connection.abort()
        connection.close()
        with pytest.raises(ConnectionResetError):
            await client.recv(1)
    names = [(call.name, call.arguments, call.error) for call in calls]
    assert names[-5:-2] == [
        ("setsockopt", "SO_LINGER 0", None),
        ("close", "", None),
        ("recv", "1", "ECONNRESET"),
    ]


async def test_closing_wakes_who_waits() -> None:
    with await open_listener(socket.AF_INET, (HOST, 0)) as listener:
        async with trio.open_nursery() as nursery:

            async def wait() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await listener.accept()

            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            listener.close()
        assert listener.closed
        assert listener.fd > 0
        with pytest.raises(trio.ClosedResourceError):
            await listener.accept()


async def test_each_call_is_a_checkpoint_that_can_be_cancelled() -> None:
    with await open_listener(socket.AF_INET, (HOST, 0)) as listener:
        client = await ObservedSocket.create(socket.AF_INET, end="client")
        with client:
            await client.connect((HOST, port_of(listener)))
            with await listener.accept() as connection:
                await client.send_all(b"kept")
                with trio.CancelScope() as scope:
                    scope.cancel()
                    await connection.recv(10)
                assert scope.cancelled_caught
                with trio.CancelScope() as scope:
                    scope.cancel()
                    await connection.send(b"never")
                assert scope.cancelled_caught
                assert connection.sent == 0
                with trio.testing.assert_checkpoints():
                    assert await connection.recv(10) == b"kept"
                with trio.testing.assert_checkpoints():
                    await connection.send(b"x")


async def test_a_cancelled_connect_leaves_nothing_open() -> None:
    with await ObservedSocket.create(socket.AF_INET, end="client") as client:
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.connect((HOST, 1))
        assert scope.cancelled_caught
    gc.collect()


async def test_sockets_come_from_the_factory() -> None:
    made: list[socket.socket] = []

    async def factory(family: int) -> socket.socket:
        made.append(socket.socket(family, socket.SOCK_STREAM))
        return made[-1]

    listener = await open_listener(socket.AF_INET, (HOST, 0), factory=factory)
    with listener:
        assert [sock.fileno() for sock in made] == [listener.fd]


async def test_options_are_the_kernels_unless_asked() -> None:
    need_ipv6()
    made: list[socket.socket] = []

    async def factory(family: int) -> socket.socket:
        made.append(socket.socket(family, socket.SOCK_STREAM))
        return made[-1]

    with await ObservedSocket.create(socket.AF_INET, end="client", factory=factory) as client:
        assert not made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.set_nodelay()
        assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    with await open_listener(socket.AF_INET6, ("::1", 0), factory=factory):
        assert made[1].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert made[1].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


async def test_a_connect_that_waits_for_data_says_that_nothing_was_sent() -> None:
    """TCP_FASTOPEN_CONNECT, here without a cookie: send opens the connection."""
    if sys.platform != "linux":
        missing("TCP_FASTOPEN_CONNECT is Linux's")
    calls: list[Call] = []
    with socket.create_server((HOST, 0)) as server:
        for options in ([], ["TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_NO_COOKIE"]):
            with await ObservedSocket.create(
                socket.AF_INET, end="client", record=calls.append
            ) as client:
                for name in options:
                    client.set_option(socket.IPPROTO_TCP, FAST_OPEN[name], 1, name)
                await client.connect(server.getsockname())
                await client.send_all(b"x")
    ends = [call for call in calls if call.name == "connect" and call.result == 0]
    assert [call.deferred for call in ends] == [False, True]
    assert call_text(ends[1:]) == "connect -> 0: nothing sent yet, the first send sends the SYN"
