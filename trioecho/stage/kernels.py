"""Asks the kernels at both ends of a wire about a connection."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from msgspec.structs import replace

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host
from trioecho.hosts.sockdiag import Diag, HeldSocket
from trioecho.model import End, Endpoint, Kernel, State
from trioecho.stage.wire import PrivateWire

NETLINK_SOCK_DIAG = 4
# A program that closes its socket leaves these states; without a program it was not accepted yet.
_OPEN = (State.SYN_RECEIVED, State.ESTABLISHED, State.CLOSE_WAIT)


@asynccontextmanager
async def open_diag(host: Host) -> AsyncIterator[Diag]:
    """An inet_diag socket on a host, for as long as the block lasts.

    Raises:
        TrioechoError: the kernel lacks it.
    """
    with await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as line:
        yield Diag(line)


@asynccontextmanager
async def open_diags(wire: PrivateWire) -> AsyncIterator[dict[End, Diag]]:
    """An inet_diag socket on both hosts of a wire, for as long as the block lasts.

    Raises:
        TrioechoError: the kernel lacks it.
    """
    async with open_diag(wire.host("client")) as client, open_diag(wire.host("server")) as server:
        yield {"client": client, "server": server}


class Truth:
    """What a ``Journal`` asks of both kernels, by inet_diag.

    That knows the sockets of any program, and those that no program holds any more.
    """

    def __init__(self, diags: Mapping[End, Diag]) -> None:
        self._diags = diags

    def holds(self, end: End, client: Endpoint, server: Endpoint) -> bool:
        """Whether the kernel of one end has a socket for a connection; True if it does not say."""
        ends = (client, server) if end == "client" else (server, client)
        try:
            return self._diags[end].find_now(*ends) is not None
        except TrioechoError:
            return True

    def listens(self, end: End, server: Endpoint) -> bool:
        """Whether one end accepts connections to an endpoint; False if its kernel does not say."""
        try:
            return self._diags[end].listener_now(server) is not None
        except TrioechoError:
            return False

    def ask(self, end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
        """The state of a connection in one end's kernel; None where it has none."""
        diag = self._diags[end]
        ends = (client, server) if end == "client" else (server, client)
        held = diag.find_now(*ends)
        if held is None:
            return None
        listener = diag.listener_now(server) if end == "server" else None
        return replace(
            _of(held),
            accept_queue=listener.receive_queue if listener else None,
            backlog=listener.send_queue if listener else None,
        )


def _of(held: HeldSocket) -> Kernel:
    """What the kernel says of a connection, with its queues."""
    if held.kernel is None:  # it keeps less than a socket
        return Kernel(held.state)
    waits = not held.inode and held.state in _OPEN
    return replace(
        held.kernel,
        receive_queue=held.receive_queue,
        send_queue=held.send_queue,
        accepted=not waits,
    )
