"""The exchange of messages on one connection."""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import perf_counter_ns
from typing import TYPE_CHECKING, Literal, TypeAlias

import trio

from trioecho.echo.window import Window
from trioecho.errors import PeerResetError, TrioechoError

if TYPE_CHECKING:
    from trioecho.sockets.observed import ObservedSocket

Chunks: TypeAlias = AsyncGenerator[bytes, None]
ClientClose: TypeAlias = Literal["eof", "fin", "rst", "half"]
ServerEnd: TypeAlias = Literal["fin", "rst", "open"]

_LOOKS = 16  # how many times within the timeout to check for progress


class Conversation:
    """A task that sends, a task that receives, and the window between them.

    Attributes:
        window: the bytes in flight; the caller closes it.
        round_trips: of each round so far, in nanoseconds.
    """

    def __init__(
        self,
        connection: ObservedSocket,
        recv_size: int,
        timeout: float,
        received: Callable[[bytes], Awaitable[None]] | None,
    ) -> None:
        self.connection = connection
        self.recv_size = recv_size
        self.timeout = timeout
        self.received = received
        self.window = Window()
        self.round_trips: list[int] = []
        self.broken: OSError | None = None
        self.reading = trio.CancelScope()
        self.sending = False
        self.echoed = trio.Event()
        self.started = 0

    async def round(
        self, chunks: Callable[[], Chunks], close: ClientClose | None, patience: float
    ) -> None:
        """Send one message and receive its echo.

        ``close`` says how to end the connection after the last message; ``patience`` is how many
        seconds ``eof`` waits for an echo before it half-closes.

        Raises:
            EchoDiffers: a byte came back other than it was sent.
            TrioechoError: the server reset or closed the connection, or nothing moved in time.
        """
        self.echoed = trio.Event()
        self.sending = True
        self.started = perf_counter_ns()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send, chunks, close, patience)
                await self._receive()
        except BaseExceptionGroup as group:
            raise (_sentence(group) or group) from None

    async def rest(self, patience: float) -> ServerEnd:
        """Wait so many seconds for the server to close its direction, and say how it ended."""
        with trio.move_on_after(patience):
            try:
                while data := await self.connection.recv(self.recv_size):
                    await self._take(data)
            except OSError:
                return "rst"
            return "rst" if self.broken else "fin"
        return "open"

    async def _send(
        self, chunks: Callable[[], Chunks], close: ClientClose | None, patience: float
    ) -> None:
        first = True
        async with aclosing(chunks()) as pieces:
            async for piece in pieces:
                if first:
                    self.started = perf_counter_ns()  # reading the source is not part of it
                    first = False
                self.window.push(piece)
                try:
                    await self.connection.send_all(piece)
                except OSError as error:
                    self.broken = error  # the receiver reports how far it got
                    return
        self.sending = False
        if not self.window:
            self.reading.cancel()
        if close == "eof":
            while not self.echoed.is_set():
                before = self.connection.received
                with trio.move_on_after(min(patience, self.timeout / 2)):
                    await self.echoed.wait()
                if before == self.connection.received:
                    break
        if close in ("eof", "half"):
            try:
                self.connection.shutdown_write()
            except OSError as error:
                self.broken = error

    async def _receive(self) -> None:
        idle, before = 0, self._moved()
        while self.sending or self.window:
            data: bytes | None = None
            with trio.move_on_after(self.timeout / _LOOKS) as self.reading:
                try:
                    data = await self.connection.recv(self.recv_size)
                except OSError as error:
                    raise self._cut_short(error) from None
            if data:
                await self._take(data)
            elif data is not None:
                raise self._cut_short(self.broken)
            elif (now := self._moved()) != before or not self.window:
                idle, before = 0, now
            elif (idle := idle + 1) == _LOOKS:
                raise TrioechoError(
                    f"No echo within {self.timeout:g} s: {self._progress()}",
                    "It may not be an echo server, or be slow: give it longer with --timeout",
                )
        self.round_trips.append(perf_counter_ns() - self.started)
        self.echoed.set()

    def _moved(self) -> tuple[int, ...]:
        """A value that changes as soon as a byte has moved in either direction.

        Acknowledgments count as well: the kernel accepts megabytes at once, and the next only when
        a third of them has gone.
        """
        connection = self.connection
        waiting = connection.unacknowledged()
        return connection.sent, connection.received, len(self.window), waiting

    async def _take(self, data: bytes) -> None:
        self.window.check(data)
        if self.received is not None:
            await self.received(data)

    def _progress(self) -> str:
        if not self.connection.sent:
            return "nothing had been sent"
        return f"{self.connection.received:,} of {self.connection.sent:,} bytes had come back"

    def _cut_short(self, error: OSError | None) -> TrioechoError:
        if error is None:
            return TrioechoError(
                f"The server closed the connection too early: {self._progress()}",
                "It may not be an echo server, or it was stopped",
            )
        if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.ECONNABORTED):
            return PeerResetError(
                f"The connection was reset half way: {self._progress()}",
                "The server may have crashed, or closed its socket before it had read everything",
            )
        return TrioechoError(f"The connection broke: {error.strerror}; {self._progress()}")


def _sentence(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The first TrioechoError in a group, at any depth."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            if found := _sentence(error):
                return found
        elif isinstance(error, TrioechoError):
            return error
    return None
