"""The base of listening and connected sockets: it records each call."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from time import time_ns
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias, TypeVar

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioecho.sockets.recorder import (
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


async def plain_socket(family: int) -> socket.socket:
    """The default socket factory: a TCP socket of this process and its network namespace.

    Raises:
        OSError: descriptors ran out, or there is no such family here.
    """
    return socket.socket(family, socket.SOCK_STREAM)


class ToldSocket:
    """A non-blocking stream socket whose calls can be recorded.

    Args:
        sock: the socket; it is made non-blocking and belongs to this object from now on.
        end: at which end of the conversation it stands.
        record: is told each call; None for no record, which costs nothing.
        hold: whether to record the calls only once ``connect`` makes the endpoints known.

    Attributes:
        kind: whether it listens or is one connection.
        fd: the file descriptor; it keeps its number after the socket was closed.
    """

    kind: ClassVar[SocketKind]

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

        Raises:
            OSError: the factory could make none.
        """
        sock = await factory(family)
        time = time_ns()  # a factory elsewhere takes a while; other calls are recorded meanwhile
        made = cls(sock, end=end, record=record, hold=cls.kind == "connection")
        made.tell(time, "socket", "AF_INET6" if family == socket.AF_INET6 else "AF_INET", made.fd)
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

    def set_option(self, level: int, option: int, value: int | bytes, name: str) -> None:
        """Set an option to a number, or to a name in bytes.

        Raises:
            OSError: the kernel refuses it.
        """
        self._call("setsockopt", name, lambda: self._sock.setsockopt(level, option, value))

    def bind(self, address: SocketAddress) -> None:
        """Bind.

        Raises:
            OSError: the address is in use, is not ours, or may not be taken.
        """
        self._call("bind", written(address), lambda: self._sock.bind(address))

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
            self.tell(time, name, arguments, error=error)
            raise
        if self._local is None:
            self._local = own_address(self._sock)
        self.tell(time, name, arguments, 0)

    def _release(self) -> None:
        if self._recorder is not None:
            self._recorder.release(self._local, self._peer)

    def tell(
        self,
        time: int,
        name: str,
        arguments: str = "",
        result: int | None = None,
        error: OSError | None = None,
        data: bytes = b"",
        deferred: bool = False,
        holds: str = "",
    ) -> None:
        """Record a call on this socket, with its two ends as far as they are known."""
        if self._recorder is not None:
            ends = (self._local, self._peer)
            self._recorder.tell(time, name, arguments, result, error, *ends, data, deferred, holds)
