"""Diag: the TCP sockets of a whole network namespace, as inet_diag lists them.

The namespace is that of the netlink socket on which the question is sent.

The kernel works on a dump only inside send() and recv(), so there is nothing to wait for: a reader
that goes on to the end never finds the socket empty before it. That is why a question can be asked
and answered in one go, between two packets.

See also:
    sock_diag(7), netlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from socket import AF_INET, AF_INET6, IPPROTO_TCP, inet_ntop, inet_pton

import trio
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.hosts.netlink import (
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_MULTI,
    NLMSG_DONE,
    NLMSG_ERROR,
    attributes,
    error_number,
    message,
    messages,
)
from trioecho.hosts.tcp_info import parse_info, state_of
from trioecho.model import Endpoint, Kernel, State, unmapped

SOCK_DIAG_BY_FAMILY = 20
INET_DIAG_INFO = 2  # the attribute with TCP_INFO
INET_DIAG_CONG = 4  # the attribute with the name of the congestion control

# linux/inet_diag.h. Both structs hold an inet_diag_sockid: both ports and both addresses in network
# order, each address 16 bytes, then the interface and a cookie.
#   inet_diag_req_v2   family, protocol, extensions, padding, states, sockid
#   inet_diag_msg      family, state, timer, retransmits, sockid, expires, bytes to receive, bytes
#                      to send, uid, inode
REQUEST = struct.Struct("=BBBxI 2s2s16s16sI8s")
ANSWER = struct.Struct("=BB2x 2s2s16s16s12x 4xIIII")
NO_COOKIE = b"\xff" * 8

# Sets of states, by the numbers of net/tcp_states.h. SYN-RECEIVED includes half-open connections.
LISTEN = 1 << 10
ANY = (1 << 12) - 1

# The states in which the peer's FIN has arrived, and those in which an own SYN or FIN is not
# acknowledged.
_GOT_FIN = (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK)
_CONTROL_UNDER_WAY = (
    *(State.SYN_SENT, State.SYN_RECEIVED),
    *(State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK),
)

BUFFER = 1 << 16  # bytes; the kernel puts at most half of it into one answer
ATTEMPTS = 10
POLL = 0.01  # seconds

_HINTS = {
    errno.EPERM: "A container or a security module forbids it",
    errno.ENOENT: "It needs the kernel modules tcp_diag and inet_diag: sudo modprobe tcp_diag",
    errno.ECONNREFUSED: "It needs CONFIG_INET_DIAG",
    errno.EPROTONOSUPPORT: "It needs CONFIG_INET_DIAG",
}


class HeldSocket(Struct, frozen=True):
    """A TCP socket, or what the kernel keeps in the place of one.

    Args:
        local: its own endpoint.
        peer: the other end's; None for one that listens.
        state: its state.
        kernel: what TCP_INFO says; None where the kernel keeps less than a socket: the server's
            half of a handshake, TIME-WAIT, FIN-WAIT-2 once the program has closed it.
        inode: its inode, as in /proc/PID/fd; 0 where no program has it: before it is accepted, and
            after it is closed.
        uid: the user who made it; 0 where the kernel keeps less than a socket.
        receive_queue: bytes that the program has not read; for one that listens, connections that
            wait for accept.
        send_queue: bytes that the peer has not acknowledged; for one that listens, its backlog.
    """

    local: Endpoint
    peer: Endpoint | None
    state: State
    kernel: Kernel | None
    inode: int
    uid: int
    receive_queue: int
    send_queue: int


class Diag:
    """Asks for the TCP sockets of a namespace.

    Args:
        sock: a socket of ``AF_NETLINK``, ``SOCK_RAW`` and ``NETLINK_SOCK_DIAG`` (4), made in that
            namespace, non-blocking, and used for nothing else. The caller closes it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sequence = 0

    async def sockets(self) -> list[HeldSocket]:
        """What `sockets_now` returns, after a checkpoint."""
        await trio.lowlevel.checkpoint()
        return self.sockets_now()

    def sockets_now(self) -> list[HeldSocket]:
        """All TCP sockets of the namespace, in all states and in no order.

        IPv4 connections of an IPv6 socket have IPv4 addresses.

        Raises:
            TrioechoError: the kernel refuses.
        """
        return [*self._dump(AF_INET, ANY), *self._dump(AF_INET6, ANY)]

    def find_now(self, local: Endpoint, peer: Endpoint) -> HeldSocket | None:
        """One end of a connection, which the kernel looks up directly; None when it has none.

        Raises:
            TrioechoError: the kernel refuses.
        """
        # Where the connection is not, the kernel names the socket that would accept it.
        return next((held for held in self._find(local, peer) if held.peer == peer), None)

    def listener_now(self, local: Endpoint) -> HeldSocket | None:
        """The socket that accepts connections to an endpoint; None when there is none.

        Raises:
            TrioechoError: the kernel refuses.
        """
        anybody = Endpoint("::" if ":" in local.ip else "0.0.0.0", 0)
        return next((held for held in self._find(local, anybody) if held.peer is None), None)

    def _find(self, local: Endpoint, peer: Endpoint) -> list[HeldSocket]:
        family = AF_INET6 if ":" in local.ip else AF_INET
        try:
            return [held for _, held in self._ask(request(family, ANY, local, peer))]
        except OSError as error:
            if error.errno == errno.ENOENT:
                return []
            raise refused(error) from None

    async def listening(self) -> list[Endpoint]:
        """Where servers listen in the namespace, at 0.0.0.0 or :: for one that listens on all.

        Raises:
            TrioechoError: the kernel refuses.
        """
        await trio.lowlevel.checkpoint()
        return [held.local for family in (AF_INET, AF_INET6) for held in self._dump(family, LISTEN)]

    async def wait_listening(
        self, port: int | None = None, *, beyond_loopback: bool = False
    ) -> Endpoint:
        """Wait until a server listens.

        inet_diag does not announce it (its multicast groups report destroyed sockets alone),
        so this asks a hundred times a second. The caller bounds it by a cancel scope.

        Raises:
            TrioechoError: the kernel refuses.
        """
        while True:
            for endpoint in await self.listening():
                if port in (None, endpoint.port) and not (
                    beyond_loopback and on_loopback(endpoint)
                ):
                    return endpoint
            await trio.sleep(POLL)

    def _dump(self, family: int, states: int) -> list[HeldSocket]:
        try:
            for _ in range(ATTEMPTS):
                answers = list(self._ask(request(family, states), NLM_F_DUMP))
                if not any(flags & NLM_F_DUMP_INTR for flags, _ in answers):
                    return [held for _, held in answers]
        except OSError as error:
            raise refused(error) from None
        raise TrioechoError("The namespace's sockets change faster than the kernel can list them")

    def _ask(self, question: bytes, flags: int = 0) -> Iterator[tuple[int, HeldSocket]]:
        """Ask, and give each answer with its flags."""
        # A dump that was broken off, by Ctrl-C say, goes on until it has been read, and the kernel
        # refuses another before. So the socket is emptied first.
        while self._receive():
            pass
        self._sequence = self._sequence % 0xFFFF_FFFF + 1
        self._socket.send(message(SOCK_DIAG_BY_FAMILY, flags, self._sequence, question))
        while data := self._receive():
            for kind, marks, body in messages(data, self._sequence, ANSWER.size):
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    if number := error_number(body):
                        raise OSError(number, os.strerror(number))
                    return
                yield marks, unpack(body)
                if not marks & NLM_F_MULTI:
                    return
        raise TrioechoError("The kernel did not finish its answer on the namespace's sockets")

    def _receive(self) -> bytes:
        """The next messages, or none when there are none now."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(BUFFER)
            except BlockingIOError:
                return b""
            if sender == 0:  # the kernel; a program with every capability there can send here too
                return data


def request(
    family: int, states: int, local: Endpoint | None = None, peer: Endpoint | None = None
) -> bytes:
    """An inet_diag_req_v2: for all sockets in these states, or for one pair of endpoints."""
    ports, addresses, cookie = [b"", b""], [b"", b""], b""
    if local is not None and peer is not None:
        ports = [end.port.to_bytes(2, "big") for end in (local, peer)]
        addresses = [inet_pton(family, end.ip) for end in (local, peer)]
        cookie = NO_COOKIE
    extensions = 1 << INET_DIAG_INFO - 1 | 1 << INET_DIAG_CONG - 1
    return REQUEST.pack(family, IPPROTO_TCP, extensions, states, *ports, *addresses, 0, cookie)


def unpack(body: bytes) -> HeldSocket:
    """Read an inet_diag_msg and the attributes behind it."""
    family, number, sport, dport, source, destination, *rest = ANSWER.unpack_from(body)
    receive_queue, send_queue, uid, inode = rest
    state = state_of(number)
    # The kernel counts sequence numbers; a SYN and a FIN take one, and are no bytes.
    receive_queue -= bool(receive_queue) and state in _GOT_FIN
    send_queue -= bool(send_queue) and state in _CONTROL_UNDER_WAY
    told = dict(attributes(body[ANSWER.size :]))
    info = told.get(INET_DIAG_INFO)
    return HeldSocket(
        local=endpoint(family, source, sport),
        peer=None if state is State.LISTEN else endpoint(family, destination, dport),
        state=state,
        kernel=None if info is None else parse_info(info, told.get(INET_DIAG_CONG, b"")),
        inode=inode,
        uid=uid,
        receive_queue=receive_queue,
        send_queue=send_queue,
    )


def endpoint(family: int, address: bytes, port: bytes) -> Endpoint:
    ip = inet_ntop(family, address[:4] if family == AF_INET else address)
    return Endpoint(unmapped(ip), int.from_bytes(port, "big"))


def on_loopback(endpoint: Endpoint) -> bool:
    """Whether an endpoint is one of the loopback, which no other host reaches."""
    return endpoint.ip == "::1" or endpoint.ip.startswith("127.")


def refused(error: OSError) -> TrioechoError:
    """The error for a refusal of the kernel's."""
    return TrioechoError(
        f"The kernel refused to list the namespace's TCP sockets: {os.strerror(error.errno or 0)}",
        _HINTS.get(error.errno or 0, ""),
    )
