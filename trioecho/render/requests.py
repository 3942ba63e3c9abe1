"""Requests: as a table for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from trioecho.account.causes import CAUSES
from trioecho.model.spread import Spread
from trioecho.render.colors import Style
from trioecho.requests import Request
from trioecho.text import plural, printable, seconds, wrapped

#: From so many columns on, the cause stands in the same line.
WIDE = 120
_LEAST_TEXT, _MOST_TEXT = 18, 60
#: Columns for the causes there.
_WHY = 40
#: How many causes of a request are named, and from which share of it on.
_MOST_CAUSES, _WORTH_NAMING = 3, 0.1


class _Column(NamedTuple):
    title: str
    of: Callable[[Request], str]
    always: bool = False


def _time(value: int | None) -> str:
    return seconds(value) if value else ""


_COLUMNS = (
    _Column("#", lambda one: f"{one.number}", True),
    _Column("conn", lambda one: f"{one.connection or ''}"),
    _Column("request", lambda one: printable(one.said), True),
    _Column("status", lambda one: printable(one.status)),
    _Column("bytes", lambda one: f"{one.received:,}", True),
    _Column("lookup", lambda one: _time(one.lookup)),
    _Column("queue", lambda one: _time(one.queue)),
    _Column("connect", lambda one: _time(one.connect)),
    _Column("TLS", lambda one: _time(one.handshake)),
    _Column("server", lambda one: _time(one.thought) if one.asker == "client" else ""),
    _Column("transfer", lambda one: _time(one.transfer)),
    _Column("total", lambda one: _time(one.total) or "no end", True),
)
_LEFT = ("request", "status")
#: Which columns go below the row, in this order, where there is too little room.
_BELOW = ("bytes", "transfer", "lookup", "queue", "TLS", "connect", "status")


def causes(request: Request) -> list[str]:
    """The causes of the account that fell into a request, in words, those that took most first."""
    whole = sum(request.costs.values())
    return [
        f"{name}{'' if end == 'path' else f' of the {end}'}: {seconds(time)}"
        for name, end, time in request.causes[:_MOST_CAUSES]
        if time >= whole * _WORTH_NAMING
    ]


def table(requests: Sequence[Request], width: int) -> Iterator[tuple[str, Style]]:
    """Requests, a row each; a column in which nothing would stand is left out.

    Args:
        requests: the requests, in their order.
        width: the terminal's columns.

    Returns:
        The lines, each with its style.
    """
    rows = [{one.title: one.of(request) for one in _COLUMNS} for request in requests]
    widths = {
        one.title: max([len(one.title), *(len(row[one.title]) for row in rows)])
        for one in _COLUMNS
        if one.always or any(row[one.title] for row in rows)
    }
    wide = width >= WIDE
    below = [title for title in _BELOW if title in widths]
    moved: list[str] = []
    while (room := _room(widths, width - _WHY * wide)) < _LEAST_TEXT and below:
        moved.append(below.pop(0))
        del widths[moved[-1]]
    widths["request"] = max(_LEAST_TEXT, min(widths["request"], room, _MOST_TEXT))
    heading = _line({title: title for title in widths}, widths)
    yield (f"{heading}  causes" if wide else heading.rstrip()), "strong"
    for request, row in zip(requests, rows, strict=True):
        why = causes(request)
        if wide and not moved:
            while len(", ".join(why)) > _WHY - 2 and len(why) > 1:
                why.pop()
            yield f"{_line(row, widths)}  {', '.join(why)}".rstrip(), _style(request)
            continue
        yield _line(row, widths).rstrip(), _style(request)
        rest = [f"{title} {row[title]}" for title in moved if row[title]]
        indent = widths["#"] + 2
        for line in wrapped("; ".join(filter(None, (", ".join(why), *rest))), width - indent):
            yield f"{'':{indent}}{line}", "quiet"


def _room(widths: Mapping[str, int], width: int) -> int:
    """The columns that are left for what is asked."""
    return width - sum(widths.values()) + widths["request"] - 2 * (len(widths) - 1)


def _line(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return "  ".join(_fit(row[title], size, left=title in _LEFT) for title, size in widths.items())


def _fit(cell: str, width: int, *, left: bool) -> str:
    if len(cell) > width:
        cell = cell[: width - 1] + "…"
    return f"{cell:<{width}}" if left else f"{cell:>{width}}"


def _style(request: Request) -> Style:
    failed = request.status[:1] in ("4", "5") or not request.whole
    return "trouble" if failed else ""


class Totals:
    """What all requests come to, in bounded memory."""

    def __init__(self) -> None:
        self._count = 0
        self._spread = Spread()
        self._causes: dict[str, int] = {}
        self._time = 0

    def add(self, request: Request) -> None:
        """Count a request."""
        self._count += 1
        if request.total is not None:
            self._spread.add(request.total)
        for (name, end), time in request.costs.items():
            self._time += time
            key = CAUSES[name].says(end)
            self._causes[key] = self._causes.get(key, 0) + time

    def lines(self, width: int) -> Iterator[tuple[str, Style]]:
        """All of them in a sentence or two."""
        half, most = self._spread.quantile(0.5), self._spread.quantile(0.95)
        text = plural(self._count, "request")
        if self._count == 1 and half is not None:
            text += f": it took {seconds(half)}"
        elif half is not None and most is not None:
            text += f": half took at most {seconds(half)}, 95 % at most {seconds(most)}"
        yield from ((line, "strong") for line in wrapped(text, width))
        if self._causes:
            name = max(self._causes, key=self._causes.__getitem__)
            text = f"{seconds(self._causes[name])} of {seconds(self._time)}: {name}"
            yield from ((line, "strong") for line in wrapped(text, width))


def as_json(request: Request) -> bytes:
    """A request as a line of JSON, with times in seconds."""
    asked_by_client = request.asker == "client"
    return msgspec.json.encode(
        {
            "type": "request",
            "number": request.number,
            "connection": request.connection,
            "stream": request.stream,
            "client": str(request.client),
            "server": str(request.server),
            "protocol": request.protocol,
            "asker": request.asker,
            "request": request.said,
            "host": request.host,
            "status": request.status,
            "tls": request.tls,
            "alpn": request.alpn,
            "sent": request.sent,
            "received": request.received,
            "whole": request.whole,
            "start": request.begin / 1e9,
            "times": {
                "lookup": _seconds(request.lookup),
                "connect": _seconds(request.connect),
                "tls": _seconds(request.handshake),
                "queue": _seconds(request.queue),
                "server": _seconds(request.thought) if asked_by_client else None,
                "client": None if asked_by_client else _seconds(request.thought),
                "path": _seconds(request.path),
                "first_byte": _seconds(request.after),
                "transfer": _seconds(request.transfer),
                "total": _seconds(request.total),
            },
            "phases": {name: _seconds(time) for name, time in request.phases.items()},
            "rungs": request.rungs,
            "causes": [
                {"cause": name, "end": end, "time": time / 1e9}
                for (name, end), time in sorted(request.costs.items(), key=lambda one: -one[1])
            ],
        }
    )


def _seconds(time: int | None) -> float | None:
    return None if time is None else time / 1e9
