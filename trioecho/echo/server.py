"""The echo server of RFC 862: it sends back what it receives until the client closes."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import trio

from trioecho.echo.behaviour import Behaviour, misbehave
from trioecho.echo.report import ServerReport

if TYPE_CHECKING:
    from trioecho.echo.batches import Batches
    from trioecho.sockets.listening import ListeningSocket
    from trioecho.sockets.observed import ObservedSocket

ServerClose: TypeAlias = Literal["fin", "rst"]
Take: TypeAlias = "Callable[[ObservedSocket], None]"

RECV_SIZE = 65536
# In batches one buffer serves all, so it may be larger.
BATCHED_RECV_SIZE = 2**19
BATCHED_ACCEPTS = 256
# No resources to accept with; wait a little and try again.
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
_BREATH = 0.1  # seconds
# Linux reports what befell a connection that was not accepted yet as an error of accept (accept(2),
# "Error handling"), BSD a client that went away; neither is a reason to stop.
_NAMES = (
    *("EPERM", "ECONNABORTED", "ECONNRESET", "EPROTO", "ENETDOWN", "ENOPROTOOPT", "EHOSTDOWN"),
    *("ENONET", "EHOSTUNREACH", "EOPNOTSUPP", "ENETUNREACH", "ENOSR", "ESOCKTNOSUPPORT"),
    *("EPROTONOSUPPORT", "ETIMEDOUT"),
)
_OF_ONE_CLIENT = {getattr(errno, name) for name in _NAMES if hasattr(errno, name)}


async def echo_connection(connection: ObservedSocket, recv_size: int = RECV_SIZE) -> None:
    """Echo one connection until its client closes its direction; it is left open.

    It sends back what it has read before it reads more. So a client that sends for ever and never
    reads costs no memory: the server stops reading, its window closes, and the client has to wait.

    Raises:
        OSError: the client reset the connection, or it broke.
    """
    while data := await connection.recv(recv_size):
        await connection.send_all(data)


async def serve(
    listeners: Iterable[ListeningSocket],
    *,
    recv_size: int = RECV_SIZE,
    nagle: bool = True,
    close: ServerClose = "fin",
    grace: float = math.inf,
    stop: trio.Event | None = None,
    report: ServerReport | None = None,
    stopping: Callable[[], None] | None = None,
    aborting: Callable[[], None] = lambda: None,
    exhausted: Callable[[OSError], None] = lambda error: None,
    batched: bool = False,
    behaviour: Behaviour | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> ServerReport:
    """Accept connections and echo each, until told to stop.

    Each is echoed in a task of its own, which a reader can follow call by call; or, where it is to
    be fast, all are echoed by one task (see ``Batches``), without a record.

    The listeners belong to it from now on, and are closed however it ends. Cancelling it aborts
    the open connections (RST).

    Args:
        listeners: sockets that listen.
        recv_size: bytes to receive at the most in one call.
        nagle: False sets TCP_NODELAY on each connection.
        close: how it ends a connection whose client has closed its direction.
        grace: seconds that open connections get to finish after ``stop``; then they are aborted.
        stop: when set, it stops accepting.
        stopping: called once it has stopped accepting.
        aborting: called before each connection that it aborts because it was told to stop.
        exhausted: called when descriptors or memory have run out, so that it cannot accept; it goes
            on with the open connections, and tries again.
        batched: whether one task echoes all of them; on Linux alone. ``close`` is then ``fin``.
        behaviour: how it behaves instead of echoing as it should.
        report: is kept up to date all the time; without it, one is made.
        task_status: told as soon as it accepts.

    Returns:
        The report, once it was told to stop and no connection is open any more.

    Raises:
        OSError: a socket can accept no more, and not because of one client.
    """
    server = _Server(
        recv_size, nagle, close, report or ServerReport(), aborting, exhausted, behaviour
    )
    listeners = list(listeners)
    batches = server.batches() if batched else None
    try:
        async with trio.open_nursery() as connections:
            take: Take = partial(server.start, connections)
            at_once = 1  # so that a record has each accept beside what follows from it
            if batches is not None:
                connections.start_soon(batches.run)
                take, at_once = batches.add, BATCHED_ACCEPTS
            async with trio.open_nursery() as accepting:
                if behaviour is None or not behaviour.never_accept:
                    for listener in listeners:
                        accepting.start_soon(server.accept_from, listener, take, at_once)
                task_status.started()
                if stop is not None:
                    await stop.wait()
                    accepting.cancel_scope.cancel()
            for listener in listeners:
                listener.close()
            if stopping is not None:
                stopping()
            if batches is not None:
                batches.end()
            connections.cancel_scope.deadline = trio.current_time() + grace
    finally:
        for listener in listeners:
            listener.close()
    return server.report


@dataclass
class _Server:
    recv_size: int
    nagle: bool
    close: ServerClose
    report: ServerReport
    aborting: Callable[[], None]
    exhausted: Callable[[OSError], None]
    behaviour: Behaviour | None

    def batches(self) -> Batches:
        from trioecho.echo.batches import Batches

        return Batches(
            self.report,
            recv_size=self.recv_size,
            nagle=self.nagle,
            aborting=self.aborting,
        )

    async def accept_from(self, listener: ListeningSocket, take: Take, at_once: int) -> None:
        lacking = 0
        while True:
            try:
                accepted = await listener.accept_waiting(at_once)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    if error.errno != lacking:
                        lacking = error.errno
                        self.exhausted(error)
                    await trio.sleep(_BREATH)
                elif error.errno not in _OF_ONE_CLIENT:
                    raise
            else:
                lacking = 0
                self.report.connections += len(accepted)
                for connection in accepted:
                    take(connection)

    def start(self, nursery: trio.Nursery, connection: ObservedSocket) -> None:
        nursery.start_soon(self.run, connection)

    async def run(self, connection: ObservedSocket) -> None:
        report, ended = self.report, False
        with connection:
            try:
                if not self.nagle:
                    connection.set_nodelay()
                if self.behaviour is None:
                    await echo_connection(connection, self.recv_size)
                else:
                    ended = await misbehave(connection, self.behaviour, self.recv_size)
            except OSError:
                report.reset += 1
            except trio.Cancelled:
                report.cut += 1
                self.aborting()
                connection.abort()
                raise
            else:
                report.ended += ended
                report.finished += not ended
                if self.close == "rst":
                    connection.abort()
            finally:
                report.received += connection.received
                report.sent += connection.sent
