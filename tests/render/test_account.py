"""An account as people and as programs read it."""

from __future__ import annotations

import json

import pytest
from accounted import PROMPT, account_of, summary_of
from ladders import READ_LATE
from msgspec.structs import replace

from trioecho.account.account import Tap
from trioecho.account.causes import CAUSES
from trioecho.account.losses import Lost
from trioecho.render.account import as_json, common, group, lines
from trioecho.render.groups import grouped

SHOWN = """
connection 1: 10.0.0.1:40000 to 10.0.0.2:7
520 ms of 560 ms: the server's program did not read (full window, rungs 4 to 8)
560 ms in all, captured at the client

  520 ms  92.9%  ###################   server  slow-reader
                 the server's program did not read: rungs 4 to 8; proven
                 Make that program read sooner, or do its work in another task.
                 trioecho lab zero-window
   20 ms   3.6%  #                     path    round-trip
                 messages were under way: rungs 9 to 10; inferred
   20 ms   3.6%  #                     path    setup
                 the handshake: rungs 1 to 2; proven
"""


def test_lines() -> None:
    account = account_of(READ_LATE)
    shown = "\n".join(line for line, _ in lines(account, 80, unicode=False))
    assert shown == SHOWN.strip("\n")


@pytest.mark.parametrize(("tap", "told"), [("middle", True), ("wire", False)])
def test_a_capture_of_one_direction_is_called_that(tap: Tap, *, told: bool) -> None:
    account = replace(account_of(READ_LATE), tap=tap, only="client")
    shown = [line for line, _ in lines(account, 80, unicode=False)]
    assert ("560 ms in all, nothing but what the client sent was captured" in shown) is told
    assert json.loads(as_json(account))["only"] == "client"


def test_a_bar_has_a_block_from_half_of_one_on() -> None:
    account = account_of(READ_LATE)
    slow, little, least = account.costs
    slow.time, little.time, least.time = 951, 26, 24
    account.start, account.end = 0, 1000
    shown = [line for line, _ in lines(account, 80, unicode=False)]
    assert [line.count("#") for line in shown if "%" in line] == [19, 1, 0]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    account = account_of(READ_LATE)
    account.costs = [replace(account.costs[0], cause=cause) for cause in CAUSES]
    assert max(len(line) for line, _ in lines(account, width)) <= width


def test_json() -> None:
    account = account_of(READ_LATE)
    told = json.loads(as_json(account))
    cause = told["causes"][0]
    assert (told["type"], told["connection"], told["tap"]) == ("account", 1, "client")
    assert told["duration"] == 0.56
    assert cause == {
        "cause": "slow-reader",
        "end": "server",
        "time": 0.52,
        "share": 0.928571,
        "certainty": "proven",
        "rungs": [[4, 8]],
        "text": "the server's program did not read",
        "advice": "Make that program read sooner, or do its work in another task.",
        "lesson": "zero-window",
    }
    assert sum(one["time"] for one in told["causes"]) == pytest.approx(told["duration"])


def test_why_segments_were_lost() -> None:
    account = account_of(READ_LATE)
    account.missing, account.losses = 14, [Lost("policed", "server", 12, 1_500_000, 20_000)]
    shown = [line for line, _ in lines(account, 200)]
    assert shown[-4:] == [
        "",
        "12 losses of the server's segments: a policer at 1.5 Mbit/s with a bucket of 20 kB;"
        " inferred",
        account.losses[0].advice,
        "2 more losses of data: too few to tell why",
    ]
    assert json.loads(as_json(account))["losses"] == [
        {
            "kind": "policed",
            "sender": "server",
            "count": 12,
            "rate": 1_500_000,
            "at_least": False,
            "burst": 20_000,
            "text": account.losses[0].text,
            "advice": account.losses[0].advice,
        }
    ]
    account.missing, account.losses = 9, [Lost("overflow", "client", 9)]
    assert list(json.loads(as_json(account))["losses"][0])[:4] == [
        "kind",
        "sender",
        "count",
        "text",
    ]


def test_losses_that_tell_nothing() -> None:
    account = account_of(READ_LATE)
    account.missing = 1
    assert [line for line, _ in lines(account, 80)][-1] == "1 loss of data: too few to tell why"
    account.missing = 7
    assert [line for line, _ in lines(account, 80)][-1] == "7 losses of data: why cannot be told"
    assert json.loads(as_json(account))["losses"] == []


def test_connections_that_were_held_up_by_the_same_are_a_group() -> None:
    late, prompt = account_of(READ_LATE), account_of(PROMPT)
    accounts = dict.fromkeys((1, 2, 4), late) | {3: prompt}
    summaries = [summary_of(number) for number in accounts]
    summaries.append(summary_of(5, attempt=True, completeness="refused"))
    (found,), others = grouped(sorted(summaries, key=lambda one: one.number), common(accounts))
    assert [line for line, _ in group(found, accounts, 80)] == [
        "3 of 5 connections to 10.0.0.2:7: the server's program did not read, 1.56 s of",
        "  1.68 s",
        "       connections 1-2, 4",
    ]
    assert [one.number for one in others] == [3, 5]


def test_a_group_of_attempts_needs_no_account() -> None:
    attempts = [summary_of(n, attempt=True, completeness="refused") for n in (1, 2)]
    (found,), _ = grouped(attempts, common({}))
    assert [line for line, _ in group(found, {}, 100)] == [
        "2 attempts to 10.0.0.2:7 were refused: nothing listens there, or a firewall rejects them",
        "       connections 1-2",
    ]
