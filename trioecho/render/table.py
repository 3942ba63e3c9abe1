"""A table of connections: what several share, then each with its figures and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from trioecho.model import ConnectionSummary
from trioecho.render.colors import Style
from trioecho.render.groups import Group, grouped
from trioecho.render.headlines import Ask, headlines
from trioecho.render.limits import room
from trioecho.render.totals import repeated, round_trips
from trioecho.text import bytes_of, plural, printable, seconds, wrapped

if TYPE_CHECKING:
    from trioecho.account import Account

_HEADING = (
    f"{'#':>6} {'start s':>10} {'lasted s':>10} {'handshake':>9} {'sent B':>10} {'segs':>6}"
    f" {'got B':>10} {'segs':>6}"
)

#: The orders a table can have; trouble first, since that is what people look for.
SORTS: dict[str, Callable[[ConnectionSummary], tuple[int, ...]]] = {
    "trouble": lambda one: (-one.troubles, not one.failed, one.number),
    "number": lambda one: (one.number,),
    "duration": lambda one: (one.start - one.end, one.number),
    "bytes": lambda one: (-one.client_bytes - one.server_bytes, one.number),
}
#: The one more order, which needs every connection's account.
LOST = "lost"

# Lines that a row has at least.
_LEAST = 3

Lines: TypeAlias = list[tuple[str, Style]]


class Order(Struct, frozen=True):
    """What a table shows, and in which order.

    Args:
        sort: one of ``SORTS``, or ``LOST`` for those first that lost most time; None groups the
            connections that share a trouble, on top, and sorts the others by trouble.
        limit: the most rows; None for as many as fit on a screen.
        every: whether to show each connection in a row of its own, however many there are.
        height: the screen's lines; None where the table is not for one.
    """

    sort: str | None = None
    limit: int | None = None
    every: bool = False
    height: int | None = None


def table(
    connections: Sequence[ConnectionSummary],
    start: int,
    width: int,
    order: Order | None = None,
    ask: Ask | None = None,
) -> Iterator[tuple[str, Style]]:
    """The lines of a table of connections.

    Args:
        connections: the connections.
        start: the time that counts as zero.
        width: the screen's columns.
        order: what it shows, and in which order.
        ask: gives accounts; it is asked for those of the rows that may be shown, and for all only
            where they decide the order.
    """
    order, ask = order or Order(), ask or _none
    groups: list[Group] = []
    singles = connections
    if order.sort is None and not order.every:
        groups, singles = grouped(connections)
    accounts: Mapping[int, Account] = {}
    if order.sort == LOST:
        accounts = ask(singles)
        rows = sorted(singles, key=lambda one: (-_lost(accounts, one), one.number))
    else:
        rows = sorted(singles, key=SORTS[order.sort or "trouble"])
        accounts = ask(rows[: _most(order, width)])
    said = headlines(accounts.values())
    left, shown, lines = len(connections), 0, 0
    headed = width < len(_HEADING)
    entries: list[Group | ConnectionSummary] = [*groups, *rows]
    for entry in entries:
        if isinstance(entry, Group):
            drawn, count = _group(entry, start, width), len(entry.connections)
        else:
            drawn, count = _row(entry, start, width, said.get(entry.number, "")), 1
            if not headed:
                drawn.insert(0, (_HEADING, "strong"))
        lines += len(drawn)
        if not _fits(order, shown, lines, width):
            break
        headed = headed or not isinstance(entry, Group)
        yield from drawn
        left, shown = left - count, shown + 1
    if left:
        rest = [*(one for group in groups for one in group.connections), *rows][-left:]
        troubled = sum(one.failed for one in rest) or "none"
        text = f"and {plural(left, 'connection')} more, {troubled} with trouble; --all shows each"
        yield from ((line, "strong") for line in wrapped(text, width))


def _none(connections: Sequence[ConnectionSummary]) -> Mapping[int, Account]:
    return {}


def _lost(accounts: Mapping[int, Account], one: ConnectionSummary) -> int:
    return accounts[one.number].lost if one.number in accounts else 0


def _most(order: Order, width: int) -> int | None:
    """How many rows there can be at most; None for all."""
    if order.limit is not None:
        return order.limit
    return None if order.every else 1 + room(order.height, width) // _LEAST


def _fits(order: Order, shown: int, lines: int, width: int) -> bool:
    """Whether there is room for one more row, which would make it so many lines."""
    if order.limit is not None:
        return shown < order.limit
    return order.every or not shown or lines <= room(order.height, width)


def _group(group: Group, start: int, width: int) -> Lines:
    lines: Lines = [(line, "trouble") for line in wrapped(group.title, width, later="  ")]
    lines += [(f"{'':6} {line}", "quiet") for line in wrapped(group.which(start), width - 7)]
    return lines + [(f"{'':6} {line}", "trouble") for line in wrapped(group.reason, width - 7)]


def _row(one: ConnectionSummary, start: int, width: int, headline: str) -> Lines:
    within = f" in {one.tunnel}" if one.tunnel else ""
    named = wrapped(f"{one.client} -> {one.server}{within}", width - 7)
    lines: Lines = [(f"{one.number:>6} {named[0]}", "call")]
    lines += [(f"{'':6} {line}", "call") for line in named[1:]]
    lines += [(f"{'':6} {line}", "strong") for line in wrapped(headline, width - 7)]
    took = "-" if one.handshake_time is None else seconds(one.handshake_time)
    since, lasted = (one.start - start) / 1e9, (one.end - one.start) / 1e9
    figures = [
        f"{since:10.6f} {lasted:10.6f} {took:>9}"
        f" {one.client_bytes:>10} {one.client_segments:>6}"
        f" {one.server_bytes:>10} {one.server_segments:>6}"
    ]
    if width < len(_HEADING):
        figures = wrapped(_in_words(one, since, lasted, took), width - 7)
    lines += [(f"{'':6} {line}", "") for line in figures]
    held = ((one.client_process, "client"), (one.server_process, "server"))
    known = ", ".join(f"{end} {process}" for process, end in held if process)
    lines += [(f"{'':6} {line}", "call") for line in wrapped(known, width - 7)]
    words = [one.completeness, *repeated(one)]
    if one.resets:
        words.append(plural(one.resets, "reset"))
    words += round_trips(one)
    lines += [(f"{'':6} {line}", "quiet") for line in wrapped("; ".join(words), width - 7)]
    more = f" (and {one.troubles - 1:,} more)" if one.troubles > 1 else ""
    trouble = wrapped(printable(one.first_trouble) + more, width - 7)
    return lines + [(f"{'':6} {line}", "trouble") for line in trouble]


def _in_words(one: ConnectionSummary, since: float, lasted: float, took: str) -> str:
    return (
        f"start {since:.6f} s, lasted {lasted:.6f} s, handshake {took},"
        f" sent {bytes_of(one.client_bytes)} in {plural(one.client_segments, 'segment')},"
        f" got {bytes_of(one.server_bytes)} in {plural(one.server_segments, 'segment')}"
    )
