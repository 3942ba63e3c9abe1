"""Diag: the TCP sockets of a whole network namespace, whoever holds them, as inet_diag tells.

The namespace is that of the netlink socket on which the question is sent. pyroute2 writes the
questions and reads the answers. Its own ``DiagSocket`` is not used: it makes its socket itself,
in our namespace, runs asyncio, and takes a refusal for an answer.

The kernel works on a dump inside send() and recv() alone, so there is nothing to wait for: whoever
reads to the end never finds the socket empty before it. That is why a question can be asked and
answered in one go, between two packets.

What it costs (Linux 6.18, 262,144 buckets in the kernel's one table of connections, two sockets):
all sockets 0.6 ms, most of it the kernel's walk over that table, once for each IP version; one
connection by its endpoints 0.1 ms, nearly all of it pyroute2's.

See also:
    sock_diag(7), netlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from functools import cache
from socket import AF_INET, AF_INET6, IPPROTO_TCP
from typing import Any

import trio
from msgspec import Struct

from trioecho.errors import TrioechoError
from trioecho.hosts.tcp_info import parse_info, state_of
from trioecho.model import Endpoint, Kernel, State, unmapped

HEADER = struct.Struct("=IHHII")  # netlink(7): length, type, flags, sequence number, port
NUMBER = struct.Struct("=i")  # what follows it in NLMSG_ERROR and NLMSG_DONE: 0 or -errno
NLMSG_ERROR, NLMSG_DONE, SOCK_DIAG_BY_FAMILY = 2, 3, 20
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x2, 0x10, 0x300
INET_DIAG_INFO = 2
NO_COOKIE = 0xFFFF_FFFF_FFFF_FFFF

# Sets of states, by the numbers of net/tcp_states.h. SYN-RECEIVED includes half-open connections.
LISTEN = 1 << 10
ANY = (1 << 12) - 1

BUFFER = 1 << 16  # bytes; the kernel puts at most half of it into one answer
ATTEMPTS = 10
POLL = 0.01  # seconds

_HINTS = {
    errno.EPERM: "A container or a security module forbids it",
    errno.ENOENT: "It needs the kernel modules tcp_diag and inet_diag: sudo modprobe tcp_diag",
    errno.ECONNREFUSED: "It needs CONFIG_INET_DIAG",
    errno.EPROTONOSUPPORT: "It needs CONFIG_INET_DIAG",
}


class Held(Struct, frozen=True):
    """A TCP socket, or what the kernel keeps in the place of one.

    Args:
        local: its own endpoint.
        peer: the other end's; None for one that listens.
        state: its state.
        kernel: what TCP_INFO says; None where the kernel keeps less than a socket: the server's
            half of a handshake, TIME-WAIT, FIN-WAIT-2 once the program has closed it.
        inode: its inode, as in /proc/PID/fd; 0 where no program has it.
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

    The first one imports pyroute2, which takes a tenth of a second: make it before the traffic.

    Args:
        sock: a socket of ``AF_NETLINK``, ``SOCK_RAW`` and ``NETLINK_SOCK_DIAG`` (4), made in that
            namespace, non-blocking, and used for nothing else. The caller closes it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sequence = 0
        request_class()
        message_class()

    async def sockets(self) -> list[Held]:
        """What `sockets_now` returns, after a checkpoint."""
        await trio.lowlevel.checkpoint()
        return self.sockets_now()

    def sockets_now(self) -> list[Held]:
        """All TCP sockets of the namespace, in all states, of IPv4 and IPv6.

        Returns:
            Them, in no order. IPv4 connections of an IPv6 socket have IPv4 addresses.

        Raises:
            TrioechoError: the kernel refuses.
        """
        return [*self._dump(AF_INET, ANY), *self._dump(AF_INET6, ANY)]

    def find_now(self, local: Endpoint, peer: Endpoint) -> Held | None:
        """One connection by its endpoints, for which the kernel does not walk over all.

        Args:
            local: the endpoint of the end that is asked about.
            peer: the other one.

        Returns:
            What the kernel has there, or None.

        Raises:
            TrioechoError: the kernel refuses.
        """
        family = AF_INET6 if ":" in local.ip else AF_INET
        try:
            found = self._ask(
                family,
                ANY,
                idiag_sport=local.port,
                idiag_dport=peer.port,
                idiag_src=words(family, local.ip),
                idiag_dst=words(family, peer.ip),
                idiag_cookie=NO_COOKIE,
            )
            # Where the connection is not, the kernel names the socket that would accept it.
            return next((held for _, held in found if held.peer == peer), None)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise refused(error) from None

    async def listening(self) -> list[Endpoint]:
        """Where servers listen in the namespace.

        Returns:
            The endpoints; the address is 0.0.0.0 or :: for one that listens on all.

        Raises:
            TrioechoError: the kernel refuses.
        """
        await trio.lowlevel.checkpoint()
        return [held.local for family in (AF_INET, AF_INET6) for held in self._dump(family, LISTEN)]

    async def wait_listening(
        self, port: int | None = None, *, beyond_loopback: bool = False
    ) -> Endpoint:
        """Wait until a server listens.

        inet_diag has no news of it (its multicast groups tell of sockets that are destroyed, and of
        no others), so this asks a hundred times a second. The caller bounds it by a cancel scope.

        Args:
            port: the port; any where it is None.
            beyond_loopback: whether another host must be able to reach it.

        Returns:
            Where it listens.

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

    def _dump(self, family: int, states: int) -> list[Held]:
        try:
            for _ in range(ATTEMPTS):
                answers = list(self._ask(family, states, NLM_F_DUMP))
                if not any(flags & NLM_F_DUMP_INTR for flags, _ in answers):
                    return [held for _, held in answers]
        except OSError as error:
            raise refused(error) from None
        raise TrioechoError("The namespace's sockets change faster than the kernel can list them")

    def _ask(
        self, family: int, states: int, flags: int = 0, **wanted: Any
    ) -> Iterator[tuple[int, Held]]:
        """Ask, and give each answer with its flags."""
        # A dump that was broken off, by Ctrl-C say, goes on until it has been read, and the kernel
        # refuses another before. So the socket is emptied first.
        while self._receive():
            pass
        self._sequence = self._sequence % 0xFFFF_FFFF + 1
        self._socket.send(request(self._sequence, family, states, flags, wanted))
        while data := self._receive():
            for kind, flags, offset in messages(data, self._sequence):
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    (number,) = NUMBER.unpack_from(data, offset + HEADER.size)
                    if number:
                        raise OSError(-number, os.strerror(-number))
                    return
                yield flags, unpack(data, offset)
                if not flags & NLM_F_MULTI:
                    return
        raise TrioechoError("The kernel did not finish its answer on the namespace's sockets")

    def _receive(self) -> bytes:
        """The next messages, or none when there are none now."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(BUFFER)
            except BlockingIOError:
                return b""
            if sender == 0:  # the kernel; programs that may do everything there can send here too
                return data


