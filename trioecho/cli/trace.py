"""``trioecho trace``: the main job."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    FOLD,
    AbsoluteOption,
    AllOption,
    CallsOption,
    FaultOption,
    Format,
    FormatOption,
    KernelOption,
    OutputOption,
    VerboseOption,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import trio

    from trioecho.sockets.address import Address
    from trioecho.stage.outputs import Output
    from trioecho.trace import Place


class Close(StrEnum):
    """How a client closes."""

    fin = "fin"
    rst = "rst"
    half = "half"


class Sniffer(StrEnum):
    """Which capture to use."""

    auto = "auto"
    ring = "ring"
    scapy = "scapy"


def trace(
    message: Annotated[
        str | None,
        typer.Argument(help="What the client sends.", show_default="testing purposes"),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, max=1 << 30, metavar="BYTES", help="Send this many bytes instead."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Send it this often.")] = 1,
    connections: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Clients, all at once.")
    ] = 1,
    recv_size: Annotated[
        int,
        typer.Option(
            min=1, max=1 << 24, metavar="BYTES", help="Most bytes an end takes in one recv."
        ),
    ] = 65536,
    close: Annotated[
        Close,
        typer.Option(
            help="How the client closes: fin when all is echoed, half straight after sending,"
            " rst by a reset."
        ),
    ] = Close.fin,
    nagle: Annotated[
        bool, typer.Option("--nagle/--no-nagle", help="Nagle's algorithm, the kernel's default.")
    ] = True,
    ipv6: Annotated[bool, typer.Option("--ipv6", help="Use ::1 instead of 127.0.0.1.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The server's port; 0 takes any free one.")
    ] = 65432,
    interface: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Use the machine's own loopback, such as lo, which takes CAP_NET_RAW.",
            show_default="a private one",
        ),
    ] = None,
    sniffer: Annotated[
        Sniffer,
        typer.Option(help="The capture: the kernel's mapped ring, or scapy's socket."),
    ] = Sniffer.auto,
    fault: FaultOption = None,
    kernel: KernelOption = False,
    output_format: FormatOption = Format.terminal,
    output: OutputOption = None,
    absolute: AbsoluteOption = False,
    verbose: VerboseOption = False,
    calls: CallsOption = True,
    show_all: AllOption = False,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Give up when nothing moves for this long."),
    ] = 30.0,
) -> None:
    """Trace an echo: server, client and capture in one, as a ladder, live.

    It runs on a private loopback of its own, so it needs no root and meets no port in use. With
    --fault it runs on a private wire between two hosts, which breaks what it carries on purpose;
    docs/faults.md has the words.

    Examples:

      trioecho trace "testing purposes"

      trioecho trace --recv-size 16 "a message that comes in parts"

      trioecho trace --size 10000000 -o big.pcapng

      trioecho trace --close rst --format json

      trioecho trace --fault "drop syn-ack"

      trioecho trace --size 20000 --fault "delay 25ms" --fault "drop client data 3"
    """
    from trioecho.cli.output import warn
    from trioecho.cli.runner import run
    from trioecho.cli.screen import Screen, check_suffixes, open_outputs
    from trioecho.trace import Settings

    if message is not None and size is not None:
        raise typer.BadParameter("give a MESSAGE or --size, not both", param_hint="--size")
    wired = bool(fault) or kernel
    if wired and (interface is not None or sniffer is not Sniffer.auto):
        raise typer.BadParameter(
            "a private wire has a capture of its own, and no interface of this machine",
            param_hint="--fault",
        )
    paths = check_suffixes(output or [])
    text = "testing purposes" if message is None else message
    payload = text.encode(errors="surrogateescape")
    settings = Settings(
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
    )
    screen = Screen(
        format=output_format.value,
        absolute=absolute,
        verbose=verbose,
        calls=calls,
        fold=None if show_all else FOLD,
        several=connections > 1,
        several_in_files=connections > 1,
    )

    async def main(stop: trio.Event) -> int:
        from trioecho.trace import trace, trace_wired

        with ExitStack() as stack:

            def opened(title: str, interfaces: Sequence[str]) -> list[Output]:
                return open_outputs(stack, screen, paths, title, interfaces)

            def outputs(place: Place, address: Address) -> list[Output]:
                if place.notice:
                    warn(place.notice)
                title = f"{place.title}; {address.host}, port {address.port}"
                return opened(title, [place.capture.interface])

            if wired:
                await trace_wired(settings, opened, stop=stop)
            else:
                await trace(settings, outputs, stop=stop)
        return 0

    run(main)


async def pattern(size: int) -> AsyncGenerator[bytes, None]:
    """``size`` bytes, piece by piece, in which each place can be told from its neighbours.

    Args:
        size: how many bytes.
    """
    line, lines = 16, 4096
    for start in range(0, size, line * lines):
        first = start // line
        piece = b"".join(b"%015d\n" % number for number in range(first, first + lines))
        yield piece[: size - start]
