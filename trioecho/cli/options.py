"""Options that several commands share, with one wording."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trioecho.render import SUFFIXES

FOLD = 200


class Format(StrEnum):
    """What standard output gets."""

    terminal = "terminal"
    json = "json"
    ladder = "ladder"


FormatOption = Annotated[Format, typer.Option("--format", help="What standard output gets.")]
OutputOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"Write to this file too: {', '.join(SUFFIXES)}. Repeatable.",
    ),
]
AbsoluteOption = Annotated[bool, typer.Option("--absolute", help="Show the raw sequence numbers.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show each header field, and payloads in hex.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help=f"Fold nothing, however long it gets (default: after {FOLD}).")
]
FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="TEXT",
        help='What a private wire does, such as "drop syn-ack" or "delay 25ms". Repeatable.',
    ),
]
CallsOption = Annotated[
    bool, typer.Option("--calls/--no-calls", help="Show the socket calls of both ends.")
]
KernelOption = Annotated[
    bool,
    typer.Option("--kernel", help="Show what the kernel says of each end: rto, cwnd, in flight."),
]


def ip_of(host: str | None) -> str | None:
    """The address that ``--host`` names, as frames have it; a usage error when it is none."""
    if host is None:
        return None
    from ipaddress import ip_address  # not for every command's start

    try:
        return str(ip_address(host))
    except ValueError:
        raise typer.BadParameter(
            f"{host!r} is no IP address, such as 192.0.2.1 or 2001:db8::1", param_hint="--host"
        ) from None
