"""Where an echo is traced: a private loopback, or the machine's own."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from trioecho.capture import Capture, SnifferName, open_capture
from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host, open_host
from trioecho.hosts.refusal import NamespaceUnavailable
from trioecho.sockets.told import SocketFactory

_AF_PACKET, _SOCK_RAW = 17, 3
_LOOPBACKS = ("lo", "lo0")


class Place(NamedTuple):
    """A loopback, the capture on it, and how to make sockets there.

    Args:
        title: what it is, in words.
        capture: the capture, which sees every frame from now on.
        socket: makes a TCP socket of an address family.
        notice: what the user should know about the choice of the place, or ``""``.
    """

    title: str
    capture: Capture
    socket: Callable[[int], Awaitable[socket.socket]] | None
    notice: str = ""


@asynccontextmanager
async def open_place(
    interface: str | None, sniffer: SnifferName, port: int, size: int | None = None
) -> AsyncIterator[Place]:
    """Find a loopback to trace on, and capture there.

    Args:
        interface: None for a private one, where that can be had; else the machine's loopback.
        sniffer: which capture to use.
        port: the server's port, or 0 when the kernel will choose it. On the machine's loopback
            nothing else is captured.
        size: bytes of the capture's ring, None for its usual size.

    Returns:
        A context manager that gives the place.

    Raises:
        TrioechoError: neither can be had; it says what forbids them and what would allow them.
    """
    if interface is not None:
        with _own_loopback(interface, sniffer, port, size) as capture:
            yield Place(f"this machine's loopback, {interface}", capture, None)
        return
    if sys.platform != "linux":
        name = "lo0" if sys.platform == "darwin" else r"\Device\NPF_Loopback"
        with _own_loopback(name, "scapy", port, size) as capture:
            yield Place(f"this machine's loopback, {name}", capture, None)
        return
    refused: NamespaceUnavailable | None = None
    try:
        async with open_host() as host, open_capture_on(host, sniffer, size) as capture:
            yield Place("private loopback, no root needed", capture, factory(host))
            return
    except NamespaceUnavailable as error:
        refused = error
    try:
        capture = _own_loopback("lo", sniffer, port, size)
    except TrioechoError as error:
        both = f"{refused.what}, and {_lower(error.what)}"
        raise TrioechoError(both, _either(refused, error)) from None
    with capture:
        notice = f"{refused.what}; this machine's own loopback is used instead"
        yield Place("this machine's loopback, lo", capture, None, notice)


@asynccontextmanager
async def open_capture_on(
    host: Host, sniffer: SnifferName = "auto", size: int | None = None
) -> AsyncIterator[Capture]:
    """Capture on the interface of a host of our own, for as long as the block lasts.

    Args:
        host: the host.
        sniffer: which capture to use.
        size: bytes of the capture's ring, None for its usual size.

    Returns:
        A context manager that gives the capture, which sees every frame from now on.

    Raises:
        TrioechoError: the host's kernel has no packet sockets, or there is no such capture.
    """
    packet = await host.socket(_AF_PACKET, _SOCK_RAW)
    with open_capture(sniffer, interface=host.interface, sock=packet, size=size) as capture:
        yield capture


def factory(host: Host) -> SocketFactory:
    """Makes TCP sockets on a host.

    Args:
        host: the host.

    Returns:
        A function that is given an address family, and makes a socket of it.
    """

    async def make(family: int) -> socket.socket:
        return await host.socket(family, socket.SOCK_STREAM)

    return make


def _own_loopback(interface: str, sniffer: SnifferName, port: int, size: int | None) -> Capture:
    if not (interface in _LOOPBACKS or "loopback" in interface.lower()):
        raise TrioechoError(
            f"The echo runs over this machine's loopback, and {interface!r} is another interface",
            "Use --interface lo, or none for a private loopback",
        )
    return open_capture(sniffer, interface=interface, port=port or None, size=size)


def _either(one: TrioechoError, other: TrioechoError) -> str:
    return f"{one.hint}; or else {_lower(other.hint)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
