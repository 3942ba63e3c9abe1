"""A frame's bytes -> a ``Datagram``, where there is one of UDP in it."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct as Layout
from struct import error as TooShort  # noqa: N812

from trioecho.model import Datagram, Endpoint, Frame
from trioecho.packet.network import Packet, innermost
from trioecho.packet.tunnels import UDP

_header = Layout("!HHH").unpack_from
_SIZE = 8


def datagram_of(frame: Frame) -> Datagram | None:
    """The UDP datagram in a frame, whole or with its first fragment.

    Returns:
        The datagram, or None for a frame that has none, or is cut off in its header.

    Source: RFC 768.
    """
    try:
        found = innermost(frame, None)
        if not isinstance(found, Packet) or found.protocol != UDP:
            return None
        data, at = found.data, found.at
        source, destination, length = _header(data, at)
    except (TooShort, IndexError):
        return None
    if length < _SIZE or len(data) < at + _SIZE:
        return None
    half = len(found.addresses) // 2
    family = AF_INET if half == 4 else AF_INET6
    ends = (inet_ntop(family, one) for one in (found.addresses[:half], found.addresses[half:]))
    client, server = map(Endpoint, ends, (source, destination))
    return Datagram(frame, client, server, data[at + _SIZE : min(found.end, at + length)])
