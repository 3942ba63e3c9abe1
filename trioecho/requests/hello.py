"""What the two Hellos of a TLS handshake say in the clear (RFC 8446 §4.1, RFC 5246 §7.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from msgspec import Struct

from trioecho.packet.records import CLIENT_HELLO, SERVER_HELLO

_u16 = Layout("!H").unpack_from
_SERVER_NAME, _ALPN, _SUPPORTED_VERSIONS = 0, 16, 43
#: Version, random, and the length of the session's ID behind a handshake's header.
_SESSION = 4 + 2 + 32
#: A ServerHello with this random asks for another ClientHello (RFC 8446 §4.1.3).
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_VERSIONS = {0x0300: "SSL 3.0", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}


class Hello(Struct, frozen=True):
    """A ClientHello or a ServerHello.

    Args:
        version: what a server has chosen, such as ``1.3``; the best that a client offers.
        name: the server's name (SNI).
        protocols: what a client offers, or the one that a server has chosen (ALPN).
        retry: whether the server asks for another ClientHello.
    """

    version: str
    name: str = ""
    protocols: tuple[str, ...] = ()
    retry: bool = False


def hello_of(message: bytes) -> Hello | None:
    """Read a handshake message, with its header; None for what is no Hello.

    >>> hello_of(b"\\x0e\\0\\0\\0")
    """
    try:
        if message[:1] == bytes([CLIENT_HELLO]):
            return _hello(message, client=True)
        if message[:1] == bytes([SERVER_HELLO]):
            return _hello(message, client=False)
    except (TooShort, IndexError):
        return None
    return None


def _hello(message: bytes, *, client: bool) -> Hello:
    (version,) = _u16(message, 4)
    name, protocols = "", tuple[str, ...]()
    at = _SESSION + 1 + message[_SESSION]
    if client:
        at += 2 + _u16(message, at)[0]  # cipher suites
        at += 1 + message[at]  # compression methods
    else:
        at += 3
    for kind, data in _extensions(message, at):
        if kind == _SERVER_NAME and client:
            name = _name(data)
        elif kind == _ALPN:
            protocols = tuple(_protocols(data))
        elif kind == _SUPPORTED_VERSIONS:
            version = _best(data) if client else _u16(data)[0]
    retry = not client and message[6:38] == _RETRY
    return Hello(_VERSIONS.get(version, f"0x{version:04x}"), name, protocols, retry)


def _extensions(message: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    if at + 2 > len(message):
        return  # there need be none
    end = min(len(message), at + 2 + _u16(message, at)[0])
    at += 2
    while at + 4 <= end:
        (kind,), (size,) = _u16(message, at), _u16(message, at + 2)
        yield kind, message[at + 4 : min(end, at + 4 + size)]
        at += 4 + size


def _name(data: bytes) -> str:
    """RFC 6066 §3: a list with one name of type 0."""
    if len(data) < 5 or data[2]:
        return ""
    return data[5 : 5 + _u16(data, 3)[0]].decode("ascii", "backslashreplace")


def _protocols(data: bytes) -> Iterator[str]:
    """RFC 7301 §3.1."""
    at = 2
    while at < len(data):
        size = data[at]
        yield data[at + 1 : at + 1 + size].decode("utf-8", "backslashreplace")
        at += 1 + size


def _best(data: bytes) -> int:
    """The highest version that is none to confuse the peer (RFC 8701)."""
    offered = [_u16(data, at)[0] for at in range(1, len(data) - 1, 2)]
    return max((one for one in offered if one in _VERSIONS), default=0x0303)
