"""``trioecho serve``: the echo server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio

    from trioecho.cli.serve_report import ServeReport
    from trioecho.sockets.address import Address
    from trioecho.sockets.listening import ListeningSocket


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
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Echo what clients send, and show every socket call, with its time in ms since the start.

    Any TCP client will do: trioecho send, ncat, socat, your own program.
    Ctrl-C stops it.

    Examples:

      trioecho serve

      trioecho serve 7777 --recv-size 16

      trioecho serve 127.0.0.1:7777 [::1]:7777 --json
    """
    from trioecho.cli.runner import refuse, run
    from trioecho.sockets.address import Address, MalformedAddress, parse_address

    try:
        wanted = [parse_address(text) for text in addresses or ()] or [Address()]
    except MalformedAddress as error:
        refuse(error)

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.line_writer import MOMENT, open_line_writer
        from trioecho.cli.serve_report import JsonServeReport, ServeReport
        from trioecho.echo.report import ServerReport
        from trioecho.echo.server import BATCHED_RECV_SIZE, RECV_SIZE, serve

        batched = quiet and sys.platform == "linux"
        size = recv_size or (BATCHED_RECV_SIZE if batched else RECV_SIZE)
        report = ServerReport()
        async with open_line_writer(json=json, patience=MOMENT) as lines:
            show = (JsonServeReport if json else ServeReport)(lines, quiet=quiet)
            listeners = await _open(wanted, backlog, show)
            for listener in listeners:
                show.listening(listener)
            try:
                await serve(
                    listeners,
                    recv_size=size,
                    grace=grace,
                    nagle=not batched,
                    batched=batched,
                    stop=stop,
                    report=report,
                    stopping=lambda: show.stopping(report, grace),
                )
            finally:
                show.summary(report)
        return 0

    run(main)


async def _open(wanted: list[Address], backlog: int, show: ServeReport) -> list[ListeningSocket]:
    from trioecho.sockets.listening import open_listeners

    listeners: list[ListeningSocket] = []
    try:
        for address in wanted:
            listeners += await open_listeners(address, backlog=backlog, record=show.record)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners
