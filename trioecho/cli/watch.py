"""``trioecho watch``: live traffic of any program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import OutputFormat, ShowOptions, ip_of
from trioecho.render.limits import FEW

if TYPE_CHECKING:
    import trio

# Rungs a second that the terminal shows in full, however many there are.
REFILL = 20


def watch(
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "--interface",
            "-i",
            metavar="NAME",
            help="Watch this interface. Repeatable.",
            show_default="all that are up",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Only show segments from or to this port."
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="IP", help="Only show segments from or to this address.")
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="EXPRESSION",
            help="Only show frames that match this pcap-filter(7) expression; requires libpcap.",
        ),
    ] = None,
    table: Annotated[
        bool | None,
        typer.Option(
            "--table/--ladder",
            help="Show a table of connections, or a ladder of segments.",
            show_default=f"a ladder; on a terminal, a table when more than {FEW} connections are"
            " open",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after this many segments.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, metavar="SECONDS", help="Stop after this long.")
    ] = None,
    why: Annotated[
        bool,
        typer.Option(
            "--why",
            help="Also say where each connection's time goes; it takes nearly twice the work.",
        ),
    ] = False,
    *,
    show: ShowOptions,
) -> None:
    """Watch live traffic of any program, and name the programs.

    Ctrl-C stops it. It runs on Linux and requires CAP_NET_RAW. Under sudo it opens its sockets,
    then becomes the user who called sudo before it reads the first byte; it can name that user's
    programs. Root without sudo stays root and can name all programs.

    Examples:

      sudo trioecho watch

      sudo trioecho watch --port 443 -o https.pcapng

      sudo trioecho watch --port 443 --why

      sudo trioecho watch -i lo -i eth0 --host 192.0.2.1 --format json

      sudo trioecho watch --filter "tcp and not net 10.0.0.0/8" --table --for 60
    """
    from trioecho.cli.runner import run
    from trioecho.cli.screen import Screen
    from trioecho.cli.stdout import height
    from trioecho.render.table import Order
    from trioecho.watch import Wanted, WatchSettings

    if table is not None and show.output_format is not OutputFormat.terminal:
        raise typer.BadParameter("it requires --format terminal", param_hint="--table/--ladder")
    wanted = Wanted(tuple(interface or ()), port, ip_of(host), expression)
    few = {None: FEW, True: 0, False: None}[table]
    settings = WatchSettings(count, seconds, few=few, accounted=why)
    screen = Screen(show, refill=REFILL)
    order = Order(every=show.show_all, height=height())

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.stderr import warn
        from trioecho.cli.watch_screen import audience, title, with_table
        from trioecho.watch import drop_privileges, open_taps, watch

        with open_taps(wanted) as taps:
            drop_privileges()
            for notice in taps.notices:
                warn(notice)
            with screen.opener(with_table(order, only=bool(table))) as opened:
                outputs = opened(title(taps, wanted), taps.names)
                await watch(taps, settings, audience(outputs, screen.is_text), stop=stop)
        return 0

    run(main)
