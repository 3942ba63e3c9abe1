"""What a trace is to show."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from trioecho.capture import SnifferName

Message: TypeAlias = bytes | Callable[[], AsyncGenerator[bytes, None]]


class Settings(Struct, frozen=True):
    """What to trace.

    Args:
        message: what each client sends, or a function that yields it piece by piece.
        size: how many bytes that is, as far as it is known.
        count: how often each sends it.
        connections: how many clients there are, all at once.
        recv_size: bytes each end receives at the most in one call.
        close: how a client closes: ``fin`` closes both directions when the echo is complete,
            ``half`` closes its own direction straight after sending, ``rst`` resets.
        nagle: whether Nagle's algorithm is on (RFC 9293 §3.7.4).
        ipv6: whether to use ::1.
        port: the server's port; 0 lets the kernel choose.
        backlog: of the listening socket.
        interface: None for a private loopback.
        sniffer: which capture to use.
        grace: seconds to wait for the connections to end.
        timeout: seconds without any progress after which a client gives up.
        faults: what a private wire does to whom; with none, there is a loopback and no wire.
        kernel: whether to ask the kernel about both ends, at each segment.
    """

    message: Message = b"testing purposes"
    size: int = 16
    count: int = 1
    connections: int = 1
    recv_size: int = 65536
    close: Literal["fin", "rst", "half"] = "fin"
    nagle: bool = True
    ipv6: bool = False
    port: int = 65432
    backlog: int = 128
    interface: str | None = None
    sniffer: SnifferName = "auto"
    grace: float = 2.0
    timeout: float = 30.0
    faults: tuple[str, ...] = ()
    kernel: bool = False
