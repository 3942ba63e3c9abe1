"""``trioecho watch``: live traffic of any program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    FOLD,
    AbsoluteOption,
    AllOption,
    Format,
    FormatOption,
    OutputOption,
    VerboseOption,
    ip_of,
)

if TYPE_CHECKING:
    import trio

# Rungs a second that the screen shows in full, however many there are.
REFILL = 20


def watch(
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "--interface",
            "-i",
            metavar="NAME",
            help="Watch this interface. Repeatable.",
            show_default="every one that is up",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Only segments from or to this port."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="IP", help="Only segments from or to this address.")
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="EXPRESSION",
            help="Only frames that this pcap-filter(7) expression lets through; takes libpcap.",
        ),
    ] = None,
    table: Annotated[
        bool | None,
        typer.Option(
            "--table/--ladder",
            help="A table of connections, or a ladder of segments.",
            show_default="a ladder; on a terminal, a table when more than 8 connections are open",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after this many segments.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, metavar="SECONDS", help="End after this long.")
    ] = None,
    output_format: FormatOption = Format.terminal,
    output: OutputOption = None,
    absolute: AbsoluteOption = False,
    verbose: VerboseOption = False,
    show_all: AllOption = False,
) -> None:
    """Watch live traffic of any program, and name the programs.

    Ctrl-C ends it. It runs on Linux, and takes CAP_NET_RAW. Called by sudo it
    opens its sockets and becomes the user who called, before it reads the first
    byte; it can name that user's programs. Root who did not come by sudo stays
    root, and can name all.

    Examples:

      sudo trioecho watch

      sudo trioecho watch --port 443 -o https.pcapng

      sudo trioecho watch -i lo -i eth0 --host 192.0.2.1 --format json

      sudo trioecho watch --filter "tcp and not net 10.0.0.0/8" --table --for 60
    """
    from trioecho.cli.runner import run
    from trioecho.cli.screen import Screen, check_suffixes
    from trioecho.cli.watching import Request, conduct
    from trioecho.watch import Settings, Wanted

    if table is not None and output_format is not Format.terminal:
        raise typer.BadParameter("it is for --format terminal alone", param_hint="--table/--ladder")
    request = Request(
        wanted=Wanted(tuple(interface or ()), port, ip_of(host), expression),
        settings=Settings(count, seconds, few={None: 8, True: 0, False: None}[table]),
        paths=check_suffixes(output or []),
        screen=Screen(
            format=output_format.value,
            absolute=absolute,
            verbose=verbose,
            calls=True,
            fold=None if show_all else FOLD,
            several=True,
            several_in_files=True,
            refill=REFILL,
        ),
    )

    async def main(stop: trio.Event) -> int:
        await conduct(request, stop)
        return 0

    run(main)
