"""Load for an echo server: messages on many connections, each byte checked, each echo timed."""

from __future__ import annotations

import math
import os
import select
from collections.abc import Sequence
from contextlib import suppress
from heapq import heappop, heappush
from time import perf_counter_ns
from typing import TYPE_CHECKING

import trio

from trioecho.echo.histogram import Histogram
from trioecho.echo.window import EchoDiffers, differ
from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.sockets.observed import ObservedSocket

#: Seconds that other tasks may have to wait while there is always an echo.
SHARE = 0.02
#: Nanoseconds to wait in the set itself, where an echo that comes at once is seen sooner.
NEXT = 1_000_000
#: Bytes to receive at the most in one call.
RECV_SIZE = 2**18
BATCH = 256
#: select() takes descriptors below this (FD_SETSIZE, select(2)).
SELECTABLE = 1024


class Talk:
    """One connection, and its message under way.

    Attributes:
        due: when the message was to be sent, in nanoseconds of ``perf_counter_ns``; its round trip
            counts from there, however late it is sent (see ``Load``).
        blocked: whether the kernel takes no more of it now.
        waiting: whether its next message is not due yet.
    """

    def __init__(self, connection: ObservedSocket, message: bytes) -> None:
        self.fd = connection.fd
        self._message, self._view = message, memoryview(message)
        self._sent = self._received = 0
        self.due = 0
        self.blocked = False
        self.waiting = True

    def begin(self, due: int) -> None:
        """Send the next message.

        Raises:
            OSError: the connection broke.
        """
        self.due, self.waiting = due, False
        self._sent = self._received = 0
        self.push()

    def push(self) -> None:
        """Send what the kernel takes.

        Raises:
            OSError: the connection broke.
        """
        left = self._view[self._sent :] if self._sent else self._message
        with suppress(BlockingIOError):
            self._sent += os.write(self.fd, left)
        self.blocked = self._sent < len(self._message)

    def pull(self) -> bool:
        """Receive, check, and say whether the whole echo is there.

        Raises:
            EchoDiffers: a byte is another than was sent, or was never sent.
            ConnectionResetError: the server closed its direction.
            OSError: the connection broke.
        """
        try:
            data = os.read(self.fd, RECV_SIZE)
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionResetError
        start, end = self._received, self._received + len(data)
        if data != self._message[start:end] or end > self._sent or self.waiting:
            differ(b"" if self.waiting else self._message[start : self._sent], data, start)
        self._received = end
        return end == len(self._message)


class Load:
    """Keeps one message in flight on each connection, or sends at a rate.

    At a rate, each message has a time at which it is due, and its round trip counts from then even
    if its connection still waits for the echo before: a server that stops for a second is late for
    all who would have come in that second ("coordinated omission", Gil Tene). Without a rate the
    next message is due when the echo is there, and that cannot be seen.

    Args:
        connections: connected; they stay the caller's.
        message: what is sent, at least one byte.
        rate: messages a second over all connections; infinite for as many as the server echoes.

    Attributes:
        connections: those of the caller.
        times: the round trips, in nanoseconds.
        broken: how many connections broke.
        missed: at a rate, how many messages were due by the end on those that did not break, and
            had not come back; no round trip tells of them.
    """

    def __init__(
        self, connections: Sequence[ObservedSocket], message: bytes, rate: float = math.inf
    ) -> None:
        self.connections = connections
        self.times = Histogram()
        self.broken = self.missed = 0
        self._message = message
        self._apart = 0 if math.isinf(rate) else round(len(connections) / rate * 1e9)
        self._talks = {one.fd: Talk(one, message) for one in connections}
        self._due: list[tuple[int, int]] = []  # when who has to send next
        self._fresh: list[int] = []

    @property
    def bytes(self) -> int:
        """How many bytes came back, in whole messages."""
        return (self.times.count + len(self._fresh)) * len(self._message)

    async def run(self, seconds: float) -> None:
        """Send and receive for so many seconds.

        Raises:
            EchoDiffers: a byte of an echo is another than was sent.
            TrioechoError: every connection broke.
        """
        with select.epoll() as epoll:
            self._epoll = epoll
            start = perf_counter_ns()
            for number, fd in enumerate(self._talks):
                epoll.register(fd, select.EPOLLIN)
                heappush(self._due, (start + self._apart * number // len(self._talks), fd))
            try:
                await self._until(start + round(seconds * 1e9) if seconds < math.inf else math.inf)
            finally:
                self._miss(perf_counter_ns())

    async def _until(self, end: float) -> None:
        shared = perf_counter_ns()
        while (now := perf_counter_ns()) < end:
            self._send_due(now)
            for fd, event in self._ready(min(end, self._due[0][0] if self._due else end) - now):
                self._go_on(fd, event)
            if not self._talks:
                self._count()
                raise TrioechoError(
                    f"Each connection broke: {self.times.count:,} round trips were complete",
                    "The server may have crashed, or reset them",
                )
            if now > shared + SHARE * 1e9:
                self._count()
                await trio.lowlevel.checkpoint()
                shared = perf_counter_ns()
        self._count()

    def _ready(self, wait: float) -> list[tuple[int, int]]:
        """Who is ready, waiting a millisecond at most; epoll alone counts in milliseconds."""
        if self._due and wait > 0 and self._epoll.fileno() < SELECTABLE:
            select.select([self._epoll], [], [], min(wait, NEXT) / 1e9)
            wait = 0
        return self._epoll.poll(NEXT / 1e9 if wait >= NEXT else 0, BATCH)

    def _send_due(self, now: int) -> None:
        while self._due and self._due[0][0] <= now:
            due, fd = heappop(self._due)
            if fd in self._talks:
                self._begin(self._talks[fd], due)

    def _begin(self, talk: Talk, due: int) -> None:
        try:
            talk.begin(due)
        except OSError:
            self._break(talk)
        else:
            if talk.blocked:
                self._epoll.modify(talk.fd, select.EPOLLIN | select.EPOLLOUT)

    def _go_on(self, fd: int, event: int) -> None:
        talk = self._talks[fd]
        try:
            if talk.blocked and event & select.EPOLLOUT:
                talk.push()
                if not talk.blocked:
                    self._epoll.modify(fd, select.EPOLLIN)
            if not event & ~select.EPOLLOUT or not talk.pull():
                return
        except EchoDiffers:
            raise
        except OSError:
            self._break(talk)
            return
        now = perf_counter_ns()
        self._fresh.append(now - talk.due)
        talk.waiting = True
        if not self._apart:
            self._begin(talk, now)
        elif (due := talk.due + self._apart) <= now:
            self._begin(talk, due)
        else:
            heappush(self._due, (due, fd))

    def _count(self) -> None:
        self.times.add(self._fresh)
        self._fresh.clear()

    def _miss(self, end: int) -> None:
        if self._apart:
            late = (end - one.due for one in self._talks.values() if not one.waiting)
            self.missed = sum(1 + time // self._apart for time in late)

    def _break(self, talk: Talk) -> None:
        self.broken += 1
        self._epoll.unregister(talk.fd)
        del self._talks[talk.fd]
