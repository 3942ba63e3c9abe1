"""Processes are looked up beside the frames: many connections at once, and none is waited for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from frames import frames

from trioecho.model import Process
from trioecho.watch import lookup
from trioecho.watch.engine import Engine
from trioecho.watch.lookup import MOST_ASKED, Lookup
from trioecho.watch.processes import AskedConnection, find_processes


def opened(ladder: str) -> Engine:
    engine = Engine(several=False)
    engine.rungs(frame for _, frame in frames(ladder))
    return engine


async def looked_up(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> tuple[list[list[int]], list[Process]]:
    """What was searched for, and what was found, where ncat holds every client."""
    searched: list[list[int]] = []
    told: list[Process] = []

    def find(asked: Sequence[AskedConnection]) -> list[object]:
        searched.append([one.number for one in asked])
        return [Process(0, one.number, "client", 7, "ncat") for one in asked]

    async def put(found: Sequence[Process]) -> None:
        told.extend(found)

    monkeypatch.setattr(lookup, "find_processes", find)
    search = Lookup(engine)
    search.ask(engine.tracker.connections)
    search.finish()
    await search.run(put)
    return searched, told


async def test_one_search_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened("+0 > S 0:0(0)\n+.1 >3 S 0:0(0)")
    searched, told = await looked_up(monkeypatch, engine)
    assert searched == [[1, 2]]
    assert told == [Process(engine.now, number, "client", 7, "ncat") for number in (1, 2)]
    one = engine.tracker.connections[0]
    assert engine.summary_of(one).client_process == "ncat (pid 7)"


async def test_a_connection_that_is_forgotten_has_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = opened("+0 > S 0:0(0)\n+.1 >3 S 0:0(0)")
    first, _ = connections = list(engine.tracker.connections)
    monkeypatch.setattr(engine, "hold", lambda process: process.connection != first.number)
    _, told = await looked_up(monkeypatch, engine)
    assert [process.connection for process in told] == [connections[1].number]


async def test_under_a_flood_the_oldest_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened("\n".join(f"+0 >{number} S 0:0(0)" for number in range(1, MOST_ASKED + 3)))
    searched, _ = await looked_up(monkeypatch, engine)
    assert searched == [list(range(3, MOST_ASKED + 3))]


async def test_without_connections_nothing_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    searched, told = await looked_up(monkeypatch, Engine(several=False))
    assert (searched, told) == ([], [])


async def test_nobody_holds_what_is_not_of_this_machine() -> None:
    engine = opened("+0 > S 0:0(0)")
    with trio.fail_after(60):
        search = Lookup(engine)
        search.ask(engine.tracker.connections)
        search.finish()
        await search.run(_none)
    assert find_processes([]) == []


async def _none(found: Sequence[Process]) -> None:
    raise AssertionError(found)
