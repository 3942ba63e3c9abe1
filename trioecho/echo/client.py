"""The client's side of an echo: send and receive at once, and check each byte that comes back."""

from __future__ import annotations

import errno
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import perf_counter_ns
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import trio

from trioecho.echo.window import Window
from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.echo.observed import ObservedSocket

Chunks: TypeAlias = AsyncGenerator[bytes, None]
ClientClose: TypeAlias = Literal["eof", "fin", "rst", "half"]
ServerEnd: TypeAlias = Literal["fin", "rst", "open"]

RECV_SIZE = 65536
PATIENCE = 1.0
_CHUNK = 64 * 2**10
_LOOKS = 16  # so often within the timeout we look whether something has moved


class Exchange(NamedTuple):
    """What an exchange came to.

    Args:
        sent, received: bytes.
        round_trips: for each message, nanoseconds from its first send to the last byte of its echo.
        server_end: how the server ended: ``fin`` when it closed its direction, ``rst`` when it
            reset the connection after the whole echo, ``open`` when it had done neither.
    """

    sent: int
    received: int
    round_trips: tuple[int, ...]
    server_end: ServerEnd


async def exchange(
    connection: ObservedSocket,
    message: bytes | Callable[[], Chunks],
    *,
    count: int = 1,
    interval: float = 0.0,
    close: ClientClose = "eof",
    recv_size: int = RECV_SIZE,
    timeout: float = math.inf,
    patience: float = PATIENCE,
    received: Callable[[bytes], Awaitable[None]] | None = None,
    round_done: Callable[[int, int], Awaitable[None]] | None = None,
) -> Exchange:
    """Send a message and check its echo, once or several times, and close the connection.

    It sends and receives at once: a client that first sends everything blocks for ever when the
    message is larger than the buffers on the way, because the server cannot echo what nobody reads.

    Args:
        connection: a connected socket; it is closed when this returns or raises.
        message: what to send, or a function that yields it piece by piece, called for each round.
        count: how often to send it; each echo is awaited before the next round.
        interval: seconds from the start of a round to the start of the next.
        close: how to end it:
            ``eof`` half-closes when the echo is complete and waits for the server to close too;
            when the echo stalls for ``patience`` it half-closes already, since some servers answer
            only to the end of a message;
            ``half`` half-closes straight after sending, and receives through the half-open
            connection;
            ``fin`` closes when the echo is complete;
            ``rst`` resets the connection when the echo is complete.
        recv_size: bytes to receive at the most in one call.
        timeout: seconds without a byte that goes out or comes back, while an echo is awaited, that
            are too many.
        patience: seconds to wait for the server to close once all is done.
        received: is given each piece that came back, after it was checked. While it has not
            returned nothing more is received, and the timeout stands still.
        round_done: is told the number of each round, from 1, and its round trip in nanoseconds.
            While it has not returned the next round does not begin.

    Returns:
        What was sent and received, and how long it took.

    Raises:
        EchoDiffers: a byte came back other than it was sent.
        TrioechoError: the server reset or closed the connection half way, or sent nothing in time.
    """
    chunks = (lambda: _pieces(message)) if isinstance(message, bytes) else message
    with connection:
        conversation = _Conversation(connection, recv_size, timeout, received)
        try:
            for number in range(1, count + 1):
                start = trio.current_time()
                last = number == count
                await conversation.round(chunks, close if last else None, patience)
                if round_done is not None:
                    await round_done(number, conversation.round_trips[-1])
                if not last:
                    await trio.sleep_until(start + interval)
            if close == "rst":
                connection.abort()
            end = await conversation.rest(patience) if close in ("eof", "half") else "open"
        finally:
            conversation.window.close()
        return Exchange(connection.sent, connection.received, tuple(conversation.round_trips), end)


async def _pieces(message: bytes) -> Chunks:
    for start in range(0, len(message), _CHUNK):
        yield message[start : start + _CHUNK]


class _Conversation:
    """One connection's exchange: a task that sends, a task that receives, the window between."""

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
        """One message there and back; ``close`` is None unless it is the last."""
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
        """Wait for the server to close its direction, but not for ever."""
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
                    self.started = perf_counter_ns()  # reading the source is no part of the trip
                    first = False
                self.window.push(piece)
                try:
                    await self.connection.send_all(piece)
                except OSError as error:
                    self.broken = error  # what it did before it broke is for the receiver to tell
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
                    "The server may be no echo server, or slow: --timeout gives it more time",
                )
        self.round_trips.append(perf_counter_ns() - self.started)
        self.echoed.set()

    def _moved(self) -> tuple[int, ...]:
        """What is different as soon as a byte has moved, there or back.

        What the peer has acknowledged counts as well: the kernel takes megabytes at once, and lets
        us send the next only when a third of them has gone.
        """
        connection = self.connection
        waiting = connection.unacknowledged()
        return connection.sent, connection.received, len(self.window), waiting

    async def _take(self, data: bytes) -> None:
        self.window.check(data)
        if self.received is not None:
            await self.received(data)

    def _progress(self) -> str:
        return f"{self.connection.received:,} of {self.connection.sent:,} bytes had come back"

    def _cut_short(self, error: OSError | None) -> TrioechoError:
        if error is None:
            return TrioechoError(
                f"The server closed the connection too early: {self._progress()}",
                "It may be no echo server, or have been stopped",
            )
        if error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN, errno.ECONNABORTED):
            return TrioechoError(
                f"The server reset the connection half way: {self._progress()}",
                "It may have crashed, or closed its socket before it had read everything",
            )
        return TrioechoError(f"The connection broke: {error.strerror}; {self._progress()}")


def _sentence(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The error in a group that says what happened, at whatever depth."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            if found := _sentence(error):
                return found
        elif isinstance(error, TrioechoError):
            return error
    return None
