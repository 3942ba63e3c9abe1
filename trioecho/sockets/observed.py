"""A connection's plain socket, driven by trio, that records each call on it.

trio's own SocketStream sets options by itself: TCP_NODELAY, a small TCP_NOTSENT_LOWAT, a backlog
of 65535. That is right for most programs and wrong for one that shows what a socket does. Here the
kernel's defaults stay, an option that is set is recorded as a call, and each recorded call is one
system call with its time.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from time import time_ns
from typing import TYPE_CHECKING, ClassVar

import trio
from trio.lowlevel import cancel_shielded_checkpoint, checkpoint_if_cancelled

from trioecho.sockets.recorder import REMEMBERED, Record, SocketAddress, own_address, written
from trioecho.sockets.told import SocketFactory, ToldSocket, plain_socket

if TYPE_CHECKING:
    from trioecho.model import End, SocketKind

__all__ = ["ObservedSocket", "SocketFactory", "plain_socket"]

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}
# l_onoff = 1, l_linger = 0: close() throws away what was not sent and answers with RST.
_LINGER_ZERO = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SIOCOUTQ = 0x5411
_SYN_SENT = 2  # in the first byte of Linux's TCP_INFO


class ObservedSocket(ToldSocket):
    """One connection, or a socket that will be one.

    Each method that waits is a checkpoint, and may be cancelled without losing bytes: a call that
    was made returns its result before the next cancellation is checked. One task may send
    while another receives.

    Args:
        sock, end, record, hold: as for ``ToldSocket``.

    Attributes:
        received, sent: bytes so far.
    """

    kind: ClassVar[SocketKind] = "connection"

    def __init__(
        self,
        sock: socket.socket,
        *,
        end: End,
        record: Record | None = None,
        hold: bool = False,
    ) -> None:
        super().__init__(sock, end=end, record=record, hold=hold)
        self.received = 0
        self.sent = 0

    @property
    def plain(self) -> socket.socket:
        """The socket itself, for who drives it without a record."""
        return self._sock

    def set_nodelay(self) -> None:
        """Switch Nagle's algorithm off; it is on unless a program says so (RFC 9293 §3.7.4)."""
        self.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1, "TCP_NODELAY 1")

    async def connect(self, address: SocketAddress) -> None:
        """Connect, and wait until the handshake is done, unless TCP_FASTOPEN_CONNECT defers it.

        It is recorded twice: with the result None as soon as the kernel has sent the SYN and the
        local endpoint is known, and again with its result. A deferred one is recorded once.

        Raises:
            OSError: it was refused, timed out, or there is no route.
        """
        await checkpoint_if_cancelled()
        sock = self._sock
        time = time_ns()
        code = sock.connect_ex(address)
        self._local, self._peer = own_address(sock), address
        self._release()
        if code in _UNDER_WAY:
            self.tell(time, "connect", written(address))
            await trio.lowlevel.wait_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            time = time_ns()
        else:
            await cancel_shielded_checkpoint()
        if code:
            failure = OSError(code, os.strerror(code))
            self.tell(time, "connect", written(address), error=failure)
            raise failure
        self.tell(time, "connect", written(address), 0, deferred=_waits_for_data(sock))

    async def recv(self, size: int) -> bytes:
        """Receive what has arrived, as soon as there is something.

        Raises:
            OSError: the peer reset the connection, or it broke.
        """
        try:
            data = await self._when(trio.lowlevel.wait_readable, lambda: self._sock.recv(size))
        except OSError as error:
            self.tell(time_ns(), "recv", str(size), error=error)
            raise
        if self._recorder is not None:
            self.tell(time_ns(), "recv", str(size), len(data), data=data[:REMEMBERED])
        self.received += len(data)
        await cancel_shielded_checkpoint()
        return data

    async def send(self, data: bytes | memoryview, holds: str = "") -> int:
        """Send as much as the kernel accepts in one call, as soon as it accepts any.

        Args:
            data: the bytes.
            holds: what they are, for the record.

        Returns:
            How many it accepted.

        Raises:
            OSError: the peer reset the connection, or it broke.
        """
        time = 0

        def attempt() -> int:
            nonlocal time
            time = time_ns()
            return self._sock.send(data)

        try:
            count = await self._when(trio.lowlevel.wait_writable, attempt)
        except OSError as error:
            self.tell(time, "send", f"{len(data)} B", error=error)
            raise
        if self._recorder is not None:
            head = bytes(data[: min(count, REMEMBERED)])
            self.tell(time, "send", f"{len(data)} B", count, data=head, holds=holds)
        self.sent += count
        await cancel_shielded_checkpoint()
        return count

    async def send_all(self, data: bytes, holds: str = "") -> None:
        """Send all bytes, in as many calls as that takes.

        Args:
            data: the bytes.
            holds: what they are, for the record.

        Raises:
            OSError: the peer reset the connection, or it broke.
        """
        count = await self.send(data, holds)
        if count < len(data):
            with memoryview(data) as view:
                while count < len(data):
                    count += await self.send(view[count:])

    def unacknowledged(self) -> int:
        """How many of the bytes sent the peer's kernel has not acknowledged, FIN included.

        This is not part of the conversation, so it is not recorded.
        """
        if sys.platform != "linux" or self.closed:
            return 0
        from fcntl import ioctl

        return int.from_bytes(ioctl(self._sock, SIOCOUTQ, bytes(4)), sys.byteorder)

    def shutdown_write(self) -> None:
        """Half-close: send FIN after the data, and go on receiving.

        Raises:
            OSError: the connection is broken already.
        """
        self._call("shutdown", "SHUT_WR", lambda: self._sock.shutdown(socket.SHUT_WR))

    def abort(self) -> None:
        """Close at once with RST (SO_LINGER with a time of 0); nothing when closed already."""
        if not self.closed:
            option = (socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._call("setsockopt", "SO_LINGER 0", lambda: self._sock.setsockopt(*option))
            self.close()


def _waits_for_data(sock: socket.socket) -> bool:
    """Whether a socket has connected without a segment: the first data will go with its SYN."""
    if sys.platform != "linux":
        return False
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _SYN_SENT
