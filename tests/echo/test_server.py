from __future__ import annotations

import errno
import gc
import socket
import sys

import pytest
import trio
import trio.testing
from loopback import HOST, dial, receive_exactly, reset_on_close, running_server

from trioecho.echo.server import serve
from trioecho.errors import TrioechoError
from trioecho.model import Call
from trioecho.sockets.address import Address
from trioecho.sockets.listening import open_listener, open_listeners

each_way = pytest.mark.parametrize(
    "batched",
    [
        pytest.param(False, id="a task each"),
        pytest.param(
            True,
            id="in batches",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux's"),
        ),
    ],
)


@each_way
async def test_echo_and_half_close(batched: bool) -> None:
    async with running_server(batched=batched) as server:
        async with await dial(server.address) as client:
            await client.send_all(b"testing purposes")
            await client.send_eof()
            assert await receive_exactly(client, 16) == b"testing purposes"
            assert await client.receive_some() == b""
        report = server.report
        assert (report.connections, report.finished, report.open) == (1, 1, 0)
        assert (report.received, report.sent) == (16, 16)


async def test_small_receives_cut_a_message_into_parts() -> None:
    calls: list[Call] = []
    async with (
        running_server(recv_size=16, record=calls.append) as server,
        await dial(server.address) as client,
    ):
        await client.send_all(b"x" * 40)
        await client.send_eof()
        await receive_exactly(client, 40)
        assert await client.receive_some() == b""
    assert [call.result for call in calls if call.name == "recv"] == [16, 16, 8, 0]
    assert {call.arguments for call in calls if call.name == "recv"} == {"16"}


@each_way
async def test_many_clients_at_once(batched: bool) -> None:
    async with running_server(batched=batched) as server:

        async def client(number: int) -> None:
            message = bytes([number]) * 10_000
            async with await dial(server.address) as stream:
                await stream.send_all(message)
                assert await receive_exactly(stream, len(message)) == message
                await stream.send_eof()
                assert await stream.receive_some() == b""

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(client, number)
        assert server.report.finished == 100
        assert server.report.received == server.report.sent == 1_000_000


@each_way
async def test_rude_clients_hurt_no_other(batched: bool) -> None:
    async with (
        running_server(batched=batched) as server,
        await dial(server.address) as polite,
        await dial(server.address),  # silent
        await dial(server.address) as greedy,
        await dial(server.address) as resetting,
    ):
        await resetting.send_all(b"gone in a moment")
        await receive_exactly(resetting, 16)
        reset_on_close(resetting)
        await resetting.aclose()

        async def send_for_ever() -> None:
            while True:
                await greedy.send_all(bytes(65536))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_for_ever)
            # Now its echo fills every buffer, the server stops reading, and it has to wait.
            await trio.testing.wait_all_tasks_blocked(0.01)
            await polite.send_all(b"still here?")
            assert await receive_exactly(polite, 11) == b"still here?"
            nursery.cancel_scope.cancel()
        reset_on_close(greedy)


async def test_a_reset_is_counted_and_told() -> None:
    calls: list[Call] = []
    async with running_server(record=calls.append) as server:
        client = await dial(server.address)
        await client.send_all(b"x")
        await receive_exactly(client, 1)
        reset_on_close(client)
        await client.aclose()
        async with await dial(server.address) as other:  # by its echo the reset has been seen
            await other.send_all(b"y")
            await receive_exactly(other, 1)
            assert server.report.reset == 1
    first = next(call.result for call in calls if call.name == "accept")
    ends = [(call.name, call.error) for call in calls if call.fd == first][:4]
    assert ends == [("recv", None), ("send", None), ("recv", "ECONNRESET"), ("close", None)]


@each_way
async def test_stop_lets_open_connections_finish(batched: bool) -> None:
    async with running_server(batched=batched) as server:
        async with await dial(server.address) as client:
            await client.send_all(b"a")
            await receive_exactly(client, 1)
            server.stop.set()
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(OSError, match="connect"):
                await dial(server.address)
            await client.send_all(b"b")
            assert await receive_exactly(client, 1) == b"b"
            assert not server.ended.is_set()
            await client.send_eof()
            assert await client.receive_some() == b""
        await server.ended.wait()
        assert (server.report.finished, server.report.cut) == (1, 0)


@each_way
async def test_after_the_grace_the_rest_is_cut_off(batched: bool) -> None:
    async with running_server(batched=batched, grace=0) as server:
        async with await dial(server.address) as client:
            await client.send_all(b"a")
            await receive_exactly(client, 1)
            server.stop.set()
            await server.ended.wait()
            with pytest.raises(trio.BrokenResourceError):
                await client.receive_some()
        assert (server.report.finished, server.report.cut, server.report.open) == (0, 1, 0)
        assert (server.report.received, server.report.sent) == (1, 1)


