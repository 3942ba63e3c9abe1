"""``trioecho send --connections N``: a load, and what it measured."""

from __future__ import annotations

import math
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import trio

from trioecho.cli.line_writer import open_line_writer
from trioecho.cli.runner import cancel_at
from trioecho.cli.stdout import is_terminal
from trioecho.echo.dial import open_connection
from trioecho.echo.histogram import TOLD
from trioecho.echo.load import Load
from trioecho.errors import TrioechoError
from trioecho.model import Kernel
from trioecho.sockets.address import Address
from trioecho.sockets.observed import ObservedSocket
from trioecho.text import bytes_of, plural, seconds

if TYPE_CHECKING:
    from rich.progress import Progress

#: Connections that are opened at once.
AT_ONCE = 64
#: Seconds between two looks at how far it has come.
LOOK = 0.25


class Loading(NamedTuple):
    """The options of a load.

    Args:
        address: the server's.
        message: what is sent.
        connections: on how many connections.
        duration: for how many seconds.
        rate: messages a second over all of them.
        timeout: seconds for connecting.
        histogram: where to write the percentiles, "" for nowhere.
        json: whether to print JSON.
    """

    address: Address
    message: bytes
    connections: int
    duration: float
    rate: float
    timeout: float
    histogram: str
    json: bool


async def conduct(loading: Loading, stop: trio.Event) -> int:
    """Put the load on the server, and print what came of it.

    Args:
        loading: the options.
        stop: ends it early when set; what was measured by then is printed.

    Returns:
        The exit code: 1 if a connection broke, or nothing came back.

    Raises:
        TrioechoError: the server cannot be reached, broke every connection, or is no echo server;
            or the percentiles cannot be written. It may be in a group.
    """
    load: Load | None = None
    start = perf_counter()
    with ExitStack() as stack:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_at, stop, nursery.cancel_scope)
            connections = await _connect(loading, stack)
            load = Load(connections, loading.message, loading.rate)
            await nursery.start(_show, load, loading.duration)
            start = perf_counter()
            await load.run(loading.duration)
            nursery.cancel_scope.cancel()
        took = perf_counter() - start
        if load is None:  # it was to end before all were connected
            return 1
        kernels = [kernel for one in load.connections if (kernel := _kernel(one))]
    async with open_line_writer(json=loading.json) as lines:
        if loading.json:
            lines.write(_object(loading, load, took, kernels))
        else:
            for line in _lines(loading, load, took, kernels):
                lines.write(line)
    if loading.histogram:
        _write(loading.histogram, load)
    return 1 if load.broken or not load.times.count else 0


async def _connect(loading: Loading, stack: ExitStack) -> Sequence[ObservedSocket]:
    connections: list[ObservedSocket] = []
    limit = trio.CapacityLimiter(AT_ONCE)

    async def connect() -> None:
        async with limit:
            one = await open_connection(loading.address, nagle=False, timeout=loading.timeout)
        connections.append(stack.enter_context(one))

    async with trio.open_nursery() as nursery:
        for _ in range(loading.connections):
            nursery.start_soon(connect)
    return connections


async def _show(
    load: Load, duration: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Show on a terminal how far it has come.

    It is ready before the load begins: what it imports takes longer than many round trips.
    """
    if not is_terminal(sys.stderr):
        task_status.started()
        return
    with _progress() as progress:
        task_status.started()
        task = progress.add_task("", total=None if math.isinf(duration) else duration)
        start, before = perf_counter(), 0
        while True:
            since = perf_counter()
            await trio.sleep(LOOK)
            count = load.times.count
            rate = (count - before) / (perf_counter() - since)
            before = count
            times = f"p50 {seconds(load.times.at(50))}, p99 {seconds(load.times.at(99))}"
            progress.update(
                task,
                completed=perf_counter() - start,
                description=f"{rate:,.0f} round trips/s, {times}",
            )
            # A terminal may be slow, or stopped by Ctrl-S, and the load must not wait for it.
            await trio.to_thread.run_sync(progress.refresh, abandon_on_cancel=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    # It would refresh from a thread of its own; the task does.
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as progress:
        yield progress


def _kernel(connection: ObservedSocket) -> Kernel | None:
    """What the kernel knows of a connection, on Linux."""
    from trioecho.hosts.tcp_info import parse_info

    try:
        data = connection.plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except (AttributeError, OSError):
        return None
    return parse_info(data)


def _lines(loading: Loading, load: Load, took: float, kernels: Sequence[Kernel]) -> Iterator[str]:
    times = load.times
    over = f"over {plural(loading.connections, 'connection')} in {took:.2f} s"
    yield f"{plural(times.count, 'round trip')} of {bytes_of(len(loading.message))} {over}"
    if load.broken:
        yield f"{plural(load.broken, 'connection')} broke before the end"
    if not times.count:
        return
    each = load.bytes / took / 1e6
    yield f"{times.count / took:,.0f} a second, {each:,.3g} MB/s each way"
    yield "Every byte that came back is as it was sent"
    heads = ["min", *(f"p{percentile:g}" for percentile in TOLD), "max"]
    found = [times.least, *map(times.at, TOLD), times.most]
    yield "".join(f"{head:>10}" for head in heads)
    yield "".join(f"{seconds(time):>10}" for time in found)
    if not math.isinf(loading.rate):
        yield "Each is counted from when its message was due, at the rate that was asked for"
        if load.missed:
            yield f"Not counted, since they had not come back: {plural(load.missed, 'message')}"
    if line := _of_kernels(kernels):
        yield line


def _of_kernels(kernels: Sequence[Kernel]) -> str:
    trips = [kernel.rtt for kernel in kernels if kernel.rtt is not None]
    if not trips:
        return ""
    again = sum(kernel.total_retransmits for kernel in kernels)
    said = f"The kernel: round trip {seconds(round(median(trips)))} (median of the connections)"
    said += f", {plural(again, 'segment')} sent again"
    busy = sum(kernel.busy or 0 for kernel in kernels)
    for what, limited in (
        ("the server's window", sum(kernel.receiver_limited or 0 for kernel in kernels)),
        ("its own send buffer", sum(kernel.send_buffer_limited or 0 for kernel in kernels)),
    ):
        if busy and (share := limited / busy) >= 0.005:
            said += f", {share:.0%} of its busy time limited by {what}"
    return said


def _object(
    loading: Loading, load: Load, took: float, kernels: Sequence[Kernel]
) -> dict[str, object]:
    from trioecho.render.jsonl import kernel_object

    times = load.times
    marks = {"min": times.least} | {f"p{p:g}": times.at(p) for p in TOLD} | {"max": times.most}
    return {
        "type": "load",
        "address": str(loading.address),
        "connections": loading.connections,
        "bytes": len(loading.message),
        "rate": None if math.isinf(loading.rate) else loading.rate,
        "duration": took,
        "round_trips": times.count,
        "broken": load.broken,
        "missed": load.missed,
        "round_trip": {name: time / 1e9 for name, time in marks.items()} if times.count else None,
        "kernels": [kernel_object(kernel) for kernel in kernels],
    }


def _write(path: str, load: Load) -> None:
    try:
        Path(path).write_text("".join(load.times.percentiles()), encoding="ascii")
    except OSError as error:
        raise TrioechoError(f"Cannot write {path!r}: {error.strerror}") from None
