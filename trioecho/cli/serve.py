"""``trioecho serve``: the echo server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio

    from trioecho.cli.teller import Teller
    from trioecho.echo.server import ServerReport
    from trioecho.model import Call
    from trioecho.sockets.address import Address
    from trioecho.sockets.listening import ListeningSocket


def serve(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ADDRESS",
            help="HOST:PORT, :PORT, PORT or [::1]:PORT. Without a HOST it is 127.0.0.1; "
            "0.0.0.0 is every interface. Port 0 takes a free one.  [default: 127.0.0.1:65432]",
            show_default=False,
        ),
    ] = None,
    recv_size: Annotated[
        int,
        typer.Option(
            min=1,
            max=2**26,
            metavar="BYTES",
            help="Receive at most so much at once; 16 shows how a message comes in parts.",
        ),
    ] = 65536,
    backlog: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="How many connections may wait to be accepted.",
        ),
    ] = 1024,
    grace: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="How long open connections may go on after Ctrl-C or SIGTERM.",
        ),
    ] = 5.0,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Only say where it listens, and the summary.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Echo whatever clients send, and show each socket call.

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
        from trioecho.cli.teller import MOMENT, open_teller
        from trioecho.echo.server import ServerReport, serve

        report = ServerReport()
        async with open_teller(json=json, patience=MOMENT) as teller:
            show = _Show(teller, json, quiet)
            listeners = await _open(wanted, backlog, show)
            for listener in listeners:
                show.listening(listener)
            try:
                await serve(
                    listeners,
                    recv_size=recv_size,
                    grace=grace,
                    stop=stop,
                    report=report,
                    stopping=lambda: show.stopping(report, grace),
                )
            finally:
                show.summary(report)
        return 0

    run(main)


async def _open(wanted: list[Address], backlog: int, show: _Show) -> list[ListeningSocket]:
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


class _Show:
    """What the user sees, as text or as JSON."""

    def __init__(self, teller: Teller, json: bool, quiet: bool) -> None:
        from time import time_ns

        self._teller = teller
        self._json = json
        self._start = time_ns()
        self.record = None if quiet else self._call

    def listening(self, listener: ListeningSocket) -> None:
        if self._json:
            self._teller.say({"type": "listening", "address": str(listener.local)})
        else:
            self._teller.say(f"listening on {listener.local}")

    def stopping(self, report: ServerReport, grace: float) -> None:
        if report.open and not self._json:
            from trioecho.text import plural

            self._teller.say(
                f"stopping: {plural(report.open, 'connection')} may finish within {grace:g} s; "
                "Ctrl-C again cuts off"
            )

    def summary(self, report: ServerReport) -> None:
        if self._json:
            from dataclasses import asdict

            self._teller.say({"type": "summary", **asdict(report)})
        else:
            from trioecho.cli.narration import summarise

            self._teller.say(summarise(report))

    def _call(self, call: Call) -> None:
        if self._json:
            from trioecho.render.jsonl import call_object

            self._teller.say_call(call_object(call, self._start))
        else:
            from trioecho.cli.narration import narrate

            if told := narrate(call):
                self._teller.say_call(told)
