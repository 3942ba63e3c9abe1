"""Asks the kernels at both ends of a wire what they think of a connection."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from trioecho.lab.chronicle import Ask
from trioecho.lab.diag import Diag
from trioecho.lab.wire import ENDS, Wire
from trioecho.model import End, Endpoint, Kernel

NETLINK_SOCK_DIAG = 4


@asynccontextmanager
async def open_diags(wire: Wire) -> AsyncIterator[dict[End, Diag]]:
    """A line to inet_diag on both hosts of a wire, for as long as the block lasts.

    Raises:
        TrioechoError: the kernel lacks it.
    """
    with ExitStack() as stack:
        diags: dict[End, Diag] = {}
        for end in ENDS:
            host = wire.host(end)
            line = await host.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
            diags[end] = Diag(stack.enter_context(line))
        yield diags


@asynccontextmanager
async def open_ask(wire: Wire) -> AsyncIterator[Ask]:
    """What a ``Chronicle`` asks of both kernels, for as long as the block lasts.

    inet_diag answers with the same ``tcp_info`` as the socket option TCP_INFO does, for every
    socket of a host: also for those of other programs, and those that no program holds any more.
    """
    async with open_diags(wire) as diags:

        def ask(end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
            ends = (client, server) if end == "client" else (server, client)
            held = diags[end].find_now(*ends)
            return None if held is None else held.kernel or Kernel(held.state)

        yield ask
