"""Draws the rooms on their floors, with arrows for the imports, read from the code."""

from __future__ import annotations

from collections import defaultdict
from html import escape

from test_floors import FLOORS, PACKAGE, room

_HEIGHT, _ROOM, _GAP, _LEFT = 78, 104, 14, 40
_PURE = {"model", "errors", "text", "packet", "tcp", "faults", "render"}


def arrows() -> set[tuple[str, str]]:
    """Which room imports which, as the code says: (importer, imported)."""
    found = {
        (room(module), room(other))
        for module, others in PACKAGE.edges().items()
        for other in others
    }
    return {(own, other) for own, other in found if own != other and "trioecho" not in (own, other)}


def plain(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Only the arrows that no longer path implies, to keep the picture readable."""
    below = defaultdict(set)
    for own, other in found:
        below[own].add(other)

    def reached(start: str) -> set[str]:
        more = set(below[start])
        for one in below[start]:
            more |= reached(one)
        return more

    return {
        (own, other)
        for own, other in found
        if not any(other in reached(between) for between in below[own] - {other})
    }


def picture() -> str:
    """The rooms as an SVG that takes its colours from the page."""
    floors = defaultdict(list)
    for name, floor in FLOORS.items():
        if name != "trioecho":
            floors[floor].append(name)
    top = max(floors)
    width = _LEFT + max(map(len, floors.values())) * (_ROOM + _GAP)
    places: dict[str, tuple[float, float]] = {}
    for floor, names in floors.items():
        wide = len(names) * _ROOM + (len(names) - 1) * _GAP
        for at, name in enumerate(names):
            x = (_LEFT + width - wide) / 2 + at * (_ROOM + _GAP)
            places[name] = (x, 12 + (top - floor) * _HEIGHT)
    shown = sorted(plain(arrows()))
    parts = []
    for own, other in shown:
        (x1, y1), (x2, y2) = places[own], places[other]
        x1, x2, y1 = x1 + _ROOM / 2, x2 + _ROOM / 2, y1 + 34
        bend = (y2 - y1) / 2
        parts.append(
            f'<path d="M{x1:.0f} {y1}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f}'
            f' {x2:.0f} {y2}"><title>{escape(own)} imports {escape(other)}</title></path>'
        )
    for floor in floors:
        parts.append(f'<text x="8" y="{33 + (top - floor) * _HEIGHT}" class="floor">{floor}</text>')
    for name, (x, y) in places.items():
        pure = ' class="pure"' if name in _PURE else ""
        parts.append(
            f'<g{pure}><rect x="{x:.0f}" y="{y}" width="{_ROOM}" height="34" rx="6"/>'
            f'<text x="{x + _ROOM / 2:.0f}" y="{y + 22}" text-anchor="middle">{escape(name)}'
            "</text></g>"
        )
    said = "; ".join(f"{own} imports {other}" for own, other in shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width}'
        f' {(top + 1) * _HEIGHT}"><title>The rooms of trioecho on their floors</title>'
        f"<desc>{escape(said)}</desc>{''.join(parts)}</svg>"
    )
