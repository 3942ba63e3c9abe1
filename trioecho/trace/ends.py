"""The two ends of a traced echo: one server, and clients that come all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from trioecho.echo.client import exchange
from trioecho.echo.dial import open_connection
from trioecho.echo.server import serve
from trioecho.errors import TrioechoError
from trioecho.model import Call
from trioecho.sockets.address import Address
from trioecho.sockets.listening import ListeningSocket
from trioecho.sockets.observed import ObservedSocket, SocketFactory
from trioecho.trace.settings import Settings


async def run_ends(
    settings: Settings,
    listeners: Sequence[ListeningSocket],
    address: Address,
    factory: SocketFactory,
    record: Callable[[Call], None],
    stop: trio.Event,
) -> list[TrioechoError]:
    """Run the server until its last client has gone, and the clients until they are done.

    Args:
        settings: how many clients, and what they do.
        listeners: the server's sockets; they are closed at the end.
        address: where the clients connect to.
        factory: makes their sockets.
        record: is told each call of both ends.
        stop: when set, the clients are cut off.

    Returns:
        What went wrong at a client.
    """
    failures: list[TrioechoError] = []
    waiting = settings.connections
    together = trio.Event()

    async def client() -> None:
        nonlocal waiting
        try:
            try:
                connection = await connect()
            finally:
                waiting -= 1
                if not waiting:
                    together.set()
            with connection:
                await together.wait()  # so that all are open at the same time
                await exchange(
                    connection,
                    settings.message,
                    count=settings.count,
                    close=settings.close,
                    recv_size=settings.recv_size,
                    timeout=settings.timeout,
                )
        except TrioechoError as error:
            failures.append(error)

    async def connect() -> ObservedSocket:
        return await open_connection(
            address,
            nagle=settings.nagle,
            timeout=settings.timeout,
            factory=factory,
            record=record,
        )

    gone = trio.Event()

    async def server(task_status: trio.TaskStatus[None]) -> None:
        await serve(
            listeners,
            recv_size=settings.recv_size,
            nagle=settings.nagle,
            grace=settings.grace,
            stop=gone,
            task_status=task_status,
        )

    async with trio.open_nursery() as ends:
        await ends.start(server)
        async with trio.open_nursery() as watching:

            async def interrupt() -> None:
                await stop.wait()
                watching.cancel_scope.cancel()

            watching.start_soon(interrupt)
            async with trio.open_nursery() as clients:
                for _ in range(settings.connections):
                    clients.start_soon(client)
            watching.cancel_scope.cancel()
        gone.set()
    return failures
