"""A strip over time of what held a connection up: a letter for each column, a scale, a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from trioecho.account.account import ORDINARY, Account
from trioecho.account.causes import CAUSES
from trioecho.account.strip import Held, Strip
from trioecho.render.colors import Style, paint
from trioecho.text import seconds

_APART = 14  # columns between two marks of the scale, at least
_BETWEEN = "   "  # two entries of the legend


def strip(account: Account, over: Strip, width: int, *, color: bool = False) -> Iterator[str]:
    """The lines of a strip: letters, a scale of time, and what the letters mean.

    A letter is the cause that had most of its column, in lower case where it is put down to the
    client. It is coloured by where the cause lies.

    Args:
        account: the connection's account.
        over: what its time went to, moment by moment.
        width: the terminal's columns.
        color: whether ANSI colours may be used.
    """
    columns = over.columns(width, account.duration)
    yield "".join(
        paint(letter * len(list(same)), style) if color else letter * len(list(same))
        for (letter, style), same in groupby(map(_drawn, columns))
    )
    yield _scale(account.duration, width)
    yield from _legend(account, set(columns), width, color=color)


def _drawn(held: Held | None) -> tuple[str, Style]:
    """The letter of a column, and its style."""
    if held is None:
        return " ", ""
    cause, blamed = held
    letter = CAUSES[cause].letter
    if cause in ORDINARY:
        return letter, "quiet"
    if blamed == "path":
        return letter, "trouble"
    return (letter.lower() if blamed == "client" else letter), blamed


def _scale(duration: int, width: int) -> str:
    """Marks at round times, each with its time."""
    line = ""
    for time in range(0, duration, _step(duration * _APART / width)):
        mark = f"|{seconds(time) if time else '0'}"
        place = time * width // duration
        if place + len(mark) <= width:
            line = f"{line:<{place}}{mark}"
    return line


def _step(least: float) -> int:
    """A round number of nanoseconds, of at least so many."""
    power = 1
    while True:
        for times in (1, 2, 5):
            if times * power >= least:
                return times * power
        power *= 10


def _legend(account: Account, shown: set[Held | None], width: int, *, color: bool) -> Iterator[str]:
    entries: dict[str, Style] = {}
    for cost in account.costs:
        if (cost.cause, cost.end) in shown:
            letter, style = _drawn((cost.cause, cost.end))
            end = "" if cost.cause in ORDINARY or cost.end == "path" else f"{cost.end} "
            entries.setdefault(f"{letter} {end}{cost.cause}", style)
    line: Sequence[str] = ()
    for entry in entries:
        if line and len(_BETWEEN.join((*line, entry))) > width:
            yield _joined(line, entries, color=color)
            line = ()
        line = (*line, entry)
    if line:
        yield _joined(line, entries, color=color)


def _joined(line: Sequence[str], styles: dict[str, Style], *, color: bool) -> str:
    return _BETWEEN.join(paint(one, styles[one]) if color else one for one in line)
