"""``trioecho read``: capture files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os.path import samestat
from typing import TYPE_CHECKING, Annotated

import typer

from trioecho.cli.options import (
    ConnectionOption,
    FilesArgument,
    HostOption,
    LimitOption,
    OnlyOption,
    OutputFormat,
    PortOption,
    RequestsOption,
    ShowOptions,
    SortOption,
    TableOption,
    ip_of,
)

if TYPE_CHECKING:
    from pathlib import Path


def read(
    files: FilesArgument,
    connection: ConnectionOption = None,
    follow: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Show the bytes that both ends of connection N sent."
        ),
    ] = None,
    host: HostOption = None,
    port: PortOption = None,
    only: OnlyOption = None,
    table: TableOption = None,
    sort: SortOption = None,
    limit: LimitOption = None,
    requests: RequestsOption = False,
    *,
    show: ShowOptions,
) -> None:
    """Read capture files: the ladder of a few connections, or a table of many.

    A table shows connections of one server that share a trouble in one row, on top.
    With --follow, -o FILE.raw writes the bytes to FILE.client.raw and FILE.server.raw.

    Examples:

      trioecho read trace.pcapng

      trioecho read big.pcap.gz --only trouble

      trioecho read big.pcap.gz --connection 7

      trioecho read big.pcap.gz --connection 7 --requests

      trioecho read big.pcap.gz --follow 7 -o stream.raw

      tcpdump -w - tcp | trioecho read - --format json
    """
    from msgspec.structs import replace

    from trioecho.cli.pick import pick
    from trioecho.cli.read_files import Request, read_files
    from trioecho.cli.read_follow import raw_paths
    from trioecho.cli.runner import run_blocking
    from trioecho.cli.screen import Screen
    from trioecho.render.limits import FEWEST

    if follow is not None and requests:
        raise typer.BadParameter("--follow shows bytes, and no requests", param_hint="--follow")
    if follow is not None and (limit or sort or table is not None):
        raise typer.BadParameter("--follow shows bytes, and no table", param_hint="--follow")
    picked = pick(
        show,
        connection=connection,
        only=only,
        table=table,
        sort=sort,
        limit=limit,
        host=ip_of(host),
        port=port,
    )
    screen = Screen(show, raw=follow is not None, least=FEWEST)
    _check_written(screen.paths if follow is None else raw_paths(screen.paths), files)
    if follow is not None:
        _check_follow(connection, show.output_format, len(files) > 1 and bool(screen.paths))
    if follow is not None:
        picked = picked._replace(selection=replace(picked.selection, connection=follow))
    request = Request(files, picked, follow is not None, screen, requests)
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
