from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from wiring import LOOPBACK, stream_socket

from trioecho.errors import TrioechoError
from trioecho.hosts import sockdiag as module
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.netlink import NLM_F_DUMP, NLM_F_DUMP_INTR, message, messages
from trioecho.hosts.sockdiag import (
    ANSWER,
    ANY,
    BUFFER,
    LISTEN,
    SOCK_DIAG_BY_FAMILY,
    Diag,
    HeldSocket,
    refused,
    request,
    unpack,
)
from trioecho.model import Endpoint, State

NETLINK_USERSOCK, NETLINK_SOCK_DIAG = 2, 4
FAMILIES = [socket.AF_INET, socket.AF_INET6]

pytestmark = pytest.mark.usefixtures("namespaces")


@asynccontextmanager
async def asking(host: Host) -> AsyncIterator[tuple[Diag, socket.socket]]:
    with await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as sock:
        yield Diag(sock), sock


def endpoint(address: tuple[str, int] | tuple[str, int, int, int]) -> Endpoint:
    return Endpoint(*address[:2])


def dump(sequence: int, family: int) -> bytes:
    return message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sequence, request(family, ANY))


def states(held: list[HeldSocket], port: int) -> tuple[set[State], set[State]]:
    """The states of the connections from a port, and of those to it."""
    return (
        {one.state for one in held if one.local.port == port and one.peer is not None},
        {one.state for one in held if one.peer is not None and one.peer.port == port},
    )


async def test_an_empty_namespace() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        assert await diag.sockets() == diag.sockets_now() == []
        assert await diag.listening() == []


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_listener_and_its_queue(family: socket.AddressFamily) -> None:
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, family) as listener,
            await stream_socket(host, family) as client,
        ):
            await listener.bind((LOOPBACK[family], 7))
            listener.listen(5)
            await client.connect((LOOPBACK[family], 7))
            (held,) = [one for one in await diag.sockets() if one.peer is None]
            assert held.local == Endpoint(LOOPBACK[family], 7)
            assert held.state is State.LISTEN
            assert held.kernel is not None
            assert held.kernel.state is State.LISTEN
            assert held.inode == os.fstat(listener.fileno()).st_ino
            assert held.uid == os.getuid()
            assert (held.receive_queue, held.send_queue) == (1, 5)
            assert await diag.listening() == [held.local]


@pytest.mark.parametrize("family", FAMILIES)
async def test_both_ends_of_a_connection(family: socket.AddressFamily) -> None:
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, family, bind=7) as listener,
            await stream_socket(host, family) as client,
        ):
            await client.connect((LOOPBACK[family], 7))
            server, _address = await listener.accept()
            with server:
                await client.send(b"testing")
                assert await server.recv(4) == b"test"
                here, there = endpoint(client.getsockname()), endpoint(server.getsockname())
                held = {one.local: one for one in diag.sockets_now() if one.peer is not None}
                assert held.keys() == {here, there}
                for one, sock in ((held[here], client), (held[there], server)):
                    assert one.peer == endpoint(sock.getpeername())
                    assert one.state is State.ESTABLISHED
                    assert one.kernel is not None
                    assert one.kernel.state is State.ESTABLISHED
                    assert one.kernel.rtt is not None
                    assert one.kernel.ssthresh is None
                    assert (one.kernel.cwnd or 0) >= 10
                    assert one.inode == os.fstat(sock.fileno()).st_ino
                assert held[there].receive_queue == 3
                found = diag.find_now(there, here)
                assert found is not None
                assert (found.local, found.peer, found.inode) == (there, here, held[there].inode)


async def test_no_such_connection() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        ends = Endpoint("127.0.0.1", 7), Endpoint("127.0.0.1", 8)
        assert diag.find_now(*ends) is None
        with await stream_socket(host, socket.AF_INET, bind=7):
            assert diag.find_now(*ends) is None  # though somebody listens there


async def test_an_ipv6_socket_that_speaks_ipv4() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, socket.AF_INET6) as listener,
            await stream_socket(host, socket.AF_INET) as client,
        ):
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            await listener.bind(("::", 7))
            listener.listen()
            await client.connect(("127.0.0.1", 7))
            there, here = Endpoint("127.0.0.1", 7), endpoint(client.getsockname())
            assert await diag.listening() == [Endpoint("::", 7)]
            assert {one.local for one in diag.sockets_now() if one.peer} == {here, there}
            found = diag.find_now(there, here)
            assert found is not None
            assert (found.local, found.peer) == (there, here)


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_close(family: socket.AddressFamily) -> None:
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, family, bind=7) as listener,
            await stream_socket(host, family) as client,
        ):
            await client.connect((LOOPBACK[family], 7))
            server, _address = await listener.accept()
            here, there = endpoint(client.getsockname()), endpoint(client.getpeername())
            with server:
                client.shutdown(socket.SHUT_WR)
                assert await server.recv(1) == b""
                await server.send(b"x")  # and acknowledges the FIN
                assert await client.recv(1) == b"x"
                assert states(await diag.sockets(), 7) == ({State.CLOSE_WAIT}, {State.FIN_WAIT_2})
            assert await client.recv(1) == b""
            _, after = states(await diag.sockets(), 7)
            assert after == {State.TIME_WAIT}
            found = diag.find_now(here, there)
            assert found is not None
            assert found.state is State.TIME_WAIT
            assert found.kernel is None
            assert found.inode == 0


