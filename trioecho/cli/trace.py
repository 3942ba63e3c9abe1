"""``trioecho trace``: an echo, traced."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    CallsOption,
    ConnectionOption,
    FaultOption,
    KernelOption,
    LimitOption,
    OnlyOption,
    RequestsOption,
    ShowOptions,
    SortOption,
    StrictOption,
    SysctlOption,
    TableOption,
    sysctl_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import trio


class CloseOption(StrEnum):
    """How the client closes."""

    fin = "fin"
    rst = "rst"
    half = "half"


class Sniffer(StrEnum):
    """The capture."""

    auto = "auto"
    ring = "ring"
    scapy = "scapy"


def trace(
    message: Annotated[
        str | None,
        typer.Argument(help="The message the client sends.", show_default="testing purposes"),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1, max=1 << 30, metavar="BYTES", help="Send this many bytes instead of a message."
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, metavar="N", help="Send it this many times on each connection.")
    ] = 1,
    connections: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Open this many connections at once.")
    ] = 1,
    recv_size: Annotated[
        int,
        typer.Option(min=1, max=1 << 24, metavar="BYTES", help="Read at most this many per recv."),
    ] = 65536,
    close: Annotated[
        CloseOption,
        typer.Option(
            help="How the client closes: fin after the whole echo, half right after sending,"
            " rst with a reset."
        ),
    ] = CloseOption.fin,
    nagle: Annotated[
        bool, typer.Option("--nagle/--no-nagle", help="Use Nagle's algorithm, as the kernel does.")
    ] = True,
    ipv6: Annotated[bool, typer.Option("--ipv6", help="Use ::1 instead of 127.0.0.1.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Server port; 0 for any free one.")
    ] = 65432,
    interface: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Use this machine's loopback interface, such as lo; requires CAP_NET_RAW.",
            show_default="a private one",
        ),
    ] = None,
    sniffer: Annotated[
        Sniffer,
        typer.Option(help="Capture with the kernel's mapped ring or with scapy's socket."),
    ] = Sniffer.auto,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Give up after this long without progress."),
    ] = 30.0,
    fault: FaultOption = None,
    strict: StrictOption = False,
    kernel: KernelOption = False,
    sysctl: SysctlOption = None,
    calls: CallsOption = True,
    connection: ConnectionOption = None,
    only: OnlyOption = None,
    table: TableOption = None,
    sort: SortOption = None,
    limit: LimitOption = None,
    requests: RequestsOption = False,
    *,
    show: ShowOptions,
) -> None:
    """Trace an echo as a live ladder: server, client and capture in one command.

    It runs on a private loopback, so it needs no root and never meets a port in use. With --fault
    or --kernel it runs on a private wire between two hosts instead, and --fault breaks that wire on
    purpose; --fault help lists the faults.

    Up to three connections are a live ladder, more are a table at the end; those that share a
    trouble are one row of it, on top.

    Examples:

      trioecho trace "testing purposes"

      trioecho trace --recv-size 16 "a message that arrives in parts"

      trioecho trace --size 10000000 -o big.pcapng

      trioecho trace --close rst --format json

      trioecho trace --fault "drop syn-ack"

      trioecho trace --count 3 --requests

      trioecho trace --size 9000 --fault "delay 25ms" --fault "drop data 3"
    """
    from trioecho.cli.pick import pick
    from trioecho.cli.runner import run
    from trioecho.cli.screen import Screen
    from trioecho.cli.stderr import warn
    from trioecho.render.limits import FEW, LESSON
    from trioecho.trace import TraceSettings

    if message is not None and size is not None:
        raise typer.BadParameter("use either MESSAGE or --size, not both", param_hint="--size")
    wired = bool(fault) or kernel
    if wired and (interface is not None or sniffer is not Sniffer.auto):
        raise typer.BadParameter(
            "a private wire has its own capture; leave out --interface and --sniffer",
            param_hint="--fault" if fault else "--kernel",
        )
    text = "testing purposes" if message is None else message
    payload = text.encode(errors="surrogateescape")
    settings = TraceSettings(
        message=payload if size is None else partial(pattern, size),
        size=len(payload) if size is None else size,
        count=count,
        connections=connections,
        recv_size=recv_size,
        close=close.value,
        nagle=nagle,
        ipv6=ipv6,
        port=port,
        interface=interface,
        sniffer=sniffer.value,
        timeout=timeout,
        faults=tuple(fault or ()),
        kernel=kernel,
        sysctl=sysctl_of(sysctl),
        strict=strict,
    )
    picked = pick(show, connection=connection, only=only, table=table, sort=sort, limit=limit)
    if picked.table is None and only is None:
        picked = picked._replace(table=connections > FEW)
    several = connections > 1 and connection is None
    screen = Screen(
        show,
        several=several,
        calls=calls,
        pick=picked,
        requests=requests,
        least=LESSON,
        accounts=True,
    )

    async def main(stop: trio.Event) -> int:
        from trioecho.trace import run_trace

        with screen.opener() as opened:
            await run_trace(settings, opened, notify=warn, stop=stop)
        screen.demand("The trace")
        return 0

    run(main)


async def pattern(size: int) -> AsyncGenerator[bytes, None]:
    """``size`` bytes, piece by piece: numbered lines, so that a wrong byte shows its place."""
    line, lines = 16, 4096
    for start in range(0, size, line * lines):
        first = start // line
        piece = b"".join(b"%015d\n" % number for number in range(first, first + lines))
        yield piece[: size - start]
