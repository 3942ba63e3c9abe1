"""``trioecho trace``: the main job."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio


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


class Format(StrEnum):
    """What standard output gets."""

    terminal = "terminal"
    json = "json"
    ladder = "ladder"


FOLD = 200


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
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output gets.")
    ] = Format.terminal,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to this file too: .pcapng, .jsonl, .ladder or .txt. Repeatable.",
        ),
    ] = None,
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Show the raw sequence numbers.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show each header field, and payloads in hex."),
    ] = False,
    calls: Annotated[
        bool, typer.Option("--calls/--no-calls", help="Show the socket calls of both ends.")
    ] = True,
    show_all: Annotated[
        bool,
        typer.Option("--all", help=f"Fold nothing, however long it gets (default: after {FOLD})."),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="Give up when nothing moves for this long."),
    ] = 30.0,
) -> None:
    """Trace an echo: server, client and capture in one, as a ladder, live.

    It runs on a private loopback of its own, so it needs no root and meets no port in use.

    Examples:

      trioecho trace "testing purposes"

      trioecho trace --recv-size 16 "a message that comes in parts"

      trioecho trace --size 10000000 -o big.pcapng

      trioecho trace --close rst --format json
    """
    from trioecho.cli.runner import run
    from trioecho.cli.screen import Screen, check_suffixes, open_outputs
    from trioecho.trace import Settings

    if message is not None and size is not None:
        raise typer.BadParameter("give a MESSAGE or --size, not both", param_hint="--size")
    paths = check_suffixes(output or [])
    payload = (message or "testing purposes").encode(errors="surrogateescape")
    if size is not None:
        payload = pattern(size)
    settings = Settings(
        message=payload,
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
    )
    screen = Screen(
        format=output_format.value,
        absolute=absolute,
        verbose=verbose,
        calls=calls,
        fold=None if show_all else FOLD,
        several=connections > 1,
    )

    async def main(stop: trio.Event) -> int:
        from trioecho.trace import trace

        with open_outputs(screen, paths) as outputs:
            await trace(settings, outputs, stop=stop)
        return 0

    run(main)


def pattern(size: int) -> bytes:
    """``size`` bytes in which every place can be told from its neighbours: numbered lines."""
    line = 16
    lines = b"".join(b"%015d\n" % number for number in range(-(-size // line)))
    return lines[:size]
