"""Code that makes its sockets in C, in this process and on a host of the wire."""
# covers: hosts/lending

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import trio
import uvloop

from trioecho.errors import TrioechoError
from trioecho.hosts.syscalls import StepError
from trioecho.testing import Wire, host

KINDS = socket.SOCK_STREAM, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


def c_socket(family: int, kind: int, proto: int = 0) -> socket.socket:
    """A socket that C code makes, which holds the interpreter's lock meanwhile."""
    descriptor = ctypes.PyDLL(None, use_errno=True).socket(family, kind, proto)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "socket")
    return socket.socket(fileno=descriptor)


def own_address(make: Callable[[], socket.socket], address: str) -> str:
    with make() as made:
        made.bind((address, 0))
        return str(made.getsockname()[0])


def test_where_and_how_a_socket_is_made(wire: Wire) -> None:
    def inside() -> None:
        for kind in KINDS:
            for family in (socket.AF_INET, socket.AF_INET6):
                with c_socket(family, kind) as made:
                    assert (made.family, made.type) == (family, kind & 0xF)
                    assert os.get_inheritable(made.fileno()) == (kind == socket.SOCK_STREAM)
                    assert os.get_blocking(made.fileno()) == (kind == socket.SOCK_STREAM)
            with c_socket(socket.AF_INET, kind) as made:
                made.bind(("10.0.0.1", 0))
        with c_socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
            assert made.family == socket.AF_UNIX
        for proto, number in (
            (9999, errno.EINVAL),
            (-7, errno.EINVAL),
            (77, errno.EPROTONOSUPPORT),
        ):
            with pytest.raises(OSError, match="socket") as failed:
                c_socket(socket.AF_INET, socket.SOCK_STREAM, proto)
            assert failed.value.errno == number

    wire.client.call(inside)
    with pytest.raises(OSError, match="Cannot assign"):
        own_address(lambda: c_socket(2, 1), "10.0.0.1")


def test_pythons_own_sockets_and_those_of_threads_and_programs(wire: Wire) -> None:
    found: list[str] = []
    program = (
        "import socket; s = socket.socket(); s.bind(('10.0.0.2', 0)); print(s.getsockname()[0])"
    )

    def inside() -> None:
        found.append(own_address(socket.socket, "10.0.0.2"))
        thread = threading.Thread(
            target=lambda: found.append(own_address(lambda: c_socket(2, 1), "10.0.0.2"))
        )
        thread.start()
        thread.join()
        command = [sys.executable, "-I", "-S", "-c", program]
        found.append(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        )

    with wire.client.inside():
        wire.server.call(inside)
        assert own_address(socket.socket, "10.0.0.1") == "10.0.0.1"
    assert found == ["10.0.0.2"] * 3


def test_what_it_returns_raises_and_leaves(wire: Wire) -> None:
    def ours() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    def keepers() -> int:
        wire.client.sysctl("net.ipv4.tcp_retries2")  # behind what it has to do by now
        return len(os.listdir(f"/proc/{wire.client._host.pid}/fd"))

    before = ours(), keepers()
    assert wire.client.call(max, 3, 4) == 4
    with pytest.raises(ZeroDivisionError):
        wire.server.call(lambda: 1 // 0)
    for _ in range(1_000):  # a thread ends in the kernel a little later than for Python
        if keepers() == before[1]:
            break
    assert (ours(), keepers()) == before


def test_a_kernel_that_cannot(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    with pytest.raises(
        TrioechoError, match=r"refused seccomp on pdp11: .*\. Run such code as a prog"
    ):
        wire.client.call(print)

    def refuse() -> int:
        raise StepError("seccomp(SECCOMP_SET_MODE_FILTER)", errno.EBUSY)

    monkeypatch.setattr(host, "ask_for_sockets", refuse)
    with pytest.raises(TrioechoError, match=r"refused seccomp\(SECCOMP_SET_MODE_FILTER\): Device"):
        wire.client.call(print)


def serve_postgres(listener: socket.socket) -> bytes:
    """Accept one client as PostgreSQL does that trusts it, and return how it began."""
    connection, _ = listener.accept()
    with connection:
        begun = connection.recv(1000)
        connection.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")  # trusted; ready
        while connection.recv(1000):
            pass
        return begun


def test_libpq(wire: Wire) -> None:
    listener = wire.server.listen(5432)

    def ask() -> str:
        info = f"host={wire.server.address} user=me sslmode=disable gssencmode=disable"
        with psycopg.connect(info, autocommit=True) as connection:
            return connection.info.host

    begun: list[bytes] = []
    server = threading.Thread(target=lambda: begun.append(serve_postgres(listener)))
    server.start()
    wire.fault("drop client data 1")
    assert wire.client.call(ask) == wire.server.address
    server.join()
    assert b"user\0me\0" in begun[0]
    wire.settle()
    assert wire.connection().client.ip == wire.client.address
    assert wire.connection().closed_by == "fin"
    assert [rung.fault for rung in wire.connection().lost] == ["drop client data 1"]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readexactly(5))
    writer.close()
    await writer.wait_closed()


async def listen(address: str, over: threading.Event) -> None:
    async with await asyncio.start_server(answer, address, 7):
        await asyncio.to_thread(over.wait)


async def talk(address: str) -> bytes:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
    reader, writer = await asyncio.open_connection(address, 7)
    writer.write(b"hello")
    got = await reader.read()
    writer.close()
    await writer.wait_closed()
    return got


def test_uvloop(wire: Wire) -> None:
    over, address = threading.Event(), wire.server.address
    with ThreadPoolExecutor(1) as pool:
        server = pool.submit(wire.server.call, lambda: uvloop.run(listen(address, over)))
        try:
            wire.server.wait_listening(7)
            assert wire.client.call(lambda: uvloop.run(talk(address))) == b"hello"
        finally:
            over.set()
        server.result()
    wire.settle()
    assert wire.connection().client.ip == wire.client.address
    assert wire.connection().closed_by == "fin"


async def test_from_a_task(wire: Wire) -> None:
    listener = trio.socket.from_stdlib_socket(wire.server.listen(7))

    def connect() -> None:
        with c_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect((wire.server.address, 7))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, wire.client.call, connect)
        (await listener.accept())[0].close()
    await trio.to_thread.run_sync(wire.settle)
    assert wire.connection().handshake_complete
