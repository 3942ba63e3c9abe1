"""Calls without addresses find their connections by what happens at the time."""

from __future__ import annotations

import frames

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


def test_a_server_that_connects_is_a_client_there() -> None:
    finder, rungs = seen(TWO)
    client, server = rungs[0].segment.source, rungs[0].segment.destination
    for local, peer, end in ((client, server, "client"), (server, client, "server")):
        call = Call(START, "server", "connection", 5, "send", result=1, local=local, peer=peer)
        placed = finder.placed(call)
        assert (placed.end, placed.connection) == (end, 1)


def test_nothing_is_made_up() -> None:
    finder, _ = seen(TWO)
    elsewhere = Call(START, "client", "connection", 5, "send", peer=Endpoint("10.0.0.3", 1))
    for call in (
        connect(1_100 * MS, 9),
        connect(1_100 * MS, 9, 0),
        elsewhere,
        Call(START, "client", "connection", 5, "socket", "AF_INET", 5),
    ):
        assert finder.placed(call) == call


def test_a_descriptor_that_connects_again_is_not_that_of_the_connection_before() -> None:
    finder, _ = seen(TWO)
    assert finder.placed(connect(-10, 3)).connection == 1
    assert finder.placed(connect(20, 3, 0)).connection == 1
    again = connect(5_000 * MS, 3)  # whose SYN has not been sent
    assert finder.placed(again) == again
    done = connect(5_001 * MS, 3, 0)
    assert finder.placed(done) == done
