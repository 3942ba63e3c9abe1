"""The one nursery: who starts when, the fan-out, the drain.

Start: the capture is bound, then the server listens, then the clients connect. So no SYN is ever
missed. End: the clients close, the server sees them out, the capture delivers what the kernel has,
and the channels close one after the other, in the direction in which the packets flow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import time_ns
from typing import Literal

import trio
from msgspec import Struct

from trioecho.capture import SnifferName
from trioecho.echo.address import Address
from trioecho.echo.client import exchange
from trioecho.echo.dial import open_connection
from trioecho.echo.listening import open_listeners
from trioecho.echo.observed import plain_socket
from trioecho.echo.server import serve
from trioecho.errors import TrioechoError
from trioecho.model import Call, Frame, Rung, Summary
from trioecho.tcp.join import Join
from trioecho.trace.output import Output
from trioecho.trace.place import Place, open_place

# How late a frame may reach us: the ring hands over a block after 2 ms at the latest, a loaded
# machine needs a while to let us run.
SETTLE = 0.03
_SETTLE_NS = int(SETTLE * 1e9)


class Settings(Struct, frozen=True):
    """What to trace.

    Args:
        message: what each client sends.
        count: how often each sends it.
        connections: how many clients there are, all at once.
        recv_size: bytes each end receives at the most in one call.
        close: how a client closes: ``fin`` closes both directions when the echo is complete,
            ``half`` closes its own direction straight after sending, ``rst`` resets.
        nagle: whether Nagle's algorithm is on (RFC 9293 §3.7.4).
        ipv6: whether to use ::1.
        port: the server's port; 0 lets the kernel choose.
        backlog: of the listening socket.
        interface: None for a private loopback.
        sniffer: which capture to use.
        grace: seconds to wait for the connections to end.
        timeout: seconds without any progress after which a client gives up.
    """

    message: bytes = b"testing purposes"
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


async def trace(
    settings: Settings,
    outputs: Callable[[Place, Address], Sequence[Output]],
    *,
    stop: trio.Event | None = None,
) -> Summary:
    """Trace an echo over a loopback, live.

    Args:
        settings: what to trace.
        outputs: given where it runs, opens the outputs.
        stop: when set, the clients are stopped and what has been seen so far is finished.

    Returns:
        The summary, which each output has shown as well.

    Raises:
        TrioechoError: there is no place to trace in, or the echo failed; the outputs are complete
            all the same.
    """
    host = "::1" if settings.ipv6 else "127.0.0.1"
    async with open_place(settings.interface, settings.sniffer, settings.port) as place:
        stage = _Stage(settings, place)
        address = await stage.listen(Address(host, settings.port))
        with ExitStack() as stack:
            for listener in stage.listeners:
                stack.enter_context(listener)
            return await stage.play(
                address, outputs(place, address), trio.Event() if stop is None else stop
            )


class _Stage:
    """The tasks of one trace and what they share."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.settings = settings
        self.place = place
        self.join = Join(())
        self.turn = trio.Lock()  # frames and calls reach the outputs in one order
        self.over = trio.Event()
        self.calls, self._calls = trio.open_memory_channel[Call](float("inf"))

    async def listen(self, address: Address) -> Address:
        """Open the server's sockets; frames are captured already."""
        self.listeners = await open_listeners(
            address,
            backlog=self.settings.backlog,
            factory=self.place.socket or plain_socket,
            record=self.calls.send_nowait,
        )
        endpoint = self.listeners[0].local
        assert endpoint is not None
        self.join = Join([endpoint])
        return Address(endpoint.ip, endpoint.port)

    async def play(self, address: Address, outputs: Sequence[Output], stop: trio.Event) -> Summary:
        """Run everything, from the first call to the summary."""
        failure: list[TrioechoError] = []
        capture = self.place.capture
        async with trio.open_nursery() as renderers:
            for output in outputs:
                await output.write(output.renderer.begin())
                renderers.start_soon(output.run)
            async with trio.open_nursery() as engine:
                send, frames = trio.open_memory_channel[list[Frame]](16)
                await engine.start(capture.run, send)
                engine.start_soon(self._climb, frames, outputs)
                engine.start_soon(self._settle, outputs)
                await self._echo(address, stop, failure)
                with trio.move_on_after(0 if stop.is_set() else self.settings.grace):
                    while not self.join.over():
                        self.over = trio.Event()
                        await self.over.wait()
                capture.stop()
                self.calls.close()
            for output in outputs:
                output.finish()
        summary = self.join.summary(capture.interface, capture.dropped())
        for output in outputs:
            await output.write(output.renderer.end(summary))
        if failure and not stop.is_set():
            raise failure[0]
        return summary

    async def _echo(self, address: Address, stop: trio.Event, failure: list[TrioechoError]) -> None:
        """The two ends: the server until its last client has gone, the clients until they stop."""
        settings = self.settings
        closed = trio.Event()
        async with trio.open_nursery() as ends:

            async def server(task_status: trio.TaskStatus[None]) -> None:
                await serve(
                    self.listeners,
                    recv_size=settings.recv_size,
                    nagle=settings.nagle,
                    grace=settings.grace,
                    stop=closed,
                    task_status=task_status,
                )

            await ends.start(server)
            async with trio.open_nursery() as clients:

                async def interrupt() -> None:
                    await stop.wait()
                    clients.cancel_scope.cancel()

                async with trio.open_nursery() as working:
                    clients.start_soon(interrupt)
                    for _ in range(settings.connections):
                        working.start_soon(self._client, address, failure)
                clients.cancel_scope.cancel()
            closed.set()

    async def _client(self, address: Address, failure: list[TrioechoError]) -> None:
        settings = self.settings
        try:
            connection = await open_connection(
                address,
                nagle=settings.nagle,
                timeout=settings.timeout,
                factory=self.place.socket or plain_socket,
                record=self.calls.send_nowait,
            )
            await exchange(
                connection,
                settings.message,
                count=settings.count,
                close=settings.close,
                recv_size=settings.recv_size,
                timeout=settings.timeout,
            )
        except TrioechoError as error:
            failure.append(error)

    async def _climb(
        self, frames: trio.MemoryReceiveChannel[list[Frame]], outputs: Sequence[Output]
    ) -> None:
        """Frames -> events."""
        async with frames:
            async for batch in frames:
                async with self.turn:
                    self._take_calls()
                    await self._put(self.join.batch(batch), outputs)
                if self.join.over():
                    self.over.set()

    async def _settle(self, outputs: Sequence[Output]) -> None:
        """Let calls through for which no younger frame comes."""
        async for call in self._calls:
            self.join.call(call)
            while self.join.waiting:
                await trio.sleep(SETTLE)
                async with self.turn:
                    self._take_calls()
                    await self._put(self.join.settle(time_ns() - _SETTLE_NS), outputs)

    def _take_calls(self) -> None:
        """The calls made so far, before frames that may be younger."""
        try:
            while True:
                self.join.call(self._calls.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            return

    async def _put(self, events: Sequence[Rung | Call], outputs: Sequence[Output]) -> None:
        if events:
            for output in outputs:
                await output.put(events)
