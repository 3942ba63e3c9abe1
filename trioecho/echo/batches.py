"""Many connections echoed by one task: those that are ready are served in batches.

A task for each connection costs several times what the echo itself takes: switches between tasks,
and calls of epoll for each wait. Here one epoll set has all connections, and trio waits for the
set. Only Linux has epoll; elsewhere each connection has its task.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from trioecho.echo.report import ServerReport
    from trioecho.sockets.observed import ObservedSocket

#: Connections of one batch.
BATCH = 256
#: Seconds that other tasks may have to wait while there is always something to echo.
SHARE = 0.002
#: Seconds to wait in the set itself, where a client that answers at once is heard sooner.
NEXT = 0.001
#: Bytes to receive in one call from a connection that has not sent more at once.
SMALL = 2**12
#: So many bytes at once are bulk, whose sender may have no room for its next segment until it hears
#: of more: on loopback a segment has 64 KiB. Such ACKs are not delayed (RFC 9293 §3.8.6.2.1).
BULK = 2**15

_QUICKACK = (socket.IPPROTO_TCP, getattr(socket, "TCP_QUICKACK", 0), 1)


class Batches:
    """Echoes connections until their clients close their directions.

    It receives no more from a connection while the kernel does not take what came before, so a
    client that never reads costs one receive.

    Args:
        report: is kept up to date.
        recv_size: bytes to receive at the most in one call.
        nagle: False sets TCP_NODELAY on each connection.
        aborting: called before each connection that is aborted because it was cancelled.
    """

    def __init__(
        self,
        report: ServerReport,
        *,
        recv_size: int,
        nagle: bool = True,
        aborting: Callable[[], None] = lambda: None,
    ) -> None:
        self._report = report
        self._nagle = nagle
        self._aborting = aborting
        self._buffer = memoryview(bytearray(recv_size))
        self._epoll = select.epoll()
        self._small = min(SMALL, recv_size)
        self._open: dict[int, ObservedSocket] = {}
        # Those that send much or don't read, and what the kernel would not take back yet.
        self._much: dict[int, bytes] = {}
        self._last = False
        self._waiting = trio.CancelScope()

    def add(self, connection: ObservedSocket) -> None:
        """Take a connection; it belongs to the batches from now on."""
        if self._epoll.closed:  # it was accepted just when the server was cancelled
            self._cut(connection)
            return
        if not self._nagle:
            connection.set_nodelay()
        self._open[connection.fd] = connection
        self._epoll.register(connection.fd, select.EPOLLIN)

    def end(self) -> None:
        """Let ``run`` return when the last connection has ended: none will be added."""
        self._last = True
        self._waiting.cancel()

    async def run(self) -> None:
        """Echo. Cancelling it aborts the open connections (RST)."""
        poll, shared = self._epoll.poll, perf_counter()
        try:
            while self._open or not self._last:
                if events := poll(NEXT, BATCH):
                    self._echo(events)
                    if perf_counter() < shared + SHARE:
                        continue
                    await trio.lowlevel.checkpoint()
                else:
                    with trio.CancelScope() as self._waiting:
                        await trio.lowlevel.wait_readable(self._epoll.fileno())
                shared = perf_counter()
        finally:
            self._close()

    def _echo(self, events: Iterable[tuple[int, int]]) -> None:
        """Receive once from each connection, and send that back."""
        # For most messages only these lines run, and take as long as the system calls: hence the
        # local names, and descriptors instead of sockets.
        receive, send, size, much = os.read, os.write, self._small, self._much
        received = sent = 0
        for fd, _ in events:
            if fd in much:
                self._turn(fd)
                continue
            data, count = b"", 0
            try:
                data = receive(fd, size)
                if not data:
                    self._finish(fd)
                    continue
                count = send(fd, data)
            except BlockingIOError:
                pass
            except OSError:
                self._break(fd)
            received += len(data)
            sent += count
            if len(data) == size or count < len(data):
                self._slow(fd, data[count:])
        self._report.received += received
        self._report.sent += sent

    def _slow(self, fd: int, unsent: bytes) -> None:
        """From now on, look after a connection that sends much or does not read."""
        if fd in self._open:
            self._much[fd] = unsent
            if unsent:
                self._epoll.modify(fd, select.EPOLLOUT)

    def _turn(self, fd: int) -> None:
        """Let such a connection go on."""
        sock, report = self._open[fd].plain, self._report
        data: bytes | memoryview = self._much[fd]
        blocked, count = bool(data), 0
        try:
            if not blocked:
                received = sock.recv_into(self._buffer)
                report.received += received
                if not received:
                    self._finish(fd)
                    return
                if received >= BULK:
                    sock.setsockopt(*_QUICKACK)
                data = self._buffer[:received]
            count = sock.send(data)
        except BlockingIOError:
            pass
        except OSError:
            self._break(fd)
            return
        report.sent += count
        unsent = bytes(data[count:])
        if bool(unsent) is not blocked:
            self._epoll.modify(fd, select.EPOLLOUT if unsent else select.EPOLLIN)
        if unsent or len(data) >= self._small:
            self._much[fd] = unsent
        else:
            del self._much[fd]

    def _finish(self, fd: int) -> None:
        self._report.finished += 1
        self._leave(fd).close()

    def _break(self, fd: int) -> None:
        self._report.reset += 1
        self._leave(fd).close()

    def _leave(self, fd: int) -> ObservedSocket:
        self._much.pop(fd, None)
        return self._open.pop(fd)

    def _close(self) -> None:
        """Abort what is open."""
        for fd in list(self._open):
            self._cut(self._leave(fd))
        self._epoll.close()

    def _cut(self, connection: ObservedSocket) -> None:
        self._report.cut += 1
        self._aborting()
        connection.abort()