async def test_the_two_halves_of_a_handshake() -> None:
    """A listener that defers accept keeps the server's half; one that is full, the client's."""
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, socket.AF_INET) as deferring,
            await stream_socket(host, socket.AF_INET) as full,
            await stream_socket(host, socket.AF_INET) as first,
            await stream_socket(host, socket.AF_INET) as second,
            await stream_socket(host, socket.AF_INET) as third,
        ):
            deferring.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)  # s
            await deferring.bind(("127.0.0.1", 7))
            deferring.listen()
            await first.connect(("127.0.0.1", 7))
            assert states(diag.sockets_now(), 7) == ({State.SYN_RECEIVED}, {State.ESTABLISHED})
            half = diag.find_now(endpoint(first.getpeername()), endpoint(first.getsockname()))
            assert half is not None
            assert (half.state, half.kernel, half.inode) == (State.SYN_RECEIVED, None, 0)

            await full.bind(("127.0.0.1", 8))
            full.listen(0)
            await second.connect(("127.0.0.1", 8))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(third.connect, ("127.0.0.1", 8))
                await trio.testing.wait_all_tasks_blocked()
                (waiting,) = [one for one in diag.sockets_now() if one.state is State.SYN_SENT]
                assert waiting.peer == Endpoint("127.0.0.1", 8)
                assert waiting.kernel is not None
                assert waiting.kernel.in_flight == 1
                assert waiting.kernel.rtt is None
                nursery.cancel_scope.cancel()


async def test_more_sockets_than_one_answer_holds() -> None:
    async with open_host() as host, asking(host) as (diag, sock):
        listeners = [await stream_socket(host, socket.AF_INET, bind=7 + n) for n in range(200)]
        ports = set(range(7, 207))
        assert {held.local.port for held in diag.sockets_now()} == ports
        # One that was broken off: the kernel refuses another dump until it has been read.
        sock.send(dump(9, socket.AF_INET))
        assert len(sock.recv(BUFFER)) > 0
        assert {held.local.port for held in diag.sockets_now()} == ports
        # One whose answer nobody has read at all, under the number that comes next.
        sock.send(dump(6, socket.AF_INET6))
        assert {endpoint.port for endpoint in await diag.listening()} == ports
        for listener in listeners:
            listener.close()


async def test_waiting_for_a_server() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        found: list[Endpoint] = []

        async def wait(port: int | None) -> None:
            found.append(await diag.wait_listening(port))

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, None)
                nursery.start_soon(wait, 8)
                await trio.testing.wait_all_tasks_blocked()
                assert found == []
                with await stream_socket(host, socket.AF_INET6, bind=7) as other:
                    while not found:
                        await trio.testing.wait_all_tasks_blocked()
                    assert found == [endpoint(other.getsockname())]
                    with await stream_socket(host, socket.AF_INET, bind=8):
                        while len(found) < 2:
                            await trio.testing.wait_all_tasks_blocked()
        assert found == [Endpoint("::1", 7), Endpoint("127.0.0.1", 8)]


async def test_waiting_for_a_server_that_another_host_can_reach() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        with (
            await stream_socket(host, socket.AF_INET, bind=7),
            await stream_socket(host, socket.AF_INET6, bind=7),
            await stream_socket(host, socket.AF_INET) as other,
        ):
            with trio.move_on_after(0):
                await diag.wait_listening(beyond_loopback=True)
                raise AssertionError
            await other.bind(("0.0.0.0", 8))
            other.listen()
            assert await diag.wait_listening(beyond_loopback=True) == Endpoint("0.0.0.0", 8)


async def test_a_wait_can_be_cancelled() -> None:
    async with open_host() as host, asking(host) as (diag, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(diag.wait_listening, 7)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert await diag.sockets() == []


async def test_namespaces_are_apart() -> None:
    async with open_host() as host, open_host() as other:
        with await stream_socket(host, socket.AF_INET, bind=7):
            async with asking(host) as (here, _), asking(other) as (there, _):
                assert len(await here.sockets()) == 1
                assert await there.sockets() == []


async def test_what_the_kernel_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where its modules are missing: the refusal of a dump stands at the dump's end."""
    monkeypatch.setattr(module, "IPPROTO_TCP", 250)
    async with open_host() as host, asking(host) as (diag, _):
        with pytest.raises(TrioechoError, match="refused to list") as caught:
            await diag.sockets()
        assert os.strerror(errno.ENOENT) in str(caught.value)
        assert "tcp_diag" in caught.value.hint


async def test_a_refusal_is_one_sentence() -> None:
    """rtnetlink reads the question as an address to add, and refuses at once."""
    async with open_host() as host:
        with await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
            diag = Diag(sock)
            with pytest.raises(TrioechoError, match="refused to list"):
                await diag.sockets()
            with pytest.raises(TrioechoError, match="refused to list"):
                diag.find_now(Endpoint("127.0.0.1", 7), Endpoint("127.0.0.1", 8))


async def test_nobody_answers() -> None:
    async with open_host() as host:
        with await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_USERSOCK) as sock:
            with pytest.raises(TrioechoError, match="refused to list") as caught:
                await Diag(sock).sockets()
            assert caught.value.hint == "It needs CONFIG_INET_DIAG"


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOENT, errno.EPROTONOSUPPORT])
def test_hints(number: int) -> None:
    assert refused(OSError(number, "")).hint


