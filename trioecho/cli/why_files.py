"""``trioecho why``, one file after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trioecho.account import Accounts
from trioecho.account.account import Account
from trioecho.capture.files import open_capture_file
from trioecho.cli.capture_files import complain_of, demand, each_of, through
from trioecho.cli.prose import paragraphs
from trioecho.cli.read_overview import instead
from trioecho.cli.stdout import has_unicode, say, styled, width, write_bytes
from trioecho.model.selection import Selection
from trioecho.reading.reading import Reading
from trioecho.render.account import as_json, groups, lines, row
from trioecho.render.colors import Style
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
        reading, accounts = Reading(selection), Accounts()
        through(file, reading, accounts.see)
        demand(selection, reading, file.name)
        found = list(accounts.end())
        if question.as_json:
            write_bytes(b"".join(as_json(account) + b"\n" for account in found))
        elif found:
            _show(found, question.limit)
        else:
            say(f"{file.name}: {_nothing(reading)}")
        return complain_of(file, reading)


def _nothing(reading: Reading) -> str:
    count = reading.tracker.count
    return f"none of {plural(count, 'connection')} matches" if count else instead(reading.census)


def _show(found: list[Account], limit: int) -> None:
    columns = width()
    for sentence in groups(found):
        _say(sentence, "trouble")
    if len(found) <= WHOLE:
        for number, account in enumerate(found):
            if number:
                say("")
            for line, style in lines(account, columns, unicode=has_unicode()):
                _say(line, style)
        return
    found.sort(key=lambda account: (-account.lost, account.connection))
    for account in found[:limit]:
        for line, style in row(account, columns):
            _say(line, style)
    if len(found) > limit:
        say(f"{plural(len(found) - limit, 'more connection')}; --limit shows more of them")
    for line in paragraphs("for a connection's whole account: --connection N"):
        say(line)


def _say(line: str, style: Style) -> None:
    say(styled(line, style))
