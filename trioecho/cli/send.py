"""``trioecho send``: the echo client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio


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
        int, typer.Option(min=1, metavar="N", help="Send it this many times on one connection.")
    ] = 1,
    interval: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="Time from one message to the next."),
    ] = 0.0,
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

    sending = Sending(
        address=address,
        message=message,
        file=file,
        count=count,
        interval=interval,
        timeout=timeout or float("inf"),
        output=output,
        json=json,
    )

    async def main(_: trio.Event) -> int:
        await conduct(sending)
        return 0

    run(main, graceful=False)