def request(sequence: int, family: int, states: int, flags: int, wanted: dict[str, Any]) -> bytes:
    """Write a question.

    Args:
        sequence: its number, which comes back with each answer.
        family: ``AF_INET`` or ``AF_INET6``.
        states: a bit for each state.
        flags: beside NLM_F_REQUEST.
        wanted: further fields of inet_diag_req, by their names.

    Returns:
        Its bytes.
    """
    message = request_class()()
    message["header"] = {
        "type": SOCK_DIAG_BY_FAMILY,
        "flags": NLM_F_REQUEST | flags,
        "sequence_number": sequence,
    }
    message["sdiag_family"] = family
    message["sdiag_protocol"] = IPPROTO_TCP
    message["idiag_ext"] = 1 << INET_DIAG_INFO - 1
    message["idiag_states"] = states
    message.update(wanted)
    message.encode()
    return bytes(message.data)


def messages(data: bytes, sequence: int) -> Iterator[tuple[int, int, int]]:
    """Take what the kernel sent apart.

    Args:
        data: netlink messages, one behind the other.
        sequence: the number of the question; answers to others are passed over.

    Returns:
        An iterator over type, flags and offset of each answer to it.

    Raises:
        TrioechoError: a message runs past the end, or is too short for its type.
    """
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEADER.size:
            raise cut_short()
        length, kind, flags, answers, _ = HEADER.unpack_from(data, offset)
        least = HEADER.size + (NUMBER.size if kind in (NLMSG_ERROR, NLMSG_DONE) else 72)
        if not least <= length <= len(data) - offset:
            raise cut_short()
        if answers == sequence:
            yield kind, flags, offset
        offset += length + 3 & ~3


def unpack(data: bytes, offset: int) -> Held:
    """Read one answer.

    Args:
        data: what the kernel sent.
        offset: where the answer begins in it, its netlink header included.

    Returns:
        What it says.

    Raises:
        TrioechoError: the kernel's state or TCP_INFO is none that is known.
    """
    message = message_class()(data, offset=offset)
    message.decode()
    state = state_of(message["idiag_state"])
    info = message.get_attr("INET_DIAG_INFO")
    return Held(
        local=Endpoint(unmapped(message["idiag_src"]), message["idiag_sport"]),
        peer=None
        if state is State.LISTEN
        else Endpoint(unmapped(message["idiag_dst"]), message["idiag_dport"]),
        state=state,
        kernel=None if info is None else parse_info(info),
        inode=message["idiag_inode"],
        uid=message["idiag_uid"],
        receive_queue=message["idiag_rqueue"],
        send_queue=message["idiag_wqueue"],
    )


def on_loopback(endpoint: Endpoint) -> bool:
    """Whether an endpoint is one of the loopback, which no other host reaches."""
    return endpoint.ip == "::1" or endpoint.ip.startswith("127.")


def words(family: int, ip: str) -> tuple[int, ...]:
    """An address as the four numbers of inet_diag_sockid; IPv4 fills the first."""
    return struct.unpack("!4I", socket.inet_pton(family, ip).ljust(16, b"\0"))


def refused(error: OSError) -> TrioechoError:
    """What to say when the kernel refuses.

    Args:
        error: what it said.

    Returns:
        The error to raise.
    """
    return TrioechoError(
        f"The kernel refused to list the namespace's TCP sockets: {os.strerror(error.errno or 0)}",
        _HINTS.get(error.errno or 0, ""),
    )


def cut_short() -> TrioechoError:
    """What to say of an answer whose lengths are wrong."""
    return TrioechoError("The kernel's answer on the namespace's sockets is cut short")


@cache
def request_class() -> Any:
    """pyroute2's inet_diag_req."""
    from pyroute2.netlink.diag import inet_diag_req

    return inet_diag_req


@cache
def message_class() -> Any:
    """pyroute2's inet_diag_msg, which leaves TCP_INFO in bytes for `parse_info`.

    It is no subclass of it: a class inherits its parent's table of attributes, once that is made.
    """
    from pyroute2.netlink.diag import inet_addr_codec, inet_diag_msg

    class Message(inet_addr_codec):  # type: ignore[misc]
        ffname = inet_diag_msg.ffname
        fields = inet_diag_msg.fields
        nla_map = ((INET_DIAG_INFO, "INET_DIAG_INFO", "cdata"),)

    return Message
