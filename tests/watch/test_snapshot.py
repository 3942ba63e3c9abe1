"""What a live table shows at one moment: the connections with the latest segments."""

from __future__ import annotations

from frames import frames
from ladders import READ_LATE

from trioecho.account import Accounts
from trioecho.model import State
from trioecho.watch.engine import Engine
from trioecho.watch.snapshot import rows

THREE = """
+0   >  S 0:0(0)
+.1  >3 S 0:0(0)
+.1  >5 S 0:0(0)
+.1  <3 S. 0:0(0) ack 1
"""


def test_the_latest_come_first_and_no_more_than_wanted() -> None:
    engine = Engine(several=False)
    engine.rungs(frame for _, frame in frames(THREE))
    assert [row.summary.number for row in rows(engine, 9)] == [2, 3, 1]
    first, second = rows(engine, 2)
    assert (first.client_state, first.server_state) == (State.ESTABLISHED, State.SYN_RECEIVED)
    assert (second.client_state, second.server_state) == (State.SYN_SENT, State.UNKNOWN)
    assert second.summary.client.port == 40004


def test_what_held_a_connection_up_so_far_if_that_was_asked_for() -> None:
    seen = [frame for _, frame in frames(READ_LATE)]
    engine = Engine(several=False, accounted=True)
    (before,) = (engine.rungs(seen[:5]), rows(engine, 1))[1]
    assert before.account is not None
    assert before.account.top is None  # what it waits for now is not settled
    engine.rungs(seen[5:])
    (after,) = rows(engine, 1)
    assert after.account is not None
    assert after.account.top is not None
    assert after.account.top.cause == "slow-reader"
    assert isinstance(engine.accounts, Accounts)
    (account,) = engine.accounts.end()  # a look changes nothing
    assert account.headline.startswith("520 ms of 560 ms: the server's program did not read")
    unasked = Engine(several=False)
    unasked.rungs(seen)
    assert [row.account for row in rows(unasked, 1)] == [None]
