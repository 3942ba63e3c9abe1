"""Each path through the state table of RFC 9293, in the notation of a ladder."""

from __future__ import annotations

import pytest
from frames import play

from trioecho.model import State
from trioecho.render.script import compare
from trioecho.tcp.states import TABLE, Event, after

HANDSHAKE = """
+0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
+.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
+.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
"""

LADDERS = {
    "handshake, data, four steps": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 < P. 1:6(5) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > .  6:6(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > F. 6:6(0) ack 6        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  6:6(0) ack 7        | FIN-WAIT-2   CLOSE-WAIT
    +.001 < F. 6:6(0) ack 7        | TIME-WAIT    LAST-ACK
    +.001 > .  7:7(0) ack 7        | TIME-WAIT    CLOSED
    """,
    "FIN and ACK of FIN in one": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 2        | TIME-WAIT    LAST-ACK
    +.001 > .  2:2(0) ack 2        | TIME-WAIT    CLOSED
    """,
    "the server closes first": HANDSHAKE
    + """
    +.1   < F. 1:1(0) ack 1        | CLOSE-WAIT   FIN-WAIT-1
    +.001 > .  1:1(0) ack 2        | CLOSE-WAIT   FIN-WAIT-2
    +.001 > F. 1:1(0) ack 2        | LAST-ACK     TIME-WAIT
    +.001 < .  2:2(0) ack 2        | CLOSED       TIME-WAIT
    """,
    "half-close: data flows on in the other direction": HANDSHAKE
    + """
    +.1   > FP. 1:4(3) ack 1       | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  1:1(0) ack 5        | FIN-WAIT-2   CLOSE-WAIT
    +.001 < P. 1:101(100) ack 5    | FIN-WAIT-2   CLOSE-WAIT
    +.001 > .  5:5(0) ack 101      | FIN-WAIT-2   CLOSE-WAIT
    +.001 < F. 101:101(0) ack 5    | TIME-WAIT    LAST-ACK
    +.001 > .  5:5(0) ack 102      | TIME-WAIT    CLOSED
    """,
    "simultaneous open": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S  0:0(0)              | SYN-RECEIVED SYN-RECEIVED
    +.001 > S. 0:0(0) ack 1        | SYN-RECEIVED ESTABLISHED
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "simultaneous close": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 1        | CLOSING      CLOSING
    +.001 > .  2:2(0) ack 2        | CLOSING      TIME-WAIT
    +.001 < .  2:2(0) ack 2        | TIME-WAIT    TIME-WAIT
    """,
    "closed before the handshake is over": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 < F. 1:1(0) ack 1        | CLOSE-WAIT   FIN-WAIT-1
    +.001 > .  1:1(0) ack 2        | CLOSE-WAIT   FIN-WAIT-2
    """,
    "refused": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < R. 1:1(0) ack 1        | CLOSED       CLOSED        connection-rst refused
    """,
    "aborted by the client": HANDSHAKE
    + """
    +.1   > R. 1:1(0) ack 1        | CLOSED       CLOSED        connection-rst aborted
    """,
    "aborted by the server, data unread": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 < R. 1:1(0) ack 6        | CLOSED       CLOSED        connection-rst unread-data
    """,
    "reset in SYN-RECEIVED: the server listens on": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 > R  1:1(0)              | CLOSED       LISTEN        connection-rst half-open
    """,
    "reset in SYN-SENT of an old duplicate's SYN-ACK (RFC 9293, figure 8)": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S. 0:0(0) ack -500     | SYN-SENT     SYN-RECEIVED
    +.001 > R  -500:-500(0)        | SYN-SENT     LISTEN        connection-rst half-open
    """,
    "reset after close: data for a socket that is gone": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < .  1:1(0) ack 2        | FIN-WAIT-2   CLOSE-WAIT
    +.1   < P. 1:6(5) ack 2        | FIN-WAIT-2   CLOSE-WAIT
    +.001 > R  2:2(0)              | CLOSED       CLOSED        connection-rst after-close
    """,
    "TIME-WAIT assassination (RFC 1337)": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    +.001 < F. 1:1(0) ack 2        | TIME-WAIT    LAST-ACK
    +.001 > .  2:2(0) ack 2        | TIME-WAIT    CLOSED
    +.1   < R  2:2(0)          | CLOSED       CLOSED       connection-rst time-wait-assassination
    """,
    "a FIN that overtakes data is processed when the gap is filled": HANDSHAKE
    + """
    +.1   > F. 6:6(0) ack 1        | FIN-WAIT-1   ESTABLISHED   lost-segment
    +.1   > P. 1:6(5) ack 1        | FIN-WAIT-1   CLOSE-WAIT    retransmission
    +.001 < .  1:1(0) ack 7        | FIN-WAIT-2   CLOSE-WAIT
    """,
    "a lost SYN-ACK": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S. 0:0(0) ack 1  lost  | SYN-SENT     SYN-RECEIVED
    +1    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED  retransmission of 1
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED  retransmission of 2
    +.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "a lost third step: data completes the handshake": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  SYN-RECEIVED
    +.001 > .  1:1(0) ack 1  lost  | ESTABLISHED  SYN-RECEIVED
    +.1   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "lost data, sent again": HANDSHAKE
    + """
    +.1   > P. 1:6(5) ack 1  lost  | ESTABLISHED  ESTABLISHED
    +.3   > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED   retransmission of 4
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    """,
    "a lost FIN: the peer does not know yet": HANDSHAKE
    + """
    +.1   > F. 1:1(0) ack 1  lost  | FIN-WAIT-1   ESTABLISHED
    +.3   > F. 1:1(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT    retransmission of 4
    """,
    "joined in the middle": """
    +0    > P. 1:6(5) ack 1        | ESTABLISHED  ESTABLISHED
    +.001 < .  1:1(0) ack 6        | ESTABLISHED  ESTABLISHED
    +.001 > F. 6:6(0) ack 1        | FIN-WAIT-1   CLOSE-WAIT
    """,
    "the tap missed the SYN-ACK": """
    +0    > S  0:0(0)              | SYN-SENT     SYN-RECEIVED
    +.001 > .  1:1(0) ack 1        | ESTABLISHED  ESTABLISHED
    """,
    "a segment that fits no row changes nothing": HANDSHAKE
    + """
    +.1   > S  0:0(0)              | ESTABLISHED  ESTABLISHED   retransmission
    +.001 < S. 0:0(0) ack 1        | ESTABLISHED  ESTABLISHED   retransmission
    +.001 > -  1:1(0)              | ESTABLISHED  ESTABLISHED
    """,
}


@pytest.mark.parametrize(
    ("client_isn", "server_isn"), [(1000, 5000), (0xFFFFFFFD, 0xFFFFFFFF), (0, 0x7FFFFFFF)]
)
@pytest.mark.parametrize("name", LADDERS)
def test_path(name: str, client_isn: int, server_isn: int) -> None:
    difference = compare(LADDERS[name], play(LADDERS[name], client_isn, server_isn))
    assert not difference, f"\n{difference}"


def test_every_row_leads_to_another_state() -> None:
    for state, row in TABLE.items():
        for event, following in row.items():
            assert following is not state, (state, event)


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(TABLE) == set(State)
    assert {following for row in TABLE.values() for following in row.values()} == set(State)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_no_event_is_an_error(state: State, event: Event) -> None:
    assert after(state, event) in State