class Interrupted(socket.socket):
    """A netlink socket whose first dumps are marked as not all of one moment."""

    marks = 0

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, tuple[int, int]]:
        data, sender = super().recvfrom(size, flags)
        if self.marks and data[4] == module.SOCK_DIAG_BY_FAMILY:
            self.marks -= 1
            data = data[:6] + bytes([data[6] | NLM_F_DUMP_INTR]) + data[7:]
        return data, sender


@pytest.mark.parametrize("marks", [3, 1000])
async def test_a_dump_that_was_interrupted(marks: int) -> None:
    async with open_host() as host:
        sock = await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        with (
            Interrupted(fileno=sock.detach()) as marked,
            await stream_socket(host, socket.AF_INET, bind=7),
        ):
            marked.marks = marks
            if marks > module.ATTEMPTS:
                with pytest.raises(TrioechoError, match="change faster"):
                    await Diag(marked).sockets()
            else:
                assert len(await Diag(marked).sockets()) == 1
                assert marked.marks == 0


class Overtaken(socket.socket):
    """A netlink socket to which another program sends, just before the kernel answers."""

    other: socket.socket

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        self.other.sendto(b"not netlink at all", (self.getsockname()[0], 0))
        return super().send(data, flags)


async def test_another_program_is_not_believed() -> None:
    """Whoever may do everything in the namespace can send to our socket."""
    async with open_host() as host:
        sock = await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        with (
            Overtaken(fileno=sock.detach()) as overtaken,
            await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as other,
            await stream_socket(host, socket.AF_INET, bind=7),
        ):
            overtaken.bind((0, 0))
            overtaken.other = other
            assert len(Diag(overtaken).sockets_now()) == 1


async def recorded(host: Host) -> bytes:
    """What the kernel says of one listener, under the number 5."""
    with (
        await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as sock,
        await stream_socket(host, socket.AF_INET, bind=7),
    ):
        sock.send(dump(5, socket.AF_INET))
        return sock.recv(BUFFER)


async def test_answers_to_another_question_are_passed_over() -> None:
    async with open_host() as host:
        data = await recorded(host)
    assert next(kind for kind, _, _ in messages(data, 5, ANSWER.size)) == module.SOCK_DIAG_BY_FAMILY
    assert list(messages(data, 6, ANSWER.size)) == []


async def test_lengths_that_are_wrong() -> None:
    async with open_host() as host:
        data = await recorded(host)
    (length,) = struct.unpack_from("=I", data)
    for wrong in (0, 15, 16, 87, len(data) + 1, 0xFFFFFFFF):
        with pytest.raises(TrioechoError, match="cut short"):
            list(messages(struct.pack("=I", wrong) + data[4:], 5, ANSWER.size))
    for cut in (1, 15, length - 1):
        with pytest.raises(TrioechoError, match="cut short"):
            list(messages(data[:cut], 5, ANSWER.size))


async def test_an_attribute_whose_length_is_wrong() -> None:
    async with open_host() as host:
        (_, _, body), *_ = messages(await recorded(host), 5, ANSWER.size)
    assert unpack(body).local == Endpoint("127.0.0.1", 7)
    for wrong in (0, 3, len(body) - ANSWER.size + 1, 0xFFFF):
        with pytest.raises(TrioechoError, match="cut short"):
            unpack(body[: ANSWER.size] + struct.pack("=H", wrong) + body[ANSWER.size + 2 :])


# linux/netlink.h and linux/inet_diag.h, field by field.
ALL_IPV4 = (
    "48000000 1400 0103 05000000 00000000"  # length, type, REQUEST | DUMP, sequence, port
    "02 06 0a 00 ff0f0000"  # AF_INET, TCP, TCP_INFO and congestion control wanted, padding, states
    "0000 0000 00000000000000000000000000000000 00000000000000000000000000000000"
    "00000000 0000000000000000"  # interface, cookie
)
ONE_IPV6 = (
    "48000000 1400 0100 feffffff 00000000"
    "0a 06 0a 00 00040000"
    "0007 ff98 fd000000000000000000000000000001 00000000000000000000000000000001"
    "00000000 ffffffffffffffff"
)


@pytest.mark.skipif(sys.byteorder == "big", reason="the bytes are little-endian")
def test_the_bytes_of_a_question() -> None:
    assert dump(5, socket.AF_INET) == bytes.fromhex(ALL_IPV4)
    one = request(socket.AF_INET6, LISTEN, Endpoint("fd00::1", 7), Endpoint("::1", 65432))
    assert message(SOCK_DIAG_BY_FAMILY, 0, 0xFFFFFFFE, one) == bytes.fromhex(ONE_IPV6)
