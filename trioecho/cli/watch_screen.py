"""What ``trioecho watch`` shows on standard output: a ladder, then a table of many connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trioecho.cli.stderr import warn
from trioecho.cli.stdout import redraws
from trioecho.cli.watch_table import LiveTable
from trioecho.render import Renderer
from trioecho.render.overview import As, Overview
from trioecho.render.table import Order
from trioecho.render.terminal import Terminal
from trioecho.stage.outputs import Output
from trioecho.text import printable
from trioecho.watch import Audience, Taps, Wanted

_HINT = "-o FILE.pcapng keeps all for trioecho read"


def title(taps: Taps, wanted: Wanted) -> str:
    """The ladder's title, such as ``watching lo, eth0; port 443``."""
    names = ", ".join(map(printable, taps.names))
    only = printable(str(wanted))
    return f"watching {names}; {only}" if only else f"watching {names}"


def audience(outputs: Sequence[Output], is_text: bool) -> Audience:
    """Outputs as the watch wants them; on a terminal, with a live table."""
    if not is_text:
        return Audience(outputs, say=warn)
    first, *others = outputs
    return Audience(others, first, LiveTable() if redraws() else None, warn)


def with_table(order: Order, *, only: bool) -> Callable[[Renderer], Renderer]:
    """Makes a terminal's renderer end with a table of more than a few connections.

    ``only``: whether there is a table and no ladder, however few there are.
    """

    def wrap(terminal: Renderer) -> Renderer:
        assert isinstance(terminal, Terminal)
        shows: As = "table" if only else "ladder"
        return Overview(terminal, shows=shows, cuts=False, order=order, hint=_HINT)

    return wrap
