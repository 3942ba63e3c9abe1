"""Performs a scenario on our wire, and keeps all that was seen and done."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic_ns, time_ns

import trio
from msgspec import Struct

from labelled.party import Did, Party
from labelled.scenario import Scenario, scenario
from trioecho.hosts.sockdiag import Diag
from trioecho.hosts.ways import Ways, give_ways
from trioecho.model import End, Endpoint, Kernel, Rung
from trioecho.stage.journal import Journal
from trioecho.stage.kernels import Truth, open_diags
from trioecho.stage.on_wire import OnWire
from trioecho.stage.wire import open_wire

PORT = 8000
LONGEST = 25.0  # seconds that a run may take
OFTEN = 40  # questions to a kernel in a round trip
TICK = 2_000_000
_OPTIONS = {
    "sndbuf": (socket.SOL_SOCKET, socket.SO_SNDBUF),
    "rcvbuf": (socket.SOL_SOCKET, socket.SO_RCVBUF),
    "keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
}


class Run(Struct):
    """A scenario that was performed.

    Args:
        seed: its scenario's.
        rungs: each segment on the wire, with what both kernels said.
        log: what the programs did.
        whole: whether it came to its planned end.
        stalled: the longest that this process was kept from its work, nanoseconds.
    """

    seed: int
    rungs: tuple[Rung, ...]
    log: list[Did]
    whole: bool
    stalled: int

    @property
    def scenario(self) -> Scenario:
        """As it was planned."""
        return scenario(self.seed)


async def perform(seed: int) -> Run:
    """Perform the scenario of a seed."""
    plan = scenario(seed)
    log: list[Did] = []
    ways = Ways(quiet=plan.quiet, sysctl=plan.sysctl)
    async with _stage(plan.faults, ways, round(plan.rtt * 1e9 / OFTEN)) as stage:
        async with trio.open_nursery() as nursery:
            stalls: list[int] = []
            nursery.start_soon(_watch, stalls)
            with trio.move_on_after(LONGEST) as scope:
                await _play(plan, stage, log)
                with trio.move_on_after(2):
                    await stage.over()
            nursery.cancel_scope.cancel()
        await stage.settle()
        ladder = stage.ladder()
    return Run(seed, ladder.rungs, log, not scope.cancelled_caught, max(stalls, default=0))


class Sampled(Truth):
    """Asks each kernel at most once in a while: to ask at each segment would hold up a transfer."""

    def __init__(self, diags: Mapping[End, Diag], pause: int) -> None:
        super().__init__(diags)
        self._pause = pause
        self._last: dict[End, int] = {"client": 0, "server": 0}

    def ask(self, end: End, client: Endpoint, server: Endpoint) -> Kernel | None:
        """What a kernel says, or None if it has just been asked."""
        now = monotonic_ns()
        if now - self._last[end] < self._pause:
            return None
        self._last[end] = now
        return super().ask(end, client, server)


@asynccontextmanager
async def _stage(faults: Sequence[str], ways: Ways, pause: int) -> AsyncIterator[OnWire]:
    async with open_wire(faults) as wire, open_diags(wire) as diags:
        await give_ways((wire.client, wire.server), ways)
        yield OnWire(wire, Journal(Sampled(diags, pause), None))


async def _watch(stalls: list[int]) -> None:
    """Note whenever a sleep takes much longer than it should: then the wire was late, too."""
    while True:
        start = monotonic_ns()
        await trio.sleep(TICK / 1e9)
        late = monotonic_ns() - start - TICK
        if late > TICK:
            stalls.append(late)


async def _play(plan: Scenario, stage: OnWire, log: list[Did]) -> None:
    epoch = time_ns() - monotonic_ns()
    connects = all(part.connects for part in plan.plans)
    listening = await _socket(plan, stage, "server")
    ours = await _socket(plan, stage, "client")
    with listening, ours:
        address = stage.address("server"), PORT
        await listening.bind(address)
        if connects or any(part.faults for part in plan.plans):
            listening.listen(4)
        client = Party("client", ours, epoch, log)
        with trio.move_on_after(min(part.patience for part in plan.plans)):
            try:
                await client.connect(address)
            except OSError:
                return
        if not connects:
            return
        theirs, _ = await listening.accept()
        with theirs:
            server = Party("server", theirs, epoch, log)
            one, other = (client, server) if plan.end == "client" else (server, client)
            for part in plan.plans:
                if part.play is not None:
                    await part.play(one, other)
            ours.shutdown(socket.SHUT_WR)
            with trio.move_on_after(1):
                await server.receive(1)


async def _socket(plan: Scenario, stage: OnWire, end: End) -> trio.socket.SocketType:
    made = await stage.host(end).socket(socket.AF_INET, socket.SOCK_STREAM)
    for part in plan.plans:
        for (whose, name), value in part.options.items():
            if whose == end:
                made.setsockopt(*_OPTIONS[name], value)
                if name == "keepalive":
                    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
                    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    return trio.socket.from_stdlib_socket(made)
