"""Addresses to listen on and connect to: a host and a port, as a user writes them."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, NamedTuple

from trioecho.errors import TrioechoError

if TYPE_CHECKING:
    from trioecho.sockets.recorder import SocketAddress

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 65432


class MalformedAddress(TrioechoError, ValueError):  # noqa: N818 - a sentence, as its base is
    """An address that is not of the form ``HOST:PORT``."""


class Address(NamedTuple):
    """A host, by name or by number, and a port."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Resolved(NamedTuple):
    """One socket address that a host's name stands for, and its address family."""

    family: int
    address: SocketAddress


def parse_address(text: str, *, listen: bool = True) -> Address:
    """Read an address: ``HOST:PORT``, ``:PORT``, ``PORT`` or ``[::1]:PORT``.

    Without a host it is 127.0.0.1 and never every interface: opening a server to the world should
    take more typing (``0.0.0.0:PORT``), not less.

    Raises:
        MalformedAddress: the text is none of these.

    >>> parse_address("[::1]:7"), parse_address(":7")
    (Address(host='::1', port=7), Address(host='127.0.0.1', port=7))
    """
    host, _, port = text.rpartition(":")
    lowest = 0 if listen else 1
    digits = port if port.isascii() and port.isdigit() and len(port) <= 5 else "-1"
    if not lowest <= int(digits) <= 65535:
        raise MalformedAddress(
            f"{text!r} is not an address",
            f"Write HOST:PORT, :PORT, PORT or [IPV6]:PORT, with a port from {lowest} to 65535",
        )
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host or "[" in host or "]" in host:
        raise MalformedAddress(
            f"{text!r} is not an address", "Put an IPv6 address in brackets: [::1]:65432"
        )
    elif not host:
        host = DEFAULT_HOST
    if not host or not host.isprintable() or " " in host:
        raise MalformedAddress(f"{text!r} names no host", "Write HOST:PORT or [IPV6]:PORT")
    return Address(host, int(port))


async def resolve(address: Address, *, passive: bool = False) -> list[Resolved]:
    """The socket addresses that an address stands for, in the order in which to try them.

    Raises:
        TrioechoError: the host's name is not known.
    """
    import trio

    try:
        found = await trio.socket.getaddrinfo(
            address.host,
            address.port,
            type=socket.SOCK_STREAM,
            proto=socket.IPPROTO_TCP,
            flags=socket.AI_PASSIVE if passive else 0,
        )
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not a valid host name"
        exhausted = getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE)
        raise TrioechoError(
            f"Cannot find the address of {address.host!r}: {why}",
            "Raise `ulimit -n`"
            if exhausted
            else "Check the spelling, or write the IP address itself",
        ) from None
    wanted = (socket.AF_INET, socket.AF_INET6)
    return [Resolved(entry[0], entry[4]) for entry in found if entry[0] in wanted]
