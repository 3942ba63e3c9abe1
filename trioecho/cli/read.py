"""``trioecho read``: capture files."""

from __future__ import annotations

import os
from enum import StrEnum
from os.path import samestat
from typing import Annotated

import typer

from trioecho.cli.options import (
    FOLD,
    AbsoluteOption,
    AllOption,
    Format,
    FormatOption,
    OutputOption,
    VerboseOption,
    ip_of,
)


class Sort(StrEnum):
    """How the table is sorted."""

    trouble = "trouble"
    number = "number"
    duration = "duration"
    bytes = "bytes"


class Only(StrEnum):
    """Which connections to show."""

    trouble = "trouble"


def read(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="pcap or pcapng, plain, gzip'd or zstd'd; - reads standard input.",
        ),
    ],
    connection: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show the ladder of this one.")
    ] = None,
    follow: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Show the bytes both ends of this one sent."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="IP", help="Only connections of this address.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Only connections with this port.")
    ] = None,
    only: Annotated[
        Only | None, typer.Option(help="Only connections on which something went wrong.")
    ] = None,
    sort: Annotated[
        Sort | None,
        typer.Option(help="What the table is sorted by; by trouble if nothing is said."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show at most this many in the table.")
    ] = None,
    output_format: FormatOption = Format.terminal,
    output: OutputOption = None,
    absolute: AbsoluteOption = False,
    verbose: VerboseOption = False,
    show_all: AllOption = False,
) -> None:
    """Read capture files: a ladder of one connection, or a table of many.

    With --follow, -o FILE.raw writes the bytes: FILE.client.raw and FILE.server.raw.

    Examples:

      trioecho read trace.pcapng

      trioecho read big.pcap.gz --only trouble

      trioecho read big.pcap.gz --connection 7

      tcpdump -w - tcp | trioecho read - --format json
    """
    from trioecho.cli.following import raw_paths
    from trioecho.cli.readout import Readout, Request
    from trioecho.cli.runner import run_blocking
    from trioecho.cli.screen import Screen, check_suffixes
    from trioecho.reading.reading import Selection
    from trioecho.render import AT_THE_END

    if (limit or sort) and (output_format is not Format.terminal or connection or follow):
        raise typer.BadParameter(
            "it is for the table of connections, and none was asked for",
            param_hint="--limit" if limit else "--sort",
        )
    paths = check_suffixes(output or [], raw=follow is not None)
    for path in paths if follow is None else raw_paths(paths):
        if path.exists() and any(
            read is not None and samestat(path.stat(), read) for read in map(_status, files)
        ):
            raise typer.BadParameter(
                f"{str(path)!r} is read and would be overwritten", param_hint="--output"
            )
        if path.suffix in AT_THE_END and len(files) > 1:
            raise typer.BadParameter(
                f"{str(path)!r} takes the picture of one file", param_hint="--output"
            )
    if follow is not None and output_format is not Format.terminal:
        raise typer.BadParameter(
            "--follow shows bytes; -o FILE.raw writes them as they are", param_hint="--format"
        )
    if follow is not None and paths and len(files) > 1:
        raise typer.BadParameter("-o takes the streams of one file", param_hint="--follow")
    if follow is not None and connection is not None:
        raise typer.BadParameter(
            "--connection shows a ladder, --follow bytes", param_hint="--follow"
        )
    screen = Screen(
        format=output_format.value,
        absolute=absolute,
        verbose=verbose,
        calls=False,
        fold=None if show_all else FOLD,
        several=False,
        several_in_files=connection is None,
    )
    selection = Selection(follow or connection, ip_of(host), port, only_trouble=only is not None)
    request = Request(
        files, selection, (sort or Sort.trouble).value, limit, follow is not None, screen, paths
    )
    run_blocking(lambda: Readout(request).run())


def _status(name: str) -> os.stat_result | None:
    """What a file is, by its name; None where there is none."""
    try:
        return os.fstat(0) if name == "-" else os.stat(name)
    except OSError:
        return None
