"""``trioecho read``: capture files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from os.path import samestat
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import OutputFormat, ShowOptions, ip_of

if TYPE_CHECKING:
    from pathlib import Path


class Sort(StrEnum):
    """The order of the table."""

    trouble = "trouble"
    number = "number"
    duration = "duration"
    bytes = "bytes"


class Only(StrEnum):
    """The connections to show."""

    trouble = "trouble"


def read(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="pcap or pcapng files, plain or compressed; - is standard input.",
        ),
    ],
    connection: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show the ladder of connection N.")
    ] = None,
    follow: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Show the bytes that both ends of connection N sent."
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="IP", help="Only show connections of this address.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Only show connections of this port."),
    ] = None,
    only: Annotated[
        Only | None, typer.Option(help="Only show connections on which something went wrong.")
    ] = None,
    sort: Annotated[
        Sort | None, typer.Option(help="Sort the table by this.", show_default="trouble")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show at most N rows of the table.")
    ] = None,
    *,
    show: ShowOptions,
) -> None:
    """Read capture files: the ladder of one connection, or a table of many.

    With --follow, -o FILE.raw writes the bytes to FILE.client.raw and FILE.server.raw.

    Examples:

      trioecho read trace.pcapng

      trioecho read big.pcap.gz --only trouble

      trioecho read big.pcap.gz --connection 7

      trioecho read big.pcap.gz --follow 7 -o stream.raw

      tcpdump -w - tcp | trioecho read - --format json
    """
    from trioecho.cli.read_files import Request, read_files
    from trioecho.cli.read_follow import raw_paths
    from trioecho.cli.runner import run_blocking
    from trioecho.cli.screen import Screen
    from trioecho.reading.reading import Selection

    if (limit or sort) and (
        show.output_format is not OutputFormat.terminal
        or connection is not None
        or follow is not None
    ):
        raise typer.BadParameter(
            "it is for the table of connections; leave out --format, --connection and --follow",
            param_hint="--limit" if limit else "--sort",
        )
    screen = Screen(
        show, several=False, several_in_files=connection is None, raw=follow is not None
    )
    _check_written(screen.paths if follow is None else raw_paths(screen.paths), files)
    if follow is not None:
        _check_follow(connection, show.output_format, len(files) > 1 and bool(screen.paths))
    selection = Selection(follow or connection, ip_of(host), port, only_trouble=only is not None)
    order = sort or Sort.trouble
    request = Request(files, selection, order.value, limit, follow is not None, screen)
    run_blocking(lambda: read_files(request))


def _check_written(paths: Sequence[Path], files: Sequence[str]) -> None:
    """Refuse to overwrite a file that is read, or to write several files into one picture."""
    from trioecho.render import AT_THE_END

    read = [status for status in map(_status, files) if status is not None]
    for path in paths:
        if path.exists() and any(samestat(path.stat(), one) for one in read):
            raise typer.BadParameter(
                f"{str(path)!r} is an input file and would be overwritten", param_hint="--output"
            )
        if path.suffix in AT_THE_END and len(files) > 1:
            raise typer.BadParameter(
                f"{str(path)!r} is a picture of one file; give only one FILE", param_hint="--output"
            )


def _check_follow(connection: int | None, output_format: OutputFormat, many: bool) -> None:
    if output_format is not OutputFormat.terminal:
        raise typer.BadParameter(
            "--follow shows bytes; to write them to files, use -o NAME.raw", param_hint="--format"
        )
    if many:
        raise typer.BadParameter(
            "-o writes the streams of one file; give only one FILE", param_hint="--follow"
        )
    if connection is not None:
        raise typer.BadParameter(
            "use either --connection for a ladder or --follow for bytes", param_hint="--follow"
        )


def _status(name: str) -> os.stat_result | None:
    try:
        return os.fstat(0) if name == "-" else os.stat(name)
    except OSError:
        return None
