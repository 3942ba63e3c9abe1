"""The Typer application: every command, registered.

Whatever is imported at the top of a command's file is imported by ``trioecho --help`` too. So those
files import Typer alone at their top, and the rest inside the function.
"""

from __future__ import annotations

from typing import Annotated

import typer

from trioecho import __version__
from trioecho.cli.explain import explain
from trioecho.cli.faults import faults
from trioecho.cli.lab import lab
from trioecho.cli.light_typer import Command, Group
from trioecho.cli.options import with_show_options
from trioecho.cli.read import read
from trioecho.cli.run import run
from trioecho.cli.send import send
from trioecho.cli.serve import serve
from trioecho.cli.trace import trace
from trioecho.cli.watch import watch
from trioecho.cli.why import why

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
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


for command in (serve, send, faults, explain):
    app.command(cls=Command)(command)
for shows_ladder in (trace, lab, run, read, watch):
    app.command(cls=Command)(with_show_options(shows_ladder))
app.command(cls=Command)(why)
