"""Asks the kernels at both ends of a wire about a connection."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from trioecho.errors import TrioechoError
from trioecho.hosts.host import Host
from trioecho.hosts.sockdiag import Diag
from trioecho.hosts.tcp_info import descriptor_info
from trioecho.model import Call, End, Endpoint, Kernel, State
from trioecho.stage.wire import PrivateWire

NETLINK_SOCK_DIAG = 4


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
    """What a ``Journal`` asks of both kernels.

    ``ours``: the calls are this process's, so their sockets answer by TCP_INFO. inet_diag answers
    with the same ``tcp_info`` for every other socket of a host: those of other programs, and those
    that no program holds any more.
    """

    def __init__(self, diags: Mapping[End, Diag], *, ours: bool) -> None:
        self._diags = diags
        self._ours = ours
        self._descriptors: dict[tuple[Endpoint, Endpoint], int] = {}

    def told(self, call: Call) -> None:
        """Learn from a call which descriptor a connection has."""
        if not self._ours or call.local is None or call.peer is None or call.error is not None:
            return
        ends = call.local, call.peer
        if call.name == "close":
            self._descriptors.pop(ends, None)
        elif call.name == "connect":
            self._descriptors[ends] = call.fd
        elif call.name == "accept" and call.result is not None:
            self._descriptors[ends] = call.result

    def holds(self, end: End, client: Endpoint, server: Endpoint) -> bool:
        """Whether the kernel of one end has a socket for a connection; True if it does not say."""
        ends = (client, server) if end == "client" else (server, client)
        try:
            return self._diags[end].find_now(*ends) is not None
        except TrioechoError:
            return True

    def ask(self, end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
        """The state of a connection in one end's kernel; None where it has none."""
        ends = (client, server) if end == "client" else (server, client)
        descriptor = self._descriptors.get(ends)
        if descriptor is not None:
            info = descriptor_info(descriptor)
            if info.state is not State.CLOSED:  # in TIME-WAIT it is detached from its socket
                return info
        held = self._diags[end].find_now(*ends)
        return None if held is None else held.kernel or Kernel(held.state)
