"""Which connections a command shows, and whether as a ladder or a table: what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import typer

from trioecho.cli.options import OutputFormat, ShowOptions
from trioecho.cli.stdout import height
from trioecho.errors import TrioechoError
from trioecho.model.selection import Selection
from trioecho.render.overview import As, Overview
from trioecho.render.table import Order
from trioecho.text import plural

if TYPE_CHECKING:
    from trioecho.cli.options import Only, Sort
    from trioecho.render import Renderer

_HINT = (
    "--connection N shows one as a ladder, --ladder all; -o FILE.pcapng keeps all for trioecho read"
)


class Pick(NamedTuple):
    """The user's options.

    Args:
        selection: which connections.
        table: whether to show a table of them; None lets their number decide.
        order: of the table.
    """

    selection: Selection
    table: bool | None
    order: Order

    @property
    def everything(self) -> bool:
        """Whether every connection is shown."""
        return self.selection.everything and not self.selection.only_trouble


def pick(
    show: ShowOptions,
    *,
    connection: int | None,
    only: Only | None,
    table: bool | None,
    sort: Sort | None,
    limit: int | None,
    host: str | None = None,
    port: int | None = None,
) -> Pick:
    """What was asked for; asking for an order asks for a table.

    Raises:
        typer.BadParameter: options that contradict each other.
    """
    given = {"--limit": limit, "--sort": sort, "--table/--ladder": table}
    for option, value in given.items():
        if value is None:
            continue
        if show.output_format is not OutputFormat.terminal:
            raise typer.BadParameter(
                "it is for the table of connections and requires --format terminal",
                param_hint=option,
            )
        if connection is not None and value is not False:
            raise typer.BadParameter(
                "it is for the table of connections; leave out --connection", param_hint=option
            )
        if table is False and value is not False:
            raise typer.BadParameter("it is for a table; leave out --ladder", param_hint=option)
    if table is None and (sort or limit):
        table = True
    return Pick(
        Selection(connection, host, port, only_trouble=only is not None),
        table,
        Order(sort.value if sort else None, limit, every=show.show_all, height=height()),
    )


def check_there(wanted: int | None, count: int, where: str, *, instead: str = "none") -> None:
    """Check that there is a connection of a number, among ``count``.

    Raises:
        TrioechoError: there is none.
    """
    if wanted is not None and wanted > count:
        there = plural(count, "connection") if count else instead
        verb = "is" if count < 2 else "are"
        raise TrioechoError(f"{where} has no connection {wanted}: there {verb} {there}")


def with_overview(terminal: Renderer, picked: Pick) -> tuple[Renderer, Callable[[], bytes] | None]:
    """A renderer that shows few connections as a ladder and more as a table.

    Returns:
        It, and what makes it decide, where it waits for that.
    """
    from trioecho.render.terminal import Terminal

    if picked.selection.connection is not None:
        return terminal, None
    assert isinstance(terminal, Terminal)
    shows: dict[bool | None, As] = {None: "held", True: "table", False: "ladder"}
    overview = Overview(
        terminal,
        shows=shows[picked.table],
        cuts=picked.table is None,
        order=picked.order,
        hint=_HINT,
    )
    waits = picked.table is None and not picked.selection.only_trouble
    return overview, overview.decide if waits else None
