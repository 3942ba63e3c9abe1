"""The command line: one module a command, each of them flags, a configuration and a run.

What is imported here is imported by ``trioecho --help``; so a command's module imports no more than
Typer at its top, and the rest inside the function. To add a command, write ``cli/name.py`` with the
function ``name`` and register it below.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trioecho import __version__
from trioecho.cli.lab import lab
from trioecho.cli.light import Command, Group
from trioecho.cli.read import read
from trioecho.cli.run import run
from trioecho.cli.send import send
from trioecho.cli.serve import serve
from trioecho.cli.trace import trace
from trioecho.cli.watch import watch

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="See what a TCP connection does on the wire.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trioecho {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


for command in (serve, send, trace, lab, run, read, watch):
    app.command(cls=Command)(command)


def main() -> None:
    """The entry point of ``trioecho``."""
    try:
        app()
    except KeyboardInterrupt:  # before the command could answer it
        sys.exit(130)
