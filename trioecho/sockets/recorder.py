"""The record of one socket: each call on it becomes a ``Call``.

Nothing here imports the model before there is a call to record: a client without a record, which is
what ``trioecho send`` is, starts without msgspec.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from trioecho.model import Call, End, Endpoint, SocketKind

Record: TypeAlias = "Callable[[Call], None]"
SocketAddress: TypeAlias = tuple[Any, ...]

REMEMBERED = 64  # how many bytes of what was sent or received a Call carries


class Recorder:
    """Records the calls of one socket.

    What a client calls before it connects (``socket``, ``setsockopt``) is held back until it does,
    when its endpoints become known; those calls keep their times.
    """

    def __init__(self, record: Record, end: End, kind: SocketKind, fd: int, hold: bool) -> None:
        self._record = record
        self._end = end
        self._kind = kind
        self._fd = fd
        self._held: list[Call] | None = [] if hold else None

    def tell(
        self,
        time: int,
        name: str,
        arguments: str,
        result: int | None,
        error: OSError | None,
        local: SocketAddress | None,
        peer: SocketAddress | None,
        data: bytes,
        deferred: bool = False,
        holds: str = "",
    ) -> None:
        """Record one call: what it raised, or what it returned."""
        from trioecho.model import Call

        call = Call(
            time=time,
            end=self._end,
            socket=self._kind,
            fd=self._fd,
            name=name,
            arguments=arguments,
            result=result,
            error=None if error is None else error_name(error),
            local=endpoint(local),
            peer=endpoint(peer),
            data=data,
            deferred=deferred,
            holds=holds,
        )
        if self._held is None:
            self._record(call)
        else:
            self._held.append(call)

    def release(self, local: SocketAddress | None, peer: SocketAddress | None) -> None:
        """Record the calls held back, with the endpoints known by now."""
        held, self._held = self._held, None
        if held:
            from msgspec.structs import replace

            for call in held:
                self._record(replace(call, local=endpoint(local), peer=endpoint(peer)))


def error_name(error: OSError) -> str:
    """An error's name, as ``ECONNREFUSED``, or its number where it has none."""
    reason = getattr(error, "reason", None)  # OpenSSL's, whose numbers are not errno's
    if reason:
        return str(reason)
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def own_address(sock: socket.socket) -> SocketAddress | None:
    """The address a socket is bound to; None when it has none yet, or is closed."""
    try:
        address: SocketAddress = sock.getsockname()
    except OSError:
        return None
    return address if address[1] else None


def endpoint(address: SocketAddress | None) -> Endpoint | None:
    """A socket address as an endpoint, without an IPv6 zone, which no frame carries."""
    if address is None:
        return None
    from trioecho.model import Endpoint

    return Endpoint(address[0].partition("%")[0], address[1])


def written(address: SocketAddress) -> str:
    """A socket address as text: ``127.0.0.1:65432`` or ``[::1]:65432``."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
