"""``trioecho serve``: the echo server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio


def complete(incomplete: str) -> list[str]:
    """The shell completes ways to behave."""
    from trioecho.echo.behaviour import KINDS

    names = [f"{name}=" if kind.value else name for name, kind in KINDS.items()]
    return [name for name in names if name.startswith(incomplete)]


def serve(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ADDRESS",
            help="Listen on HOST:PORT, :PORT, PORT or [::1]:PORT. HOST is 127.0.0.1 by default; "
            "0.0.0.0 is every interface. Port 0 is any free one.  [default: 127.0.0.1:65432]",
            show_default=False,
        ),
    ] = None,
    recv_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**26,
            metavar="BYTES",
            help="Read at most this many per recv; 16 shows how a message arrives in parts."
            "  [default: 65536; with --quiet 524288]",
        ),
    ] = None,
    backlog: Annotated[
        int,
        typer.Option(
            min=0, max=65535, metavar="N", help="Let this many connections wait to be accepted."
        ),
    ] = 1024,
    grace: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Let open connections go on this long after Ctrl-C or SIGTERM.",
        ),
    ] = 5.0,
    quiet: Annotated[
        bool,
        typer.Option(
            "-q", "--quiet", help="Only print the addresses and the summary, and be fast."
        ),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=256,
            metavar="N",
            help="Serve with so many processes, of which the kernel gives each connection to one;"
            " one that dies is replaced. Calls are not shown. Linux only.",
        ),
    ] = 1,
    behave: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOW",
            help="Behave badly, to try a client with: delay=200ms, slow=1kB/s, split=16,"
            " corrupt-byte=N, close-after=N, reset-after=N, half-close, never-read, never-accept."
            " May be repeated.",
            autocompletion=complete,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Echo what clients send, and show every socket call, with its time in ms since the start.

    Any TCP client will do: trioecho send, ncat, socat, your own program.
    Ctrl-C stops it.

    Examples:

      trioecho serve

      trioecho serve 7777 --recv-size 16

      trioecho serve 127.0.0.1:7777 [::1]:7777 --json

      trioecho serve 7777 --workers 4

      trioecho serve --behave delay=200ms --behave split=16
    """
    from trioecho.cli.runner import refuse, run
    from trioecho.echo.behaviour import parse_behaviour
    from trioecho.errors import TrioechoError
    from trioecho.sockets.address import Address, MalformedAddress, parse_address

    try:
        wanted = [parse_address(text) for text in addresses or ()] or [Address()]
    except MalformedAddress as error:
        refuse(error)

    if behave and workers > 1:
        raise typer.BadParameter("each worker echoes as it should", param_hint="--behave")
    try:
        behaviour = parse_behaviour(behave) if behave else None
    except TrioechoError as error:
        refuse(error)
    linux = sys.platform == "linux"
    if workers > 1 and not linux:
        raise typer.BadParameter("only Linux shares connections out", param_hint="--workers")

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.line_writer import MOMENT, open_line_writer
        from trioecho.cli.serve_echo import Serving, conduct
        from trioecho.cli.serve_report import JsonServeReport, ServeReport

        silent = quiet or workers > 1
        async with open_line_writer(json=json, patience=MOMENT) as lines:
            show = (JsonServeReport if json else ServeReport)(lines, quiet=silent)
            batched = silent and linux and behaviour is None
            for text in behave or ():
                show.behaving(text)
            serving = Serving(wanted, backlog, recv_size, grace, workers, batched, behaviour)
            await conduct(serving, show, stop)
        return 0

    run(main)
