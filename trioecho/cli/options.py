"""Options that several commands share: one name, one help text, one default."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trioecho.render import SUFFIXES
from trioecho.render.limits import FEW, SCREEN

FOLD = 200


class Sort(StrEnum):
    """The order of the table."""

    trouble = "trouble"
    number = "number"
    duration = "duration"
    bytes = "bytes"
    lost = "lost"


class Only(StrEnum):
    """The connections to show."""

    trouble = "trouble"


class OutputFormat(StrEnum):
    """The output format."""

    terminal = "terminal"
    json = "json"
    ladder = "ladder"


@dataclass(frozen=True)
class ShowOptions:
    """How to show a ladder: the options of every command that shows one."""

    output_format: Annotated[OutputFormat, typer.Option("--format", help="Output format.")] = (
        OutputFormat.terminal
    )
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write to this file; its suffix sets the format:"
            f" {', '.join(SUFFIXES)}. Repeatable.",
        ),
    ] = None
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Show absolute sequence numbers.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all header fields, and payloads in hex.")
    ] = False
    show_all: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Show every segment, and every row of a table. By default uneventful segments are"
            f" folded after {FOLD}, and runs of duplicate ACKs after three; on a terminal, a ladder"
            " that does not fit leaves out what is untroubled.",
        ),
    ] = False


def with_show_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command with a parameter ``show: ShowOptions`` an option for each of its fields.

    Typer builds options from a function's signature alone and has no groups of parameters, so this
    puts the fields into the signature that Typer reads.
    """
    shared = inspect.signature(ShowOptions).parameters
    own = inspect.signature(command, eval_str=True).parameters
    parameters = [one for name, one in own.items() if name != "show"] + [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shared.values()
    ]

    @functools.wraps(command)
    def run(**values: Any) -> None:
        show = ShowOptions(**{name: values.pop(name) for name in shared})
        command(**values, show=show)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _list_faults(texts: list[str] | None) -> list[str] | None:
    if texts and "help" in texts:
        from trioecho.faults.faults import listing

        typer.echo(listing(), nl=False)
        raise typer.Exit
    return texts


def complete_fault(incomplete: str) -> list[str]:
    """The shell completes a fault word by word; all of it is one argument, in quotes."""
    from trioecho.errors import TrioechoError
    from trioecho.faults.faults import completions

    try:
        found = completions(incomplete)
    except TrioechoError:  # it is too long
        return []
    return found + ["help"] * "help".startswith(incomplete)


FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="TEXT",
        callback=_list_faults,
        autocompletion=complete_fault,
        is_eager=True,
        help='A fault of the private wire, such as "drop syn-ack" or "delay 25ms"; "help" lists'
        " all. Repeatable.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Fail if a fault never matched a segment.")
]
SysctlOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sysctl",
        metavar="NAME=VALUE",
        help="A setting of the private hosts, such as net.ipv4.tcp_congestion_control=reno."
        " Repeatable.",
    ),
]
CallsOption = Annotated[
    bool, typer.Option("--calls/--no-calls", help="Show the socket calls of both ends.")
]
KernelOption = Annotated[
    bool,
    typer.Option(
        "--kernel",
        help="Show what each end's kernel says: rto, cwnd, ssthresh, congestion control, what held"
        " it up, and what waits to be acknowledged, to be read, to be accepted.",
    ),
]


RequestsOption = Annotated[
    bool,
    typer.Option(
        "--requests", help="Say what each request asks, and how long its answer takes, and why."
    ),
]
FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="pcap or pcapng files, plain or compressed; - is standard input.",
    ),
]
HostOption = Annotated[
    str | None, typer.Option(metavar="IP", help="Only show connections of this address.")
]
PortOption = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="Only show connections of this port."),
]
ConnectionOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Show the ladder of connection N.")
]
OnlyOption = Annotated[
    Only | None, typer.Option(help="Only show connections on which something went wrong.")
]
TableOption = Annotated[
    bool | None,
    typer.Option(
        "--table/--ladder",
        help="Show a table of connections, or a ladder of all segments.",
        show_default=f"a ladder; a table of more than {FEW} connections",
    ),
]
SortOption = Annotated[
    Sort | None,
    typer.Option(
        help="Sort the table by this, each connection in a row of its own; by lost, those first"
        " that lost most time to something that could be mended.",
        show_default="trouble, and one row for those that share one",
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Show at most N rows of the table.",
        show_default=f"as many as a screen holds, or {SCREEN} lines",
    ),
]


def sysctl_of(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    """The names and values given as ``--sysctl``.

    Raises:
        typer.BadParameter: one is no name and value.
    """
    pairs: list[tuple[str, str]] = []
    for text in given or ():
        name, _, value = text.partition("=")
        if not name.strip() or not value.strip():
            raise typer.BadParameter(
                f"{text!r} is no NAME=VALUE, such as net.ipv4.tcp_congestion_control=reno",
                param_hint="--sysctl",
            )
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def ip_of(host: str | None) -> str | None:
    """The address given as ``--host``, written as in frames.

    Raises:
        typer.BadParameter: it is not an IP address.
    """
    if host is None:
        return None
    from ipaddress import ip_address  # slow to import, and seldom needed

    try:
        return str(ip_address(host))
    except ValueError:
        raise typer.BadParameter(
            f"{host!r} is not an IP address, such as 192.0.2.1 or 2001:db8::1", param_hint="--host"
        ) from None
