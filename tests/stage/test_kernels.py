"""What both kernels say of their queues and limits, on a wire of real kernels."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import trio
import trio.testing

from trioecho.model import Endpoint, Kernel, State
from trioecho.stage.kernels import Truth, open_diags
from trioecho.stage.wire import PrivateWire, open_wire

pytestmark = pytest.mark.usefixtures("wires")
PORT, PATIENCE = 7, 30
FAMILIES = pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])


class Ends(NamedTuple):
    """A client that is connected, the server's listening socket, and what tells of both."""

    wire: PrivateWire
    truth: Truth
    client: trio.socket.SocketType
    listener: trio.socket.SocketType
    here: Endpoint
    there: Endpoint

    def client_kernel(self) -> Kernel:
        told = self.truth.ask("client", self.here, self.there)
        assert told is not None
        return told

    def server_kernel(self) -> Kernel:
        told = self.truth.ask("server", self.here, self.there)
        assert told is not None
        return told


@asynccontextmanager
async def connected(
    family: socket.AddressFamily = socket.AF_INET,
    *,
    room: int | None = None,
    faults: Sequence[str] = (),
) -> AsyncIterator[Ends]:
    async with open_wire(faults) as wire, open_diags(wire) as diags:
        place = wire.server.address if family == socket.AF_INET else wire.server.address6
        with (
            trio.socket.from_stdlib_socket(await wire.server.socket(family, 1)) as listener,
            trio.socket.from_stdlib_socket(await wire.client.socket(family, 1)) as client,
        ):
            if room:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            await listener.bind((place, PORT))
            listener.listen(5)
            await client.connect((place, PORT))
            here, there = (Endpoint(*one[:2]) for one in (client.getsockname(), (place, PORT)))
            yield Ends(wire, Truth(diags), client, listener, here, there)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so; the kernel does not announce it."""
    with trio.fail_after(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await trio.sleep(0.01)


@FAMILIES
async def test_a_connection_that_nobody_has_accepted(family: socket.AddressFamily) -> None:
    async with connected(family) as ends:
        await until(lambda: ends.server_kernel().accept_queue == 1)
        told = ends.server_kernel()
        assert (told.accepted, told.backlog) == (False, 5)
        second = trio.socket.from_stdlib_socket(await ends.wire.client.socket(family, 1))
        with second:
            await second.connect((ends.there.ip, PORT))
            await until(lambda: ends.server_kernel().accept_queue == 2)
            accepted, _ = await ends.listener.accept()
            with accepted:
                told = ends.server_kernel()
                assert (told.accepted, told.accept_queue) == (True, 1)
        own = ends.client_kernel()
        assert (own.accepted, own.accept_queue, own.backlog) == (True, None, None)


@FAMILIES
async def test_bytes_that_nobody_has_read(family: socket.AddressFamily) -> None:
    async with connected(family) as ends:
        server, _ = await ends.listener.accept()
        with server:
            await ends.client.send(b"testing")
            await until(lambda: ends.server_kernel().receive_queue == 7)
            await until(lambda: ends.client_kernel().send_queue == 0)
            assert await server.recv(4) == b"test"
            assert ends.server_kernel().receive_queue == 3
            ends.client.shutdown(socket.SHUT_WR)  # a FIN takes a number, and is no byte
            await until(lambda: ends.server_kernel().state is State.CLOSE_WAIT)
            assert ends.server_kernel().receive_queue == 3
            assert await server.recv(4) == b"ing"
            assert ends.server_kernel().receive_queue == 0
            assert await server.recv(4) == b""
            assert ends.server_kernel().receive_queue == 0


async def test_bytes_that_are_not_acknowledged() -> None:
    async with connected(faults=["cut after client ack"]) as ends:
        await ends.client.send(b"testing")
        assert ends.client_kernel().send_queue == 7
        ends.client.shutdown(socket.SHUT_WR)
        told = ends.client_kernel()
        assert (told.state, told.send_queue) == (State.FIN_WAIT_1, 7)


async def test_a_syn_is_no_byte() -> None:
    async with open_wire(["drop syn all"]) as wire, open_diags(wire) as diags:
        made = trio.socket.from_stdlib_socket(await wire.client.socket(socket.AF_INET, 1))
        with made:
            there = Endpoint(wire.server.address, PORT)
            await made.bind((wire.client.address, 4000))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(made.connect, (there.ip, there.port))
                await trio.testing.wait_all_tasks_blocked()
                told = Truth(diags).ask("client", Endpoint(wire.client.address, 4000), there)
                nursery.cancel_scope.cancel()
    assert told is not None
    assert (told.state, told.send_queue, told.receive_queue) == (State.SYN_SENT, 0, 0)


async def test_a_receiver_that_does_not_read_limits_its_sender() -> None:
    async with connected(room=4096) as ends:
        server, _ = await ends.listener.accept()
        with server:
            fresh = ends.client_kernel()
            assert (fresh.receiver_limited, fresh.send_buffer_limited) == (0, 0)
            await ends.client.send(b"x" * 50_000)
            await until(lambda: (ends.client_kernel().receiver_limited or 0) > 50_000_000)
            first = ends.client_kernel()
            assert (first.busy or 0) >= (first.receiver_limited or 0)
            assert (first.send_queue or 0) > 0
            assert (ends.server_kernel().receive_queue or 0) > 0
            more = (first.receiver_limited or 0) + 50_000_000
            await until(lambda: (ends.client_kernel().receiver_limited or 0) > more)
            assert (ends.server_kernel().receiver_limited) == 0


async def test_what_is_closed_has_no_queues() -> None:
    async with connected() as ends:
        server, _ = await ends.listener.accept()
        ends.client.close()
        assert await server.recv(1) == b""
        server.close()
        await until(lambda: ends.client_kernel().state is State.TIME_WAIT)
        told = ends.client_kernel()
        assert told == Kernel(State.TIME_WAIT)
        assert ends.truth.ask("server", ends.here, ends.there) is None
