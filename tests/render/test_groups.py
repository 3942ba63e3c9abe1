"""Connections that share one trouble are one row of a table."""

from __future__ import annotations

from msgspec.structs import replace

from trioecho.model import ConnectionSummary, Endpoint
from trioecho.render.groups import grouped, ranges
from trioecho.render.limits import SCREEN
from trioecho.render.table import Order, table
from trioecho.text import plural

SERVER = Endpoint("203.0.113.94", 80)
SILENT = "a SYN without an answer"


def one(number: int, **more: object) -> ConnectionSummary:
    client = Endpoint("192.0.2.1", 40_000 + number)
    summary = ConnectionSummary(number, client, SERVER, None, 0, 0, 1, 0, 0, None)
    return replace(summary, **{"completeness": "handshake, data and close seen", **more})


def attempt(number: int) -> ConnectionSummary:
    trouble = f"rung {number}: SYN again"
    return one(
        number,
        completeness=SILENT,
        attempt=True,
        troubles=3,
        first_trouble=trouble,
        first_trouble_kind="syn-again",
        start=number * 1_000_000_000,
    )


def lines(*connections: ConnectionSummary, width: int = 80, **order: object) -> list[str]:
    return [line for line, _ in table(connections, 0, width, Order(**order))]  # type: ignore[arg-type]


def test_twelve_attempts_stand_once_on_top() -> None:
    attempts = [attempt(number) for number in range(2, 14)]
    text = lines(one(1), *attempts)
    assert text[:4] == [
        "12 of 13 attempts to 203.0.113.94:80 got no answer to any SYN: a filter that",
        "  drops, or no such host",
        "       connections 2-13; the first began at 2.000 s, the last at 13.000 s",
        "       such as connection 2, rung 2: SYN again (and 35 more)",
    ]
    assert [line.split()[0] for line in text if "->" in line] == ["1"]


def test_attempts_that_were_just_not_answered_are_a_group_too() -> None:
    text = lines(*(one(number, completeness=SILENT, attempt=True) for number in (1, 2)))
    assert text == [
        "2 attempts to 203.0.113.94:80 got no answer to any SYN: a filter that drops, or",
        "  no such host",
        "       connections 1-2; the first began at 0.000 s, the last at 0.000 s",
    ]


def test_another_server_outcome_or_reason_is_another_group() -> None:
    first = attempt(1)
    others = [
        replace(first, number=2, server=Endpoint("203.0.113.94", 81)),
        replace(first, number=3, completeness="refused"),
        replace(first, number=4, first_trouble_kind="other"),
        replace(first, number=5, tunnel="VXLAN 42"),
    ]
    groups, singles = grouped([first, *others])
    assert not groups
    assert [single.number for single in singles] == [1, 2, 3, 4, 5]


def test_the_largest_group_is_first_and_those_without_trouble_are_none() -> None:
    few = [replace(attempt(number), first_trouble_kind="other") for number in (1, 2)]
    more = [attempt(number) for number in (3, 4, 5)]
    groups, singles = grouped([*few, one(6), *more, one(7)])
    assert [len(group.connections) for group in groups] == [3, 2]
    assert [single.number for single in singles] == [6, 7]


def test_numbers_are_bounded() -> None:
    assert ranges([7]) == "7"
    assert ranges(list(range(1, 40, 2))) == "1, 3, 5, 7, 9, 11, 13, 15 and 12 more"


def test_a_table_fits_on_a_screen_and_counts_the_rest() -> None:
    every = [one(number) for number in range(1, 201)]
    text = lines(*every)
    assert len(text) <= SCREEN + 1
    rows = sum("->" in line for line in text)
    assert rows > 5
    rest = plural(200 - rows, "connection")
    assert text[-1] == f"and {rest} more, none with trouble; --all shows each"


def test_a_limit_counts_rows_and_a_group_is_one() -> None:
    text = lines(attempt(1), attempt(2), attempt(3), one(4), one(5), limit=2)
    assert sum("->" in line for line in text) == 1
    assert text[-1] == "and 1 connection more, none with trouble; --all shows each"
    text = lines(attempt(1), attempt(2), attempt(3), one(4), one(5), limit=1)
    assert text[-1] == "and 2 connections more, none with trouble; --all shows each"


def test_an_order_or_all_shows_each_by_itself() -> None:
    every = [attempt(number) for number in range(1, 31)]
    assert sum("->" in line for line in lines(*every, every=True)) == 30
    text = lines(*every, sort="number", limit=4)
    assert [line.split()[0] for line in text if "->" in line] == ["1", "2", "3", "4"]
    assert text[-1] == "and 26 connections more, 26 with trouble; --all shows each"
