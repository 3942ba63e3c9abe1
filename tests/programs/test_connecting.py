"""Calls without addresses find their connections by what happens at the time."""

from __future__ import annotations

import frames
import pytest

from trioecho.model import Call, Endpoint, Rung
from trioecho.programs.connecting import Finder

PEER = Endpoint("10.0.0.2", 7)
START = 1_700_000_000_000_000_000
MS = 1_000_000
TWO = """
+0 > S  0:0(0)
+.001 >2 S  0:0(0)
+.001 <2 S. 0:0(0) ack 1
+.001 < R. 0:0(0) ack 1
+.001 >2 .  1:1(0) ack 1
"""


def seen(text: str) -> tuple[Finder, list[Rung]]:
    """A finder, and rungs that its tracker has seen."""
    tracker, rungs = frames.seen(text)
    return Finder(tracker), rungs


def connect(time: int, fd: int, result: int | None = None, error: str | None = None) -> Call:
    return Call(
        START + time, "client", "connection", fd, "connect", str(PEER), result, error, peer=PEER
    )


def merged(calls: list[Call], rungs: list[Rung]) -> list[Call | Rung]:
    return sorted([*calls, *rungs], key=lambda event: event.time)


def test_each_connect_has_the_first_syn_after_it() -> None:
    finder, rungs = seen(TWO)
    calls = [
        connect(-10_000, 3),
        connect(MS - 10_000, 4),
        connect(MS // 2, 3, error="ECONNREFUSED"),  # strace's clock is early
        connect(MS + 20_000, 4, 0),
    ]
    got = finder.order(merged(calls, rungs))
    story = [
        f"#{one.connection} {one.name if isinstance(one, Call) else one.sender}" for one in got
    ]
    assert story == [
        *("#1 connect", "#1 client", "#2 connect", "#2 client"),
        *("#2 server", "#2 connect", "#1 server", "#1 connect", "#2 client"),
    ]
    times = [one.time for one in got]
    assert times == sorted(times)
    told = [one for one in got if isinstance(one, Call)]
    assert {one.local for one in told if one.connection == 1} == {Endpoint("10.0.0.1", 40000)}
    assert {one.local for one in told if one.connection == 2} == {Endpoint("10.0.0.1", 40001)}
    assert finder.rest() == []


def test_what_is_never_answered_is_told_at_the_end() -> None:
    finder, rungs = seen("+0 > S 0:0(0)")
    calls = [connect(-1, 3), connect(MS, 3, 0)]
    assert finder.order(merged(calls, rungs))[-1] is rungs[-1]
    assert [one.connection for one in finder.rest()] == [1]
    assert finder.rest() == []


@pytest.mark.parametrize("error", ["ETIMEDOUT", "EHOSTUNREACH"])
def test_an_end_without_an_answer_waits_for_none(error: str) -> None:
    finder, rungs = seen("+0 > S 0:0(0)")
    calls = [connect(-1, 3), connect(MS, 3, error=error)]
    last = finder.order(merged(calls, rungs))[-1]
    assert isinstance(last, Call)
    assert (last.error, last.connection) == (error, 1)


def test_a_server_that_connects_is_a_client_there() -> None:
    finder, rungs = seen(TWO)
    client, server = rungs[0].segment.source, rungs[0].segment.destination
    for local, peer, end in ((client, server, "client"), (server, client, "server")):
        call = Call(START, "server", "connection", 5, "send", result=1, local=local, peer=peer)
        (placed,) = finder.order([call])
        assert isinstance(placed, Call)
        assert (placed.end, placed.connection) == (end, 1)


def test_nothing_is_made_up() -> None:
    finder, _ = seen(TWO)
    elsewhere = Call(START, "client", "connection", 5, "send", peer=Endpoint("10.0.0.3", 1))
    for call in (
        connect(60 * MS, 9),
        connect(60 * MS, 9, 0),
        elsewhere,
        Call(START, "client", "connection", 5, "socket", "AF_INET", 5),
    ):
        assert finder.order([call]) == [call]