async def test_cancellation_leaves_nothing_open() -> None:
    calls: list[Call] = []
    async with running_server(record=calls.append) as server:
        client = await dial(server.address)
        await client.send_all(b"a")
        await receive_exactly(client, 1)
    opened = [call.result for call in calls if call.name in ("socket", "accept")]
    assert set(opened) == {call.fd for call in calls if call.name == "close"}
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()
    await client.aclose()
    gc.collect()


async def test_the_server_can_close_with_a_reset() -> None:
    async with running_server(close="rst") as server, await dial(server.address) as client:
        await client.send_all(b"a")
        await receive_exactly(client, 1)
        await client.send_eof()
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()


class Troubled(socket.socket):
    """A listening socket whose accept fails in every way there is before it works."""

    def __init__(self, *args: int, **kwargs: int) -> None:
        super().__init__(*args, **kwargs)
        self.troubles = [errno.EMFILE, errno.ECONNABORTED, errno.ENOMEM, errno.EPROTO]

    def accept(self) -> tuple[socket.socket, object]:
        if self.troubles:
            raise OSError(self.troubles.pop(), "trouble")
        return super().accept()


async def test_trouble_in_accept_passes(autojump_clock: trio.testing.MockClock) -> None:
    calls: list[Call] = []

    async def factory(family: int) -> socket.socket:
        return Troubled(family, socket.SOCK_STREAM)

    listener = await open_listener(socket.AF_INET, (HOST, 0), factory=factory, record=calls.append)
    assert listener.local is not None
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: serve([listener], task_status=task_status))
        async with await dial(Address(HOST, listener.local.port)) as client:
            await client.send_all(b"a")
            assert await client.receive_some() == b"a"
        nursery.cancel_scope.cancel()
    assert [call.error for call in calls if call.name == "accept"] == [
        "EPROTO",
        "ENOMEM",
        "ECONNABORTED",
        "EMFILE",
        None,
    ]


@each_way
async def test_what_lasts_is_said_once(
    batched: bool, autojump_clock: trio.testing.MockClock
) -> None:
    async def factory(family: int) -> socket.socket:
        made = Troubled(family, socket.SOCK_STREAM)
        made.troubles = [errno.ENFILE] * 3 + [errno.EMFILE] * 9
        return made

    calls: list[Call] = []
    said: list[int | None] = []
    listener = await open_listener(socket.AF_INET, (HOST, 0), factory=factory, record=calls.append)
    assert listener.local is not None
    async with trio.open_nursery() as nursery:
        await nursery.start(
            lambda task_status: serve(
                [listener],
                exhausted=lambda error: said.append(error.errno),
                batched=batched,
                task_status=task_status,
            )
        )
        async with await dial(Address(HOST, listener.local.port)) as client:
            await client.send_all(b"a")
            assert await client.receive_some() == b"a"
        nursery.cancel_scope.cancel()
    assert said == [errno.EMFILE, errno.ENFILE]
    accepts = [call.error for call in calls if call.name == "accept"]
    assert accepts == ["EMFILE", "ENFILE", None]


async def test_an_unknown_error_of_accept_is_not_hidden() -> None:
    class Broken(Troubled):
        def accept(self) -> tuple[socket.socket, object]:
            raise OSError(errno.EBADF, "broken")

    async def factory(family: int) -> socket.socket:
        return Broken(family, socket.SOCK_STREAM)

    listener = await open_listener(socket.AF_INET, (HOST, 0), factory=factory)
    with pytest.raises(ExceptionGroup) as caught:
        await serve([listener])
    assert caught.group_contains(OSError, match="broken")
    assert listener.closed


async def test_a_port_in_use() -> None:
    (first,) = await open_listeners(Address(HOST, 0))
    with first:
        assert first.local is not None
        with pytest.raises(TrioechoError, match=f"{first.local.port} is in use") as caught:
            await open_listeners(Address(HOST, first.local.port))
        assert caught.value.hint
    gc.collect()


async def test_an_address_of_another_machine() -> None:
    with pytest.raises(TrioechoError, match="is not an address of this machine"):
        await open_listeners(Address("192.0.2.1", 0))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's setting is Linux's")
async def test_a_port_for_root(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    class Refused(socket.socket):
        pass

    monkeypatch.setattr(Refused, "bind", bind)

    async def factory(family: int) -> socket.socket:
        return Refused(family, socket.SOCK_STREAM)

    with pytest.raises(TrioechoError, match="Port 7 needs privileges"):
        await open_listeners(Address(HOST, 7), factory=factory)


async def test_localhost_is_every_family_there_is() -> None:
    listeners = await open_listeners(Address("localhost", 0))
    assert listeners
    for listener in listeners:
        listener.close()
