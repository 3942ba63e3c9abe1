"""The client's side of an echo: send and receive at once, and check each byte that comes back."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import trio

from trioecho.echo.conversation import Chunks, ClientClose, Conversation, ServerEnd

if TYPE_CHECKING:
    from trioecho.sockets.observed import ObservedSocket

__all__ = ["Chunks", "ClientClose", "Exchange", "ServerEnd", "exchange"]

RECV_SIZE = 65536
PATIENCE = 1.0
_CHUNK = 64 * 2**10


class Exchange(NamedTuple):
    """The result of an exchange.

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
        conversation = Conversation(connection, recv_size, timeout, received)
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
