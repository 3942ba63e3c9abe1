"""``trioecho run``: other people's programs on a private wire."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from time import time_ns
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    FOLD,
    AbsoluteOption,
    AllOption,
    FaultOption,
    Format,
    FormatOption,
    KernelOption,
    OutputOption,
    VerboseOption,
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
        typer.Option(metavar="COMMAND", help="The client, which starts when the server listens."),
    ],
    fault: FaultOption = None,
    same_host: Annotated[
        bool,
        typer.Option(
            "--same-host", help="Both on one host, for programs that use 127.0.0.1; no faults."
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Wait for this port.", show_default="any"),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(min=0.1, metavar="SECONDS", help="How long the server may take to listen."),
    ] = 10.0,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="SECONDS", help="End both after this long.", show_default="never"
        ),
    ] = None,
    calls: Annotated[
        bool, typer.Option("--calls", help="Show their socket calls too, by way of strace.")
    ] = False,
    kernel: KernelOption = False,
    output_format: FormatOption = Format.terminal,
    output: OutputOption = None,
    absolute: AbsoluteOption = False,
    verbose: VerboseOption = False,
    show_all: AllOption = False,
) -> None:
    """Run a server and a client, unmodified, and show what happens between them.

    They run on two hosts, 10.0.0.1 (fd00::1) for the client and 10.0.0.2 (fd00::2) for the server,
    with a private wire between them that does what --fault says; no root is needed. With
    --same-host both run on one, and reach each other at 127.0.0.1.

    A COMMAND is split as a shell splits it, but no shell runs it: for pipes and variables use
    "sh -c '...'". Standard input goes to the client. What the programs write is shown on standard
    error, each line with its time and its end. The exit code is the client's.

    Examples:

      trioecho run --server "ncat -l 7000" --client "sh -c 'echo hello | ncat 10.0.0.2 7000'"

      trioecho run --server "python -m http.server" --client "curl -sS http://10.0.0.2:8000/"
      --fault "drop syn-ack"

      trioecho run --same-host --calls --server "python server.py" --client "python client.py"
    """
    from trioecho.cli import runner
    from trioecho.cli.screen import Screen, check_suffixes, open_outputs
    from trioecho.programs import RunSettings

    if same_host and (fault or kernel):
        raise typer.BadParameter(
            "on one host there is no wire that could do anything to a segment, or say when it"
            " arrived",
            param_hint="--fault" if fault else "--kernel",
        )
    paths = check_suffixes(output or [])
    settings = RunSettings(
        server=_words(server, "--server"),
        client=_words(client, "--client"),
        faults=tuple(fault or ()),
        same_host=same_host,
        wait=wait,
        port=port,
        timeout=timeout,
        calls=calls,
        kernel=kernel,
        foreground=sys.stdin is not None and sys.stdin.isatty(),
    )
    screen = Screen(
        format=output_format.value,
        absolute=absolute,
        verbose=verbose,
        calls=True,
        fold=None if show_all else FOLD,
        several=True,
        several_in_files=True,
    )

    async def main(stop: trio.Event) -> int:
        from trioecho.cli.margin import Margin
        from trioecho.programs import run_programs

        with ExitStack() as stack:
            margin = Margin()

            def outputs(title: str, interfaces: Sequence[str]) -> list[Output]:
                margin.start = time_ns()
                return open_outputs(stack, screen, paths, title, interfaces, margin.start)

            return await run_programs(settings, outputs, margin.tell, stop=stop)

    runner.run(main)


def _words(command: str, option: str) -> tuple[str, ...]:
    """A command's words; a usage error when it has none, or a quotation mark too few."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise typer.BadParameter(f"{command!r}: {str(error).lower()}", param_hint=option) from None
    if not words:
        raise typer.BadParameter("it names no program", param_hint=option)
    return tuple(words)
