"""Traffic on a private loopback, and the frames captured there."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from trioecho.capture import Capture
from trioecho.capture.packet_socket import attach_filter
from trioecho.hosts.host import Host
from trioecho.hosts.tcp_info import parse_info
from trioecho.model import Frame, Kernel

TCP_CONGESTION = 13  # linux/tcp.h
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
HEADERS = {socket.AF_INET: 14 + 20 + 8, socket.AF_INET6: 14 + 40 + 8}  # Ethernet, IP, UDP


async def packet_socket(host: Host) -> socket.socket:
    """An unbound packet socket in a host's namespace."""
    return await host.socket(socket.AF_PACKET, socket.SOCK_RAW)


@asynccontextmanager
async def collecting(
    capture: Capture, gate: trio.Event | None = None
) -> AsyncIterator[list[Frame]]:
    """Runs a capture; the list is complete after the block.

    Args:
        capture: the capture.
        gate: the reader waits for this event.
    """
    frames: list[Frame] = []

    async def collect(batches: trio.MemoryReceiveChannel[list[Frame]]) -> None:
        if gate is not None:
            await gate.wait()
        async with batches:
            async for batch in batches:
                assert batch
                frames.extend(batch)

    send, receive = trio.open_memory_channel[list[Frame]](0)
    async with trio.open_nursery() as nursery:
        await nursery.start(capture.run, send)
        nursery.start_soon(collect, receive)
        yield frames
        capture.stop()


class Datagrams:
    """Numbered UDP datagrams. One that has been received has passed the tap."""

    def __init__(
        self, sender: trio.socket.SocketType, receiver: trio.socket.SocketType, size: int
    ) -> None:
        self.sender, self.receiver, self.size = sender, receiver, size
        self.sent: list[bytes] = []

    async def exchange(self, count: int, at_once: int = 1) -> None:
        """Sends and receives ``count`` datagrams, in groups of ``at_once``."""
        for _ in range(0, count, at_once):
            for _ in range(at_once):
                self.sent.append(len(self.sent).to_bytes(self.size, "big"))
                await self.sender.send(self.sent[-1])
            for datagram in self.sent[-at_once:]:
                assert await self.receiver.recv(65536) == datagram


@asynccontextmanager
async def datagrams(
    host: Host, *, size: int = 8, port: int = 9, family: socket.AddressFamily = socket.AF_INET
) -> AsyncIterator[Datagrams]:
    """A pair of UDP sockets on a host's loopback."""
    sender = trio.socket.from_stdlib_socket(await host.socket(family, socket.SOCK_DGRAM))
    receiver = trio.socket.from_stdlib_socket(await host.socket(family, socket.SOCK_DGRAM))
    with sender, receiver:
        await receiver.bind((LOOPBACK[family], port))
        await sender.connect((LOOPBACK[family], port))
        yield Datagrams(sender, receiver, size)


async def upload(
    host: Host, size: int, *, port: int = 7, family: socket.AddressFamily = socket.AF_INET
) -> None:
    """Sends ``size`` bytes over TCP on a host's loopback and closes both directions."""
    listener = trio.SocketListener(await stream_socket(host, family, bind=port))
    async with listener, trio.open_nursery() as nursery:

        async def sink() -> None:
            async with await listener.accept() as stream:
                async for _ in stream:
                    pass

        nursery.start_soon(sink)
        client = await stream_socket(host, family)
        await client.connect((LOOPBACK[family], port))
        async with trio.SocketStream(client) as stream:
            await stream.send_all(bytes(size))
            await stream.send_eof()
            assert await stream.receive_some() == b""


async def stream_socket(
    host: Host, family: socket.AddressFamily, bind: int | None = None
) -> trio.socket.SocketType:
    """A TCP socket in a host's namespace; it listens where ``bind`` names a port."""
    made = trio.socket.from_stdlib_socket(await host.socket(family, socket.SOCK_STREAM))
    if bind is not None:
        await made.bind((LOOPBACK[family], bind))
        made.listen()
    return made


def kernel_info(sock: trio.socket.SocketType | socket.socket) -> Kernel:
    """What the kernel says of a TCP socket of this process, by TCP_INFO."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1024)
    return parse_info(info, sock.getsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, 16))


def script(source: str, *before: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python script with warnings as errors, behind the words of another command."""
    return subprocess.run(
        [*before, sys.executable, "-W", "error", "-c", source],
        check=False,
        capture_output=True,
        text=True,
    )


def passes_filter(frame: bytes, program: bytes) -> bool:
    """Whether the kernel accepts the whole frame by a filter, tried on a pair of Unix sockets."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        receiver.setblocking(False)
        attach_filter(receiver, program)
        sender.send(frame)
        try:
            got = receiver.recv(1 << 20)
        except BlockingIOError:
            return False
        assert len(got) == len(frame)
        assert got == frame
        return True
