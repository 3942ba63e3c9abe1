"""An echo over a private wire that breaks what it carries, on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack

import trio

from trioecho.errors import TrioechoError
from trioecho.faults.faults import mtu_of, parse
from trioecho.model import Call, Summary
from trioecho.packet.build import IPV6_MINIMUM
from trioecho.sockets.address import Address
from trioecho.sockets.listening import open_listeners
from trioecho.stage.chronicle import Chronicle
from trioecho.stage.kernels import open_truth
from trioecho.stage.outputs import Output
from trioecho.stage.show import relay, show
from trioecho.stage.wire import INTERFACES, Wire, open_wire
from trioecho.trace.ends import run_ends
from trioecho.trace.place import factory
from trioecho.trace.settings import Settings

TITLE = "private wire, no root needed"
# Seconds for the connections to end after the clients have: a lost FIN is sent again by then. Where
# a client has given up, or the user has, there is little to wait for.
GRACE, LITTLE = 5.0, 0.5


async def trace_wired(
    settings: Settings,
    outputs: Callable[[str, Sequence[str]], Sequence[Output]],
    *,
    stop: trio.Event | None = None,
) -> Summary:
    """Trace an echo over a private wire, live.

    Args:
        settings: what to trace, and what the wire does.
        outputs: given a title and the names of the interfaces, opens the outputs.
        stop: when set, the clients are stopped and what has been seen so far is finished.

    Returns:
        The summary, which each output has shown as well.

    Raises:
        TrioechoError: there can be no such wire here, a fault is not understood, or the echo
            failed; the outputs are complete all the same.
    """
    stop = trio.Event() if stop is None else stop
    failures: list[TrioechoError] = []
    faults = [parse(fault) for fault in settings.faults]
    mtu = mtu_of(faults)
    if settings.ipv6 and mtu is not None and mtu < IPV6_MINIMUM:
        what = f"IPv6 needs an MTU of {IPV6_MINIMUM:,} bytes at least (RFC 8200 §5), not {mtu}"
        raise TrioechoError(what, "Leave out --ipv6, or take a larger one")
    async with open_wire(faults) as wire, AsyncExitStack() as asked:
        kernels = None
        if settings.kernel:
            kernels = await asked.enter_async_context(open_truth(wire, ours=True))
        chronicle = Chronicle(kernels)
        wire.observers.append(chronicle)

        def record(call: Call) -> None:
            chronicle.call(call)
            wire.drain()  # what the call has sent comes right behind it

        server = wire.server
        host = server.address6 if settings.ipv6 else server.address
        with ExitStack() as stack:
            listeners = await open_listeners(
                Address(host, settings.port),
                backlog=settings.backlog,
                factory=factory(server),
                record=record,
            )
            for listener in listeners:
                stack.enter_context(listener)
            local = listeners[0].local
            assert local is not None
            address = Address(local.ip, local.port)

            title = f"{TITLE}; {address.host}, port {address.port}"

            async def ends() -> None:
                made = factory(wire.client)
                failures.extend(await run_ends(settings, listeners, address, made, record, stop))

            shown = outputs(title, INTERFACES)
            summary = await perform(
                wire,
                chronicle,
                shown,
                ends,
                grace=GRACE,
                stop=stop,
                gave_up=lambda: bool(failures),
            )
    if failures and not stop.is_set():
        raise failures[0]
    return summary


async def perform(
    wire: Wire,
    chronicle: Chronicle,
    outputs: Sequence[Output],
    act: Callable[[], Awaitable[None]],
    *,
    grace: float,
    stop: trio.Event,
    gave_up: Callable[[], bool] = lambda: False,
    settled: Callable[[], None] = lambda: None,
) -> Summary:
    """Let something happen on a wire, and put what the chronicle makes of it to outputs.

    Args:
        wire: the wire.
        chronicle: its observer.
        outputs: where the events go.
        act: makes it happen.
        grace: seconds for the connections to come to their end after that.
        stop: is set when the user has had enough.
        gave_up: whether an end has given up, so that there is little to wait for.
        settled: is called when no more is to happen, and before anything else can.

    Returns:
        The summary, which each output has shown as well.
    """

    async def engine() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(relay, chronicle, outputs)
            await act()
            await _settle(chronicle, LITTLE if gave_up() else grace, stop)
            settled()
            chronicle.finish()

    def summarize() -> Summary:
        return chronicle.summary("private wire", wire.unmatched())

    return await show(outputs, engine, summarize, grace=grace, stop=stop)


async def _settle(chronicle: Chronicle, seconds: float, stop: trio.Event) -> None:
    """Wait for every connection to come to its end, only a little once the user has had enough."""
    with trio.move_on_after(seconds) as patience:
        async with trio.open_nursery() as waiting:

            async def shorten() -> None:
                await stop.wait()
                patience.deadline = min(patience.deadline, trio.current_time() + LITTLE)

            waiting.start_soon(shorten)
            while not chronicle.over():
                await chronicle.change()
            waiting.cancel_scope.cancel()
