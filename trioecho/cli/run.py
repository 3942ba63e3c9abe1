"""``trioecho run``: other people's programs on a private wire."""

from __future__ import annotations

import shlex
import sys
from time import time_ns
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    ConnectionOption,
    FaultOption,
    KernelOption,
    LimitOption,
    OnlyOption,
    RequestsOption,
    ShowOptions,
    SortOption,
    StrictOption,
    SysctlOption,
    TableOption,
    sysctl_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import trio

    from trioecho.stage.outputs import Output


def run(
    server: Annotated[
        str, typer.Option(metavar="COMMAND", help="The server, as you would type it.")
    ],
    client: Annotated[
        str,
        typer.Option(metavar="COMMAND", help="The client, started when the server listens."),
    ],
    fault: FaultOption = None,
    strict: StrictOption = False,
    same_host: Annotated[
        bool,
        typer.Option(
            "--same-host", help="Run both on one host, for programs that use 127.0.0.1; no faults."
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="PORT",
            help="Wait for the server to listen on this port.",
            show_default="any",
        ),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Give the server this long to listen.",
            show_default="10; 1 for one that listens on 127.0.0.1 alone",
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Stop both after this long, and exit with code 124.",
            show_default="never",
        ),
    ] = None,
    output_limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="BYTES",
            help="Show this much of what each program writes, and count the rest.",
            show_default="1 MiB",
        ),
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls", help="Show their socket calls; requires strace.")
    ] = False,
    kernel: KernelOption = False,
    quiet_kernel: Annotated[
        bool,
        typer.Option(
            "--quiet-kernel",
            help="Quiet the hosts' kernel as trace, lab and tests do: no tail loss probes.",
        ),
    ] = False,
    sysctl: SysctlOption = None,
    connection: ConnectionOption = None,
    only: OnlyOption = None,
    table: TableOption = None,
    sort: SortOption = None,
    limit: LimitOption = None,
    requests: RequestsOption = False,
    *,
    show: ShowOptions,
) -> None:
    """Run a server and a client, unmodified, and show what happens between them.

    The client runs on the host 10.0.0.1 (fd00::1) and the server on 10.0.0.2 (fd00::2); between
    them is a private wire with the faults given by --fault. No root is needed. With --same-host,
    both run on one host and reach each other at 127.0.0.1.

    A COMMAND is split as a shell would split it, but is not run by one: for pipes and variables use
    "sh -c '...'". Standard input goes to the client. What the programs print is shown on standard
    error, each line with its time and its end. The exit code is the client's.

    Up to three connections are a live ladder. Where there are more, the ladder ends, a line tells
    now and then how many there are, and a table of them follows at the end; those of one server
    that share a trouble are one row of it, on top. With --only trouble all is shown at the end.

    The kernel keeps its own ways, tail loss probes included, unless --quiet-kernel is given. Its
    congestion control is cubic, or else reno, as everywhere; --sysctl sets anything else.

    Examples:

      trioecho run --server "ncat -l 7000" --client "ncat 10.0.0.2 7000"

      trioecho run --server ./server --client ./client --fault "drop syn-ack"

      trioecho run --server ./server --client ./client --requests

      trioecho run --server ./server --client ./client --same-host --calls
    """
    from trioecho.cli import runner
    from trioecho.cli.pick import pick
    from trioecho.cli.screen import Screen
    from trioecho.cli.stdout import is_terminal
    from trioecho.hosts.ways import Ways
    from trioecho.programs import RunSettings
    from trioecho.programs.settings import OUTPUT_LIMIT
    from trioecho.render.limits import FEWEST

    if same_host and (fault or kernel):
        raise typer.BadParameter(
            "there is no wire with --same-host; leave out one of the two",
            param_hint="--fault" if fault else "--kernel",
        )
    settings = RunSettings(
        server=_words(server, "--server"),
        client=_words(client, "--client"),
        faults=tuple(fault or ()),
        same_host=same_host,
        wait=wait,
        port=port,
        timeout=timeout,
        output_limit=OUTPUT_LIMIT if output_limit is None else output_limit,
        strict=strict,
        calls=calls,
        kernel=kernel,
        ways=Ways(quiet_kernel, sysctl_of(sysctl)),
        foreground=is_terminal(sys.stdin),
    )
    picked = pick(show, connection=connection, only=only, table=table, sort=sort, limit=limit)
    screen = Screen(show, pick=picked, requests=requests, least=FEWEST, accounts=True)

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.stderr import ProgramLines
        from trioecho.programs import run_programs

        lines = ProgramLines()
        with screen.opener() as opened:

            def outputs(title: str, interfaces: Sequence[str]) -> list[Output]:
                lines.start = time_ns()
                return opened(title, interfaces, lines.start)

            code = await run_programs(settings, outputs, lines.show, stop=stop)
        screen.demand("The run")
        return code

    runner.run(main)


def _words(command: str, option: str) -> tuple[str, ...]:
    """A command's words; a usage error when it has none, or an unclosed quotation."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise typer.BadParameter(f"{command!r}: {str(error).lower()}", param_hint=option) from None
    if not words:
        raise typer.BadParameter("it is empty; name a program", param_hint=option)
    return tuple(words)
