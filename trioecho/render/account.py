"""Accounts of a connection's time: as lines for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from trioecho.account.account import Account, Cost, places
from trioecho.account.causes import CAUSES, FEW_LOSSES
from trioecho.account.losses import Lost
from trioecho.account.strip import Strip
from trioecho.model import ConnectionSummary
from trioecho.render.colors import Style
from trioecho.render.groups import Group, outcome
from trioecho.render.strip import strip
from trioecho.text import seconds, wrapped

Line = tuple[str, Style]

BAR = 20
#: Below so many columns there is no bar.
NARROW = 64
#: Causes below this share of the time get no advice.
_WORTH_ADVICE = 0.05
_PLACES = 3
_TAPS = {
    "client": "captured at the client",
    "server": "captured at the server",
    "middle": "captured between the two, or one cannot tell where",
    "wire": "on a wire of ours, which knows what arrived",
}


def lines(
    account: Account,
    width: int,
    over: Strip | None = None,
    *,
    unicode: bool = True,
    color: bool = False,
) -> Iterator[Line]:
    """One connection's account.

    Args:
        account: the account.
        width: the terminal's columns.
        over: what its time went to, moment by moment, for a strip; None for no strip.
        unicode: whether it shows block characters.
        color: whether it shows colours in the strip.

    Returns:
        Its lines, each with its style.
    """
    which = f"connection {account.connection}: {account.client} to {account.server}"
    yield from ((line, "call") for line in wrapped(which, width))
    yield from ((line, "strong") for line in wrapped(account.headline, width))
    tap = _TAPS[account.tap]
    if account.only is not None and account.tap != "wire":
        tap = f"nothing but what the {account.only} sent was captured"
    whole = f"{seconds(account.duration)} in all, {tap}"
    yield from ((line, "quiet") for line in wrapped(whole, width))
    if over is not None and account.duration:
        yield "", ""
        yield from ((line, "") for line in strip(account, over, width, color=color))
    if account.costs:
        yield "", ""
    for cost in account.costs:
        yield from _cost(cost, account.duration, width, "█" if unicode else "#")
    yield from _losses(account, width)


def _cost(cost: Cost, whole: int, width: int, block: str) -> Iterator[Line]:
    share = cost.time / whole if whole else 1.0
    bar = f"{block * round(share * BAR):<{BAR}}  " if width >= NARROW else ""
    apart = "  " if width >= NARROW else " "
    figures = f"{seconds(cost.time):>8} {share:>6.1%}"
    yield f"{figures}{apart}{bar}{cost.end:<6}{apart}{cost.cause}", ""
    where = places(cost.rungs[:_PLACES], ", ")
    more = len(cost.rungs) - _PLACES
    beyond = f" and {more} more" if more > 0 else ""
    indent = " " * (17 if width >= NARROW else 4)
    said = f"{cost.text}: {where}{beyond}; {cost.certainty}"
    yield from ((indent + line, "quiet") for line in wrapped(said, width - len(indent)))
    row = CAUSES[cost.cause]
    if share < _WORTH_ADVICE or not row.advice:
        return
    yield from ((indent + line, "") for line in wrapped(row.advice, width - len(indent)))
    if row.lesson:
        yield f"{indent}trioecho lab {row.lesson}", "arrow"


def _losses(account: Account, width: int) -> Iterator[Line]:
    """Why segments were lost."""
    untold = account.missing - sum(one.count for one in account.losses)
    if account.missing:
        yield "", ""
    for one in account.losses:
        yield from ((line, "strong") for line in wrapped(f"{one.text}; inferred", width))
        yield from ((line, "") for line in wrapped(one.advice, width))
    if untold:
        few = "too few to tell why" if untold < FEW_LOSSES else "why cannot be told"
        more = "more " if account.losses else ""
        said = f"{untold:,} {more}loss{'es' * (untold > 1)} of data: {few}"
        yield from ((line, "quiet") for line in wrapped(said, width))


def row(account: Account, width: int) -> Iterator[Line]:
    """One connection of many: its ends, and its headline."""
    yield f"{account.connection:>6} {account.client} -> {account.server}", "call"
    yield from ((f"{'':6} {line}", "") for line in wrapped(account.headline, width - 7))


def common(
    accounts: Mapping[int, Account],
) -> Callable[[ConnectionSummary], tuple[str, str] | None]:
    """A key for groups of connections: how an attempt failed, or what held a connection up most.

    Args:
        accounts: those of the connections, by number.
    """

    def key(one: ConnectionSummary) -> tuple[str, str] | None:
        if one.attempt:
            return outcome(one), ""
        account = accounts.get(one.number)
        top = None if account is None else account.top
        return None if top is None else (f": {top.text}", top.cause)

    return key


def group(one: Group, accounts: Mapping[int, Account], width: int) -> Iterator[Line]:
    """What several connections have in common, which they are, and how much time it took them."""
    known = [accounts[each.number] for each in one.connections if each.number in accounts]
    spent = sum(account.top.time for account in known if account.top)
    title = one.title
    if spent and not one.connections[0].attempt:
        title += f", {seconds(spent)} of {seconds(sum(account.duration for account in known))}"
    yield from ((line, "trouble") for line in wrapped(title, width, later="  "))
    yield from ((f"{'':6} {line}", "quiet") for line in wrapped(one.numbers, width - 7))


def as_json(account: Account) -> bytes:
    """One connection's account as a line of JSON, with times in seconds."""
    return msgspec.json.encode(account_object(account))


def account_object(account: Account) -> dict[str, object]:
    """One connection's account as a JSON object, with times in seconds."""
    whole = account.duration or 1
    return {
        "type": "account",
        "connection": account.connection,
        "client": str(account.client),
        "server": str(account.server),
        "duration": account.duration / 1e9,
        "tap": account.tap,
        "only": account.only,
        "headline": account.headline,
        "causes": [
            {
                "cause": cost.cause,
                "end": cost.end,
                "time": cost.time / 1e9,
                "share": round(cost.time / whole, 6),
                "certainty": cost.certainty,
                "rungs": cost.rungs,
                "text": cost.text,
                "advice": CAUSES[cost.cause].advice,
                "lesson": CAUSES[cost.cause].lesson,
            }
            for cost in account.costs
        ],
        "losses": [_loss(one) for one in account.losses],
    }


def _loss(one: Lost) -> dict[str, str | int]:
    found: dict[str, str | int] = {"kind": one.kind, "sender": one.sender, "count": one.count}
    if one.kind == "policed":
        found |= {"rate": one.rate, "at_least": one.at_least, "burst": one.burst}
    return found | {"text": one.text, "advice": one.advice}
