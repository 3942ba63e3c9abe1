"""The one nursery: who starts when, the fan-out, the drain.

Start: the capture is bound, then the server listens, then the clients connect. So no SYN is ever
missed. End: the clients close, the server sees them out, the capture delivers what the kernel has,
and the channels close one after the other, in the direction in which the packets flow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial

import trio

from trioecho.capture import Capture
from trioecho.errors import TrioechoError
from trioecho.model import Frame, Summary
from trioecho.sockets.address import Address
from trioecho.sockets.listening import open_listeners
from trioecho.sockets.observed import plain_socket
from trioecho.stage.outputs import Output
from trioecho.stage.show import show
from trioecho.text import plural
from trioecho.trace.ends import run_ends
from trioecho.trace.ladder import Ladder
from trioecho.trace.place import Place, open_place
from trioecho.trace.settings import Settings

MIB = 1 << 20


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
        TrioechoError: there is no place to trace in, the echo failed, or the kernel dropped frames;
            the outputs are complete all the same.
    """
    stop = trio.Event() if stop is None else stop
    host = "::1" if settings.ipv6 else "127.0.0.1"
    async with open_place(
        settings.interface, settings.sniffer, settings.port, _ring(settings)
    ) as place:
        factory = place.socket or plain_socket
        ladder = Ladder(place.capture)
        with ExitStack() as stack:
            listeners = await open_listeners(
                Address(host, settings.port),
                backlog=settings.backlog,
                factory=factory,
                record=ladder.record,
            )
            for listener in listeners:
                stack.enter_context(listener)
            server = listeners[0].local
            assert server is not None
            ladder.join.serve(server)
            address = Address(server.ip, server.port)
            ladder.outputs = outputs(place, address)
            ends = partial(run_ends, settings, listeners, address, factory, ladder.record, stop)
            return await play(place.capture, ladder, ends, settings.grace, stop)


async def play(
    capture: Capture,
    ladder: Ladder,
    ends: Callable[[], Awaitable[list[TrioechoError]]],
    grace: float,
    stop: trio.Event,
    settled: Callable[[], None] = lambda: None,
) -> Summary:
    """Everything from the first call to the summary.

    Args:
        capture: where the frames come from.
        ladder: what makes events of them, and knows the outputs.
        ends: acts, and returns what went wrong.
        grace: seconds for the connections to come to their end after that.
        stop: is set when the user has had enough.
        settled: is called when no more is to happen.

    Returns:
        The summary, which each output has shown as well.

    Raises:
        TrioechoError: something went wrong, or the kernel dropped frames; the outputs are complete
            all the same.
    """
    failures: list[TrioechoError] = []

    async def engine() -> None:
        async with trio.open_nursery() as nursery:
            send, frames = trio.open_memory_channel[list[Frame]](16)
            await nursery.start(capture.run, send)
            nursery.start_soon(ladder.run, frames)
            failures.extend(await ends())
            with trio.move_on_after(grace):
                await ladder.over()
            settled()
            capture.stop()

    def summarize() -> Summary:
        return ladder.join.summary(capture.interface, capture.dropped())

    summary = await show(ladder.outputs, engine, summarize, grace=grace, stop=stop)
    if failures and not stop.is_set():
        raise failures[0]
    if summary.capture.dropped:
        raise TrioechoError(
            f"The kernel dropped {plural(summary.capture.dropped, 'frame')}: the ladder has holes",
            "Send less at once: fewer --connections, or a smaller --size",
        )
    return summary


def _ring(settings: Settings) -> int:
    """How large the capture's ring should be, in bytes.

    All connections can send what their buffers hold before a turn comes to read the ring, so it
    has room for all that is sent, both ways and with headers, as far as that is reasonable.
    """
    every = settings.connections * (settings.count * (settings.size + 4096) + 4096)
    return min(max(32 * MIB, 3 * every), 512 * MIB)
