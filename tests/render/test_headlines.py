"""What held a connection up: above a ladder, in its summary, in a table's row, in a picture."""

from __future__ import annotations

import json

import pytest
from accounted import PROMPT, account_of, summary_of
from frames import play
from ladders import READ_LATE
from msgspec.structs import replace

from trioecho.account import Account
from trioecho.model import CaptureSummary, Summary
from trioecho.render import FORMATS, Setting
from trioecho.render.headlines import headlines
from trioecho.render.overview import MOST_WAITING, Overview
from trioecho.render.renderer import Accounted
from trioecho.render.table import LOST, Order, table
from trioecho.render.terminal import Terminal

HELD = "520 ms of 560 ms: the server's program did not read (full window, rungs 4 to 8)"


def told(name: str, *accounts: Account) -> str:
    """A ladder in one format, with a summary of as many connections."""
    renderer = FORMATS[name](Setting("a title"))
    assert isinstance(renderer, Accounted)
    shown = renderer.begin() + renderer.show(play(READ_LATE)) + renderer.tell(accounts)
    connections = tuple(summary_of(account.connection) for account in accounts)
    return (shown + renderer.end(Summary(connections, CaptureSummary("it", 9, 0)))).decode()


def test_a_connection_that_nothing_held_up_has_none() -> None:
    assert headlines([account_of(READ_LATE), account_of(PROMPT, 2)]) == {1: HELD}


def test_in_the_summary_below_the_line_that_names_its_connection() -> None:
    text = told("terminal", account_of(READ_LATE), account_of(READ_LATE, 2)).splitlines()
    for number in (1, 2):
        (place,) = [at for at, line in enumerate(text) if f"connection {number}: 10." in line]
        assert text[place + 1] == HELD


def test_in_json_each_connection_has_its_line_before_the_summary() -> None:
    *_, first, second, last = map(
        json.loads, told("json", account_of(READ_LATE), account_of(PROMPT, 2)).splitlines()
    )
    assert [one["type"] for one in (first, second, last)] == ["account", "account", "summary"]
    assert (first["connection"], first["headline"]) == (1, HELD)
    assert (second["connection"], second["headline"][:20]) == (2, "nothing stands out; ")


def test_in_a_picture_above_the_rows_and_in_what_is_said_of_it() -> None:
    text = told("svg", account_of(READ_LATE))
    above, below = text.split(">client<", 1)
    assert HELD in above[above.index("</desc>") :].replace("&apos;", "'").replace("&#x27;", "'")
    assert HELD in above.replace("&apos;", "'").replace("&#x27;", "'").split("</desc>")[0]
    assert "520 ms of" not in below


@pytest.mark.parametrize("name", ["ladder", "pcapng"])
def test_a_format_without_headlines_takes_no_account(name: str) -> None:
    assert not isinstance(FORMATS[name](Setting("a title")), Accounted)


def overview(*, above: bool, width: int = 80) -> Overview:
    terminal = Terminal(Setting("a title", width=width))
    return Overview(terminal, shows="ladder", live=False, above=above)


def ended(view: Overview, *accounts: Account) -> bytes:
    connections = tuple(summary_of(account.connection) for account in accounts)
    return view.tell(accounts) + view.end(Summary(connections, CaptureSummary("it", 9, 0)))


def test_above_a_ladder_whose_rows_wait_for_it() -> None:
    view = overview(above=True)
    assert view.begin() + view.show(play(READ_LATE)) == b""
    text = ended(view, account_of(READ_LATE)).decode()
    assert text.startswith(f"a title\n{HELD}\n\n       ms  rung  client")
    assert text.count(HELD) == 1
    streamed = overview(above=False)
    rows = (streamed.begin() + streamed.show(play(READ_LATE))).decode()
    assert rows.removeprefix("a title\n") in text


def test_each_of_several_has_its_number() -> None:
    view = overview(above=True, width=100)
    view.begin()
    view.show(play(READ_LATE + READ_LATE.replace(" > ", " >2 ").replace(" < ", " <2 ")))
    text = ended(view, account_of(READ_LATE), account_of(READ_LATE, 2)).decode()
    assert text.startswith(f"a title\n#1 {HELD}\n#2 {HELD}\n\n")


def test_a_long_ladder_begins_before_its_end_and_has_it_in_the_summary() -> None:
    view, rungs = overview(above=True), play(READ_LATE)
    shown = view.begin()
    for _ in range(MOST_WAITING // len(rungs) // 40):  # a row has more than 40 bytes
        shown += view.show(rungs)
        if shown:
            break
    assert shown.startswith(b"a title\n\n       ms  rung  client")
    text = ended(view, account_of(READ_LATE)).decode()
    assert "a title" not in text
    assert HELD in text


def rows(*accounts: Account, **order: object) -> tuple[list[str], list[list[int]]]:
    """A table's lines, and which connections it asked for."""
    asked: list[list[int]] = []

    def ask(connections: object) -> dict[int, Account]:
        numbers = [one.number for one in connections]  # type: ignore[attr-defined]
        asked.append(numbers)
        return {one.connection: one for one in accounts if one.connection in numbers}

    connections = [summary_of(account.connection) for account in accounts]
    shown = table(connections, 0, 100, Order(**order), ask)  # type: ignore[arg-type]
    return [line for line, _ in shown], asked


def test_in_a_row_of_a_table_below_its_ends() -> None:
    text, _ = rows(account_of(PROMPT), account_of(READ_LATE, 2))
    assert text[text.index("     2 10.0.0.1:40000 -> 10.0.0.2:7") + 1] == f"       {HELD}"
    assert sum("ms of" in line for line in text) == 1


def test_only_the_rows_that_may_be_shown_are_asked_for() -> None:
    held = account_of(READ_LATE)
    many = [replace(held, connection=number) for number in range(1, 101)]
    text, (asked,) = rows(*many)
    shown = [int(line.split()[0]) for line in text if "->" in line]
    assert set(shown) <= set(asked)
    assert len(asked) < 20
    assert rows(*many, sort="number", limit=2)[1] == [[1, 2]]
    assert rows(*many, every=True)[1] == [list(range(1, 101))]


def test_those_first_that_lost_most() -> None:
    text, (asked,) = rows(account_of(PROMPT), account_of(READ_LATE, 2), sort=LOST, limit=1)
    assert [line.split()[0] for line in text if "->" in line] == ["2"]
    assert asked == [1, 2]


def test_no_line_is_wider_than_the_screen() -> None:
    for width in (40, 80, 200):
        view = overview(above=True, width=width)
        view.begin()
        view.show(play(READ_LATE))
        text = ended(view, account_of(READ_LATE)).decode()
        assert max(map(len, text.splitlines())) <= width
