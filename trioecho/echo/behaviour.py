"""Servers that behave badly, to try clients with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import trio

from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.sockets.observed import ObservedSocket

#: A slow server sends so often, in seconds.
BEAT = 0.05
MOST = 10**9


class Kind(NamedTuple):
    """One way to behave.

    Args:
        value: what follows its name and ``=``, "" for nothing.
        does: what the server does.
        lesson: the lesson that shows what its client sees; "" where no wire shows it.
    """

    value: str
    does: str
    lesson: str


KINDS = {
    "delay": Kind("TIME", "waits so long before each echo", "nagle-delayed-ack"),
    "slow": Kind("SPEED", "sends so many bytes a second, and reads no faster", "window-full"),
    "split": Kind("N", "sends an echo in pieces of N bytes, a segment each", "message-split"),
    "corrupt-byte": Kind("N", "changes the Nth byte that it sends back", ""),
    "close-after": Kind("N", "closes the connection after N bytes", "reset-unread-data"),
    "reset-after": Kind("N", "resets the connection after N bytes", "abort"),
    "half-close": Kind("", "closes its direction at once, and goes on reading", "half-close"),
    "never-read": Kind("", "accepts, and never reads", "zero-window"),
    "never-accept": Kind("", "listens, and never accepts", "backlog-overflow"),
}
#: How each kind of value is written, and what a unit stands for.
_VALUES: dict[str, tuple[re.Pattern[str], dict[str, float], str]] = {
    "TIME": (re.compile(r"([0-9.]{1,12})(ms|s)"), {"ms": 0.001, "s": 1.0}, "a time such as 200ms"),
    "SPEED": (
        re.compile(r"([0-9.]{1,12})(B|kB|MB)/s"),
        {"B": 1, "kB": 1_000, "MB": 1_000_000},
        "a speed such as 1kB/s",
    ),
    "N": (re.compile(r"([0-9]{1,10})()"), {"": 1}, "a number of bytes such as 16"),
}


class Behaviour(NamedTuple):
    """How a server behaves; several ways go together.

    Args:
        delay: seconds before each echo.
        slow: bytes a second, 0 for no limit.
        split: bytes of a piece, 0 for whole echoes.
        corrupt_byte: which byte is changed, from 1; 0 for none.
        close_after, reset_after: bytes sent back, after which the connection ends; None for never.
        half_close, never_read, never_accept: see ``KINDS``.
    """

    delay: float = 0.0
    slow: float = 0.0
    split: int = 0
    corrupt_byte: int = 0
    close_after: int | None = None
    reset_after: int | None = None
    half_close: bool = False
    never_read: bool = False
    never_accept: bool = False


def parse_behaviour(texts: Iterable[str]) -> Behaviour:
    """Read ways to behave, such as ``delay=200ms``.

    Raises:
        TrioechoError: one is unknown, comes twice, or has a value that it cannot have.

    >>> parse_behaviour(["split=16", "half-close"]).split
    16
    """
    found: dict[str, float | bool] = {}
    for text in texts:
        name, _, value = text.partition("=")
        kind = KINDS.get(name)
        if kind is None:
            raise TrioechoError(f"No server behaves {name!r}", f"It can: {', '.join(KINDS)}")
        field = name.replace("-", "_")
        if field in found:
            raise TrioechoError(f"{name!r} is there twice")
        found[field] = _value(name, kind, value)
    return Behaviour(**found)  # type: ignore[arg-type]


def _value(name: str, kind: Kind, text: str) -> float | bool:
    if not kind.value:
        if text:
            raise TrioechoError(f"{name!r} takes no value")
        return True
    form, units, example = _VALUES[kind.value]
    match = form.fullmatch(text)
    try:
        number = float(match[1]) * units[match[2]] if match else -1
    except ValueError:  # two points
        number = -1
    least = 0 if name.endswith("-after") else 1e-3
    if not least <= number <= MOST:
        raise TrioechoError(f"{name!r} needs {example}, not {text!r}")
    return int(number) if kind.value == "N" else number


async def misbehave(connection: ObservedSocket, behaviour: Behaviour, recv_size: int) -> bool:
    """Serve one connection badly, until its client closes or it is to end here.

    Returns:
        Whether it ends here, before its client has closed; it is left open unless it was reset.

    Raises:
        OSError: the client reset the connection, or it broke.
    """
    if behaviour.half_close:
        connection.shutdown_write()
        while await connection.recv(recv_size):
            pass
        return False
    if behaviour.never_read:
        await trio.sleep_forever()
    if behaviour.split:
        connection.set_nodelay()  # or Nagle's algorithm would put pieces together
    ends = [end for end in (behaviour.close_after, behaviour.reset_after) if end is not None]
    end = min(ends, default=MOST**2)
    while connection.sent < end and (data := await connection.recv(recv_size)):
        await trio.sleep(behaviour.delay)
        for piece in _pieces(_corrupted(data, connection.sent, behaviour), behaviour):
            await connection.send_all(piece[: end - connection.sent])
            if connection.sent == end:
                break
            if behaviour.slow:
                await trio.sleep(len(piece) / behaviour.slow)
    ends_here = connection.sent >= end
    if ends_here and end == behaviour.reset_after:
        connection.abort()
    return ends_here


def _corrupted(data: bytes, before: int, behaviour: Behaviour) -> bytes:
    place = behaviour.corrupt_byte - 1 - before
    if behaviour.corrupt_byte and 0 <= place < len(data):
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    return data


def _pieces(data: bytes, behaviour: Behaviour) -> Iterator[bytes]:
    size = len(data)
    if behaviour.slow:
        size = min(size, max(1, int(behaviour.slow * BEAT)))
    if behaviour.split:
        size = min(size, behaviour.split)
    for start in range(0, len(data), size):
        yield data[start : start + size]
