"""``trioecho why``, one file after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trioecho.account import Accounts
from trioecho.account.account import Account
from trioecho.account.strip import Strips
from trioecho.capture.files import open_capture_file
from trioecho.cli.capture_files import complain_of, demand, each_of, through
from trioecho.cli.prose import paragraphs
from trioecho.cli.read_overview import instead
from trioecho.cli.stdout import has_colors, has_unicode, say, styled, width, write_bytes
from trioecho.model import ConnectionSummary
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render.account import as_json, common, group, lines, row
from trioecho.render.colors import Style
from trioecho.render.groups import grouped
from trioecho.text import plural

#: So many connections are shown with all their causes; of more, the headlines.
WHOLE = 3


class Question(NamedTuple):
    """The user's options."""

    files: Sequence[str]
    selection: Selection
    limit: int
    as_json: bool


def why_files(question: Question) -> int:
    """Give each file's accounts; the exit code is 1 if one could not be read to its end."""
    return each_of(question.files, lambda name: _why(question, name))


def _why(question: Question, name: str) -> int:
    selection = question.selection
    with open_capture_file(name) as file:
        reading, strips = Reading(selection), Strips(WHOLE)
        accounts = Accounts(None if question.as_json else strips.take)
        through(file, reading, accounts.see)
        demand(selection, reading, file.name)
        found = {account.connection: account for account in accounts.end()}
        if question.as_json:
            write_bytes(b"".join(as_json(account) + b"\n" for account in found.values()))
        elif found:
            _show(found, strips, list(reading.connections()), question.limit)
        else:
            say(f"{file.name}: {_nothing(reading)}")
        return complain_of(file, reading)


def _nothing(reading: Reading) -> str:
    count = reading.tracker.count
    return f"none of {plural(count, 'connection')} matches" if count else instead(reading.census)


def _show(
    accounts: Mapping[int, Account],
    strips: Strips,
    connections: Sequence[ConnectionSummary],
    limit: int,
) -> None:
    columns, few = width(), len(accounts) <= WHOLE
    groups, _ = grouped(connections, common(accounts))
    attempts = [one for one in groups if one.connections[0].attempt]
    for one in attempts if few else groups:
        _say(group(one, accounts, columns))
    if few:
        for number, account in enumerate(accounts.values()):
            if number:
                say("")
            over = strips.of.get(account.connection)
            _say(lines(account, columns, over, unicode=has_unicode(), color=has_colors()))
        if names := next(filter(None, map(_explained, accounts.values())), []):
            say("")
            _hint(f"for more about it: {', '.join(f'trioecho explain {name}' for name in names)}")
        return
    told = {each.number for one in attempts for each in one.connections}
    rest = [account for number, account in accounts.items() if number not in told]
    rest.sort(key=lambda account: (-account.lost, account.connection))
    for account in rest[:limit]:
        _say(row(account, columns))
    if len(rest) > limit:
        say(f"{plural(len(rest) - limit, 'more connection')}; --limit shows more of them")
    _hint("for a connection's whole account: --connection N")


def _explained(account: Account) -> list[str]:
    """What of an account a reader may want explained."""
    causes = [account.top.cause] if account.top is not None else []
    return [*causes, *(one.kind for one in account.losses)]


def _hint(text: str) -> None:
    for line in paragraphs(text):
        say(line)


def _say(shown: Iterable[tuple[str, Style]]) -> None:
    for line, style in shown:
        say(styled(line, style))
