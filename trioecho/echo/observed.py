"""One plain socket, driven by trio, that tells each call made on it.

trio's own SocketStream sets options behind its caller's back: TCP_NODELAY, a small
TCP_NOTSENT_LOWAT, a backlog of 65535. That is right for most programs and wrong for one that shows
what a socket does. Here the kernel's defaults stay, each option set is a call that is told, and
each call told is one system call with the time at which it was made.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from time import time_ns
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias, TypeVar

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint_if_cancelled

from trioecho.echo.recorder import (
    REMEMBERED,
    Record,
    Recorder,
    SocketAddress,
    endpoint,
    own_address,
    written,
)

if TYPE_CHECKING:
    from trioecho.model import End, Endpoint, SocketKind

T = TypeVar("T")
SocketFactory: TypeAlias = Callable[[int], Awaitable[socket.socket]]

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}
# l_onoff = 1, l_linger = 0: close() throws away what was not sent and answers with RST.
_LINGER_ZERO = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def plain_socket(family: int) -> socket.socket:
    """The default socket factory: a TCP socket of this process and its network namespace."""
    return socket.socket(family, socket.SOCK_STREAM)


class ObservedSocket:
    """One non-blocking stream socket whose every call can be recorded.

    Each method that waits is a checkpoint, and may be cancelled without losing bytes: a call that
    was made has returned its result before the next cancellation is looked at. One task may send
    while another receives.

    Args:
        sock: the socket; it is made non-blocking and belongs to this object from now on.
        end: at which end of the conversation it stands.
        record: is told each call; None for no record, which costs nothing.
        hold: whether to tell the calls only once ``connect`` makes the endpoints known.

    Attributes:
        kind: whether it listens or is one connection.
        fd: the file descriptor; it keeps its number after the socket was closed.
        received, sent: bytes so far.
    """

    kind: ClassVar[SocketKind] = "connection"

    def __init__(
        self,
        sock: socket.socket,
        *,
        end: End,
        record: Record | None = None,
        hold: bool = False,
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._record = record
        self._recorder = record and Recorder(record, end, self.kind, sock.fileno(), hold)
        self._local: SocketAddress | None = None
        self._peer: SocketAddress | None = None
        self.end = end
        self.fd = sock.fileno()
        self.received = 0
        self.sent = 0

    @classmethod
    async def create(
        cls,
        family: int,
        *,
        end: End,
        factory: SocketFactory = plain_socket,
        record: Record | None = None,
    ) -> Self:
        """Make a socket.

        Args:
            family: ``AF_INET`` or ``AF_INET6``.
            end, record: as for the class.
            factory: makes the socket, perhaps in another network namespace.

        Raises:
            OSError: the factory could make none.
        """
        sock = await factory(family)
        time = time_ns()  # a factory elsewhere takes a while, in which other calls are told
        made = cls(sock, end=end, record=record, hold=cls.kind == "connection")
        made._tell(time, "socket", "AF_INET6" if family == socket.AF_INET6 else "AF_INET", made.fd)
        return made

    @property
    def local(self) -> Endpoint | None:
        """Its own endpoint, once it is bound."""
        return endpoint(self._local)

    @property
    def peer(self) -> Endpoint | None:
        """The other end's endpoint, once one is known."""
        return endpoint(self._peer)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._sock.fileno() == -1

    def set_option(self, level: int, option: int, value: int, name: str) -> None:
        """Set an integer option; ``name`` is how the record writes it, as ``TCP_NODELAY 1``."""
        self._call("setsockopt", name, lambda: self._sock.setsockopt(level, option, value))

    def set_nodelay(self) -> None:
        """Switch Nagle's algorithm off; it is on unless a program says so (RFC 9293 §3.7.4)."""
        self.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1, "TCP_NODELAY 1")

    async def connect(self, address: SocketAddress) -> None:
        """Connect, and wait until the handshake is done.

        The record is told twice: with the result None as soon as the kernel has sent the SYN, when
        the local endpoint has just become known, and again when it is known how it ended.

        Raises:
            OSError: it was refused, timed out, or there is no way there.
        """
        await checkpoint_if_cancelled()
        sock = self._sock
        time = time_ns()
        code = sock.connect_ex(address)
        self._local, self._peer = own_address(sock), address
        self._release()
        if code in _UNDER_WAY:
            self._tell(time, "connect", written(address))
            await trio.lowlevel.wait_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            time = time_ns()
        else:
            await cancel_shielded_checkpoint()
        if code:
            failure = OSError(code, os.strerror(code))
            self._tell(time, "connect", written(address), error=failure)
            raise failure
        self._tell(time, "connect", written(address), 0)

    async def recv(self, size: int) -> bytes:
        """Receive at most ``size`` bytes; ``b""`` says that the peer has closed its direction.

        Raises:
            OSError: the peer reset the connection, or it broke.
        """
        try:
            data = await self._when(trio.lowlevel.wait_readable, lambda: self._sock.recv(size))
        except OSError as error:
            self._tell(time_ns(), "recv", str(size), error=error)
            raise
        if self._recorder is not None:
            self._tell(time_ns(), "recv", str(size), len(data), data=data[:REMEMBERED])
        self.received += len(data)
        await cancel_shielded_checkpoint()
        return data

    async def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes of ``data`` in one call, and say how many bytes that was.

        Raises:
            OSError: the peer reset the connection, or it broke.
        """
        time = 0

        def attempt() -> int:
            nonlocal time
            time = time_ns()
            return self._sock.send(data)

        try:
            count = await self._when(trio.lowlevel.wait_writable, attempt)
        except OSError as error:
            self._tell(time, "send", f"{len(data)} B", error=error)
            raise
        if self._recorder is not None:
            head = bytes(data[: min(count, REMEMBERED)])
            self._tell(time, "send", f"{len(data)} B", count, data=head)
        self.sent += count
        await cancel_shielded_checkpoint()
        return count

    async def send_all(self, data: bytes) -> None:
        """Send all of ``data``, in as many calls as the kernel makes of it."""
        count = await self.send(data)
        if count < len(data):
            with memoryview(data) as view:
                while count < len(data):
                    count += await self.send(view[count:])

    def shutdown_write(self) -> None:
        """Half-close: send FIN behind what was sent, and go on receiving.

        Raises:
            OSError: the connection is broken already.
        """
        self._call("shutdown", "SHUT_WR", lambda: self._sock.shutdown(socket.SHUT_WR))

    def abort(self) -> None:
        """Close at once with RST (SO_LINGER with a time of 0); nothing when closed already."""
        if not self.closed:
            option = (socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._call("setsockopt", "SO_LINGER 0", lambda: self._sock.setsockopt(*option))
            self.close()

    def close(self) -> None:
        """Close; a task that waits on it gets ``trio.ClosedResourceError``. May be repeated."""
        if not self.closed:
            trio.lowlevel.notify_closing(self._sock)
            self._release()
            self._call("close", "", self._sock.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _when(
        self, ready: Callable[[socket.socket], Awaitable[None]], call: Callable[[], T]
    ) -> T:
        """Make a call as soon as it does not block; the caller owes trio a checkpoint after it."""
        await checkpoint_if_cancelled()
        while not self.closed:
            try:
                return call()
            except BlockingIOError:
                await ready(self._sock)
        raise trio.ClosedResourceError("this socket was closed")

    def _call(self, name: str, arguments: str, call: Callable[[], object]) -> None:
        time = time_ns()
        try:
            call()
        except OSError as error:
            self._tell(time, name, arguments, error=error)
            raise
        if self._local is None:
            self._local = own_address(self._sock)
        self._tell(time, name, arguments, 0)

    def _release(self) -> None:
        if self._recorder is not None:
            self._recorder.release(self._local, self._peer)

    def _tell(
        self,
        time: int,
        name: str,
        arguments: str = "",
        result: int | None = None,
        error: OSError | None = None,
        data: bytes = b"",
    ) -> None:
        if self._recorder is not None:
            ends = (self._local, self._peer)
            self._recorder.tell(time, name, arguments, result, error, *ends, data)
