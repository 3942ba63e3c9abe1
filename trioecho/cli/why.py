"""``trioecho why``: where a connection's time went."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from trioecho.cli.options import FilesArgument, HostOption, PortOption, ip_of


class AccountFormat(StrEnum):
    """How to show an account."""

    terminal = "terminal"
    json = "json"


def why(
    files: FilesArgument,
    connection: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only connection N.")
    ] = None,
    host: HostOption = None,
    port: PortOption = None,
    limit: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Of many connections show the N that lost most; of requests, the N slowest.",
        ),
    ] = 20,
    requests: Annotated[
        bool,
        typer.Option(
            "--requests",
            help="Show the requests: HTTP, TLS, DNS, and the turns of any other talk.",
        ),
    ] = False,
    output_format: Annotated[
        AccountFormat, typer.Option("--format", help="Output format.")
    ] = AccountFormat.terminal,
) -> None:
    """Say where a connection's time went, whose fault that is, and what to change.

    At each moment exactly one cause has the time, so the shares add up to the whole. A cause is
    proven (by the segments or by our wire), inferred, or unknown. Of up to three connections a
    strip shows which cause held when, a letter for each.

    Examples:

      trioecho why slow.pcapng

      trioecho why big.pcap.gz --connection 7

      trioecho run --server ./server --client ./client -o run.pcapng

      trioecho why run.pcapng --requests

      trioecho why run.pcapng --format json
    """
    from trioecho.cli.runner import run_blocking
    from trioecho.cli.why_files import Question, why_files
    from trioecho.model.selection import Selection

    selection = Selection(connection, ip_of(host), port)
    question = Question(files, selection, limit, as_json=output_format is AccountFormat.json)
    if requests:
        from trioecho.cli.why_requests import requests_of_files

        run_blocking(lambda: requests_of_files(question))
    else:
        run_blocking(lambda: why_files(question))
