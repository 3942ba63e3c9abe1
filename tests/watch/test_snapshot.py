"""What a live table shows at one moment: the connections with the latest segments."""

from __future__ import annotations

from frames import frames

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
