"""A traced echo: a server and its clients on one stage, live.

Start: the stage is set, then the server listens, then the clients connect. So no SYN is ever
missed. End: the clients close, the server serves them to the end, and the connections settle.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack
from functools import partial
from time import time_ns
from typing import Literal, TypeAlias

import trio
from msgspec import Struct

from trioecho.capture import SnifferName
from trioecho.echo.client import exchange
from trioecho.echo.dial import open_connection
from trioecho.echo.server import serve
from trioecho.errors import TrioechoError
from trioecho.faults.faults import mtu_of, parse
from trioecho.hosts.ways import Ways
from trioecho.model import ENDS, Stopped, Summary
from trioecho.packet.build import IPV6_MINIMUM
from trioecho.sockets.address import Address
from trioecho.sockets.listening import ListeningSocket, open_listeners
from trioecho.stage.on_loopback import Tap
from trioecho.stage.open import open_recorded
from trioecho.stage.outputs import Kept, OpenOutputs, Output
from trioecho.stage.play import cancelled_by, check_matched, check_whole, play
from trioecho.stage.stage import RecordedStage
from trioecho.tcp.tracker import Tracker
from trioecho.view import Ladder

Message: TypeAlias = bytes | Callable[[], AsyncGenerator[bytes, None]]

MIB = 1 << 20
# Seconds for the connections to end on a wire after the clients have: a lost FIN is sent again by
# then.
_GRACE = 5.0


class TraceSettings(Struct, frozen=True):
    """What to trace.

    Args:
        message: what each client sends, or a function that yields it piece by piece.
        size: its length in bytes, as far as it is known.
        count: how many times each sends it.
        connections: how many clients there are, all at once.
        recv_size: the most bytes that an end receives in one call.
        close: how a client closes: ``fin`` closes both directions when the echo is complete,
            ``half`` closes its own direction straight after sending, ``rst`` resets.
        nagle: whether Nagle's algorithm is on (RFC 9293 §3.7.4).
        ipv6: whether to use IPv6.
        port: the server's port; 0 lets the kernel choose.
        backlog: of the listening socket.
        interface: None for a private loopback.
        sniffer: which capture to use.
        grace: seconds to wait for the connections to end on a loopback.
        timeout: seconds without any progress after which a client gives up.
        faults: what a private wire does, and to which segments; with none, and without ``kernel``,
            the echo runs over a loopback.
        kernel: whether to ask the kernel about both ends at each segment.
        sysctl: settings of the private hosts, each a name and a value.
        strict: whether a fault that has not acted is an error.
    """

    message: Message = b"testing purposes"
    size: int = 16
    count: int = 1
    connections: int = 1
    recv_size: int = 65536
    close: Literal["fin", "rst", "half"] = "fin"
    nagle: bool = True
    ipv6: bool = False
    port: int = 65432
    backlog: int = 128
    interface: str | None = None
    sniffer: SnifferName = "auto"
    grace: float = 2.0
    timeout: float = 30.0
    faults: tuple[str, ...] = ()
    kernel: bool = False
    sysctl: tuple[tuple[str, str], ...] = ()
    strict: bool = False

    @property
    def wired(self) -> bool:
        """Whether the echo runs over a private wire."""
        return bool(self.faults) or self.kernel


def _ignore(notice: str) -> None:
    """The default for ``notify``."""


async def trace_echo(settings: TraceSettings | None = None) -> Ladder:
    """Trace an echo and keep everything in memory.

    Args:
        settings: what to trace; None for one client that sends 16 bytes over a private loopback.

    Returns:
        The ladder.

    Raises:
        TrioechoError: as `run_trace`.
    """
    kept = Kept()
    summary, tracker = await _trace(
        settings or TraceSettings(),
        lambda title, interfaces: [Output(kept, lambda data: None)],
        _ignore,
        trio.Event(),
    )
    return Ladder(tracker.connections, kept.events, summary)


async def run_trace(
    settings: TraceSettings,
    outputs: OpenOutputs,
    *,
    notify: Callable[[str], None] = _ignore,
    stop: trio.Event | None = None,
) -> Summary:
    """Trace an echo, live.

    Raises:
        TrioechoError: there can be no such stage here, a fault is not valid, the echo failed, or
            the kernel dropped frames; the outputs are complete all the same.
    """
    summary, _ = await _trace(settings, outputs, notify, trio.Event() if stop is None else stop)
    return summary


async def _trace(
    settings: TraceSettings,
    outputs: OpenOutputs,
    notify: Callable[[str], None],
    stop: trio.Event,
) -> tuple[Summary, Tracker]:
    faults = [parse(fault) for fault in settings.faults]
    mtu = mtu_of(faults)
    if settings.ipv6 and mtu is not None and mtu < IPV6_MINIMUM:
        what = f"IPv6 needs an MTU of at least {IPV6_MINIMUM:,} bytes (RFC 8200 §5), not {mtu}"
        raise TrioechoError(what, "Leave out --ipv6, or use a larger MTU")
    async with open_recorded(
        "wire" if settings.wired else "loopback",
        faults,
        kernel=settings.kernel,
        tap=Tap(settings.interface, settings.sniffer, settings.port, _ring(settings)),
        ways=Ways(sysctl=settings.sysctl),
    ) as stage:
        if stage.notice:
            notify(stage.notice)
        with ExitStack() as stack:
            listeners = await open_listeners(
                Address(stage.address("server", ipv6=settings.ipv6), settings.port),
                backlog=settings.backlog,
                factory=stage.socket("server"),
                record=stage.record,
            )
            for listener in listeners:
                stack.enter_context(listener)
            server = listeners[0].local
            assert server is not None
            stage.only(server)
            summary = await play(
                stage,
                outputs(f"{stage.title}; {server.ip}, port {server.port}", stage.interfaces),
                partial(
                    _run_ends, settings, listeners, Address(server.ip, server.port), stage, stop
                ),
                grace=_GRACE if settings.wired else settings.grace,
                stop=stop,
                stops=dict.fromkeys(ENDS, "you stopped the trace"),
            )
    check_whole(summary)
    if settings.strict:
        check_matched(summary)
    return summary, stage.journal.tracker


async def _run_ends(
    settings: TraceSettings,
    listeners: Sequence[ListeningSocket],
    address: Address,
    stage: RecordedStage,
    stop: trio.Event,
) -> list[TrioechoError]:
    """Run the clients until they are done, and the server until it has served the last."""
    failures: list[TrioechoError] = []
    cut = False
    waiting = settings.connections
    together = trio.Event()

    async def client() -> None:
        nonlocal waiting
        try:
            try:
                connection = await open_connection(
                    address,
                    nagle=settings.nagle,
                    timeout=settings.timeout,
                    factory=stage.socket("client"),
                    record=stage.record,
                )
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

    def aborting() -> None:
        """Say that it is we who end the server; the user's own stop is told elsewhere."""
        nonlocal cut
        if not (cut or stop.is_set()):
            cut = True
            why = "all clients have ended" if settings.connections > 1 else "the client has ended"
            stage.journal.stopped(Stopped(time_ns(), "server", "", why))

    gone = trio.Event()
    async with trio.open_nursery() as ends:
        await ends.start(
            partial(
                serve,
                listeners,
                recv_size=settings.recv_size,
                nagle=settings.nagle,
                grace=settings.grace,
                stop=gone,
                aborting=aborting,
            )
        )
        async with cancelled_by(stop), trio.open_nursery() as clients:
            for _ in range(settings.connections):
                clients.start_soon(client)
        gone.set()
    return failures


def _ring(settings: TraceSettings) -> int:
    """The size of the capture's ring, in bytes.

    All connections may send what their buffers hold before the ring is read. So it has room for
    everything sent, both ways and with headers, within reason.
    """
    every = settings.connections * (settings.count * (settings.size + 4096) + 4096)
    return min(max(32 * MIB, 3 * every), 512 * MIB)
