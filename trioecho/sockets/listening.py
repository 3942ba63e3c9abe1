"""The listening socket: it carries no bytes, but accepts connections."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import suppress
from time import time_ns
from typing import TYPE_CHECKING, ClassVar

import trio

from trioecho.errors import TrioechoError
from trioecho.sockets.address import Address, resolve
from trioecho.sockets.observed import ObservedSocket
from trioecho.sockets.recorder import own_address
from trioecho.sockets.told import SocketFactory, ToldSocket, plain_socket

if TYPE_CHECKING:
    from trioecho.model import SocketKind
    from trioecho.sockets.recorder import Record, SocketAddress

DEFAULT_BACKLOG = 1024
# A host such as localhost has addresses of both families, and one may be disabled.
_FAMILY_MISSING = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class ListeningSocket(ToldSocket):
    """A socket that listens; see ``ToldSocket`` for its arguments."""

    kind: ClassVar[SocketKind] = "listening"
    _failing: int | None = None  # the error of the last accept

    def listen(self, backlog: int) -> None:
        """Listen.

        Raises:
            OSError: another socket listens on the address already.
        """
        self._call("listen", str(backlog), lambda: self._sock.listen(backlog))

    async def accept(self) -> ObservedSocket:
        """Wait for a client and accept its connection.

        Its record has the endpoints of the new connection, and the time when it returned. An error
        that comes again and again is recorded once.

        Raises:
            OSError: the connection died before it was accepted, or descriptors ran out.
        """
        (made,) = await self.accept_waiting(1)
        return made

    async def accept_waiting(self, most: int) -> list[ObservedSocket]:
        """Wait for a client, and accept it and all who wait behind it, up to a number.

        Raises:
            OSError: as for ``accept``; those that were accepted before it are not lost.
        """
        made = [await self._when(trio.lowlevel.wait_readable, self._accept)]
        with suppress(OSError):  # what is lasting comes again
            while len(made) < most:
                made.append(self._accept())
        await trio.lowlevel.cancel_shielded_checkpoint()
        return made

    def _accept(self) -> ObservedSocket:
        try:
            sock, peer = self._sock.accept()
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno != self._failing:  # of a lasting one, a line each would say no more
                self._failing = error.errno
                self.tell(time_ns(), "accept", error=error)
            raise
        time, self._failing = time_ns(), None
        made = ObservedSocket(sock, end=self.end, record=self._record)
        made._local, made._peer = own_address(sock), peer
        if self._recorder is not None:
            ends = (made._local, made._peer)
            self._recorder.tell(time, "accept", "", made.fd, None, *ends, b"")
        return made


async def open_listener(
    family: int,
    address: SocketAddress,
    *,
    backlog: int = DEFAULT_BACKLOG,
    factory: SocketFactory = plain_socket,
    record: Record | None = None,
    shared: bool = False,
) -> ListeningSocket:
    """Open one socket that listens; clients can connect as soon as this returns.

    With ``shared`` others may listen on the same address, and the kernel deals out connections
    among them (SO_REUSEPORT, socket(7)).

    On POSIX it sets SO_REUSEADDR, without which a server cannot start again for a minute after
    connections that it closed first (TIME-WAIT). On Windows that option would let another program
    steal the port, and SO_EXCLUSIVEADDRUSE is the one that is wanted.

    Raises:
        OSError: the address is in use, is not ours, or may not be taken.
    """
    listener = await ListeningSocket.create(family, end="server", factory=factory, record=record)
    try:
        if sys.platform == "win32":
            exclusive = socket.SO_EXCLUSIVEADDRUSE
            listener.set_option(socket.SOL_SOCKET, exclusive, 1, "SO_EXCLUSIVEADDRUSE 1")
        else:
            listener.set_option(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1, "SO_REUSEADDR 1")
        if shared:
            listener.set_option(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1, "SO_REUSEPORT 1")
        if family == socket.AF_INET6:
            listener.set_option(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1, "IPV6_V6ONLY 1")
        listener.bind(address)
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    return listener


async def open_listeners(
    address: Address,
    *,
    backlog: int = DEFAULT_BACKLOG,
    factory: SocketFactory = plain_socket,
    record: Record | None = None,
    shared: bool = False,
) -> list[ListeningSocket]:
    """Open a listening socket on each socket address that ``address`` stands for.

    With ``shared`` others may listen on the same addresses.

    Raises:
        TrioechoError: the name is not known, or the address cannot be listened on.
    """
    listeners: list[ListeningSocket] = []
    failure: OSError | None = None
    try:
        for family, found in await resolve(address, passive=True):
            try:
                listeners.append(
                    await open_listener(
                        family,
                        found,
                        backlog=backlog,
                        factory=factory,
                        record=record,
                        shared=shared,
                    )
                )
            except OSError as error:
                if error.errno not in _FAMILY_MISSING:
                    raise
                failure = error
        if not listeners:
            raise failure or OSError(errno.EADDRNOTAVAIL, "no address of this kind")
    except BaseException as error:
        for listener in listeners:
            listener.close()
        if isinstance(error, OSError):
            raise _refusal(address, error) from None
        raise
    return listeners


def _refusal(address: Address, error: OSError) -> TrioechoError:
    match error.errno:
        case errno.EADDRINUSE:
            return TrioechoError(
                f"{address} is in use: another program listens there",
                f"Use another port, or see who has it: ss -ltnp 'sport = :{address.port}'",
            )
        case errno.EADDRNOTAVAIL:
            return TrioechoError(
                f"{address.host} is not an address of this machine",
                "Listen on 127.0.0.1, on 0.0.0.0 for all, or on one that `ip address` shows",
            )
        case errno.EACCES | errno.EPERM:
            return TrioechoError(
                f"Port {address.port} needs privileges: ports below 1024 are for root",
                "Use a port from 1024 up",
            )
        case errno.EMFILE | errno.ENFILE:
            return TrioechoError(
                f"No socket is left for {address}: {error.strerror}", "Raise `ulimit -n`"
            )
        case _:
            return TrioechoError(f"Cannot listen on {address}: {error.strerror}")
