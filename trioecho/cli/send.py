"""``trioecho send``: the echo client."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    import trio

    from trioecho.sockets.address import Address


def send(
    message: Annotated[
        str | None,
        typer.Argument(help="The message; without one, standard input is sent."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="The server; PORT or :PORT is one on 127.0.0.1."),
    ] = "127.0.0.1:65432",
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Send this file, of any size.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Send it this many times on one connection.  [default: 1; with --ping no end]",
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Time from one message to the next.  [default: 0; with --ping 1]",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Give up on the connection, or on an echo without progress, after this long;"
            " 0 waits forever.",
        ),
    ] = 10.0,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the echo to this file."),
    ] = None,
    ping: Annotated[
        Literal["connect", "echo"] | None,
        typer.Option(
            help="Ping the server until Ctrl-C, or --count times: how long a connection takes,"
            " or the echo of MESSAGE on one connection."
        ),
    ] = None,
    connections: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**16,
            metavar="N",
            help="Load the server: keep a message in flight on each of so many connections.",
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Load it for this long; 0 until Ctrl-C.  [default: 10]",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="R",
            help="Load it with so many messages a second, and count each from when it was due.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**26,
            metavar="B",
            help="Load it with messages of so many random bytes.  [default: 64]",
        ),
    ] = None,
    histogram: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the load's percentiles, for HdrHistogram (.hgrm)."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Send a message to an echo server, and check every byte of the echo.

    Any echo server will do: trioecho serve, ncat, socat, your own program.
    The exit code is 0 if the echo was complete and correct.

    Examples:

      trioecho send "testing purposes"

      trioecho send hi --to [::1]:7777 --count 100 --interval 0.1

      trioecho send --file photo.jpg -o back.jpg

      tar c . | trioecho send

      trioecho send --ping echo --interval 0.2

      trioecho send --connections 50 --duration 10

      trioecho send --connections 8 --rate 1000 --size 1000 --histogram times.hgrm
    """
    from trioecho.cli.runner import refuse, run
    from trioecho.cli.send_exchange import Sending, conduct, same_file
    from trioecho.sockets.address import MalformedAddress, parse_address

    if message is not None and file is not None:
        raise typer.BadParameter("use either MESSAGE or --file, not both", param_hint="--file")
    if file is not None and output is not None and same_file(file, output):
        raise typer.BadParameter("it is the file to send; name another", param_hint="--output")
    try:
        address = parse_address(to, listen=False)
    except MalformedAddress as error:
        refuse(error)

    load = {"--duration": duration, "--rate": rate, "--size": size, "--histogram": histogram}
    if connections is not None:
        single = {"--file": file, "--output": output, "--ping": ping}
        often = {"--count": count, "--interval": interval}
        _refuse(
            {**single, **often}, "a load with --connections sends MESSAGE or --size; leave it out"
        )
        _load(address, message, connections, duration, rate, size, timeout, histogram, json)
    _refuse(load, "it is for a load, with --connections")
    if ping is not None:
        _refuse({"--file": file, "--output": output}, "--ping sends MESSAGE; leave it out")
        _ping(address, ping, message, count, interval, timeout, json)

    sending = Sending(
        address=address,
        message=message,
        file=file,
        count=count or 1,
        interval=interval or 0.0,
        timeout=timeout or math.inf,
        output=output,
        json=json,
    )

    async def main(_: trio.Event) -> int:
        await conduct(sending)
        return 0

    run(main, graceful=False)


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Refuse the first of these options that is given."""
    for name, value in options.items():
        if value is not None:
            raise typer.BadParameter(why, param_hint=name)


def _load(
    address: Address,
    message: str | None,
    connections: int,
    duration: float | None,
    rate: float | None,
    size: int | None,
    timeout: float,
    histogram: str | None,
    json: bool,
) -> NoReturn:
    from trioecho.cli.runner import run
    from trioecho.cli.send_load import Loading, conduct

    if sys.platform != "linux":
        raise typer.BadParameter("only Linux can measure one", param_hint="--connections")
    if message is not None and size is not None:
        raise typer.BadParameter("use either MESSAGE or --size, not both", param_hint="--size")
    if message == "":
        raise typer.BadParameter("a load needs a byte to send", param_hint="MESSAGE")
    loading = Loading(
        address=address,
        message=os.urandom(size or 64) if message is None else os.fsencode(message),
        connections=connections,
        duration=10.0 if duration is None else duration or math.inf,
        rate=rate or math.inf,
        timeout=timeout or math.inf,
        histogram=histogram or "",
        json=json,
    )

    async def main(stop: trio.Event) -> int:
        return await conduct(loading, stop)

    run(main)


def _ping(
    address: Address,
    kind: Literal["connect", "echo"],
    message: str | None,
    count: int | None,
    interval: float | None,
    timeout: float,
    json: bool,
) -> NoReturn:
    from trioecho.cli.runner import run
    from trioecho.cli.send_ping import Pinging, conduct

    pinging = Pinging(
        address=address,
        kind=kind,
        message=os.fsencode(message or "ping"),
        count=count,
        interval=1.0 if interval is None else interval,
        timeout=timeout or math.inf,
        json=json,
    )
    run(lambda stop: conduct(pinging, stop))
