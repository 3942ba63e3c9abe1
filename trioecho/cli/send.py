"""``trioecho send``: the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import trio


def send(
    message: Annotated[
        str | None,
        typer.Argument(help="What to send. Without it, what is piped in, or what you type."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="The server; :PORT and PORT are on 127.0.0.1."),
    ] = "127.0.0.1:65432",
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Send a file, of any size.")
    ] = None,
    count: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Send it so many times on one connection."),
    ] = 1,
    interval: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="From one message to the next."),
    ] = 0.0,
    timeout: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="How long to wait for the connection, and for an echo that does not move; "
            "0 waits for ever.",
        ),
    ] = 10.0,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write what came back to a file."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Send a message to an echo server, and check each byte that comes back.

    Any echo server will do: trioecho serve, ncat, socat, your own program.
    The exit code is 0 when the echo was complete and right.

    Examples:
      trioecho send "testing purposes"
      trioecho send hi --to [::1]:7777 --count 100 --interval 0.1
      trioecho send --file photo.jpg -o back.jpg
      tar c . | trioecho send
    """
    from trioecho.cli.runner import refuse, run
    from trioecho.cli.sending import Sending, conduct, same_file
    from trioecho.sockets.address import MalformedAddress, parse_address

    if message is not None and file is not None:
        raise typer.BadParameter("MESSAGE and --file exclude each other.", param_hint="--file")
    if file is not None and output is not None and same_file(file, output):
        raise typer.BadParameter("It is the file that is sent.", param_hint="--output")
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
