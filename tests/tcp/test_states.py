"""Each path through the state table of RFC 9293, in the notation of a ladder."""

from __future__ import annotations

import pytest
from frames import frames, play
from ladders import OPEN, STATES

from trioecho.model import FIN, Endpoint, State
from trioecho.packet.decode import decode
from trioecho.render.script import compare
from trioecho.tcp.half import Half
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.data import Ack
from trioecho.tcp.rules.repetition import Retransmission
from trioecho.tcp.states import TABLE, UNANSWERED, Event
from trioecho.tcp.tracker import Tracker


@pytest.mark.parametrize(
    ("client_isn", "server_isn"), [(1000, 5000), (0xFFFFFFFD, 0xFFFFFFFF), (0, 0x7FFFFFFF)]
)
@pytest.mark.parametrize("name", STATES)
def test_path(name: str, client_isn: int, server_isn: int) -> None:
    difference = compare(STATES[name], play(STATES[name], client_isn, server_isn))
    assert not difference, f"\n{difference}"


def test_acks_of_fins_that_crossed_are_no_steps_of_four() -> None:
    rungs = play(STATES["simultaneous close"])
    assert rungs[5].notes == (FinAck(4, closed=True, crossed=True),)
    assert rungs[6].notes == (FinAck(2, time_wait=True, closed=True, crossed=True),)
    for rung in rungs[5:]:
        text = rung.notes[0].text(rung)
        assert text.startswith(f"the {rung.sender} acknowledges the FIN that crossed its own")


CROSSING = f"{OPEN}+.1 > F. 1:1(0) ack 1\n+.01 < F. 1:1(0) ack 1"


@pytest.mark.parametrize("arrives", [True, False])
def test_a_fin_that_reached_the_host_and_not_the_socket_yet(arrives: bool) -> None:
    """A wire knows that it arrived; that the socket had not taken it, the peer's own FIN tells."""
    tracker = Tracker()
    for _, frame in frames(CROSSING):
        segment = decode(frame)
        assert segment is not None
        rung = tracker.sent(segment)
        if arrives or not segment.flags & FIN:
            rung = tracker.connections[0].arrived(rung, frame.time)
    fact = rung.notes[-1]
    assert fact == ConnectionFin(3, simultaneous=True, presumed=arrives)
    assert ("it never was in CLOSE-WAIT" in fact.text(rung)) is arrives
    assert ("before the other's FIN has arrived" in fact.text(rung)) is not arrives
    assert tracker.connections[0].server.state is (State.CLOSING if arrives else State.FIN_WAIT_1)
    spent = tracker.summaries()[0].server_states
    assert "CLOSE-WAIT" not in spent
    assert spent["ESTABLISHED"] == 110_000_000


def test_who_has_sent_its_fin_may_send_no_more() -> None:
    rungs = play(STATES["handshake, data, four steps"])
    assert rungs[-3].notes == (FinAck(2),)
    assert rungs[-1].notes == (FinAck(4, time_wait=True, closed=True),)
    lost = "a FIN that carries the ACK of the other is lost, and that ACK comes alone"
    rung = play(STATES[lost])[6]
    assert rung.notes[-1] == FinAck(2, closed=True)
    assert "may still send" not in rung.notes[-1].text(rung)


def test_a_synack_that_a_repeated_syn_asks_for() -> None:
    """Its timer repeats it as well; asked for is what comes right behind a SYN that arrived."""
    name = "a lost SYN-ACK, asked for again and sent again by its own timer too"
    rungs = play(STATES[name])
    causes = [note.cause for one in rungs for note in one.notes if isinstance(note, Retransmission)]
    assert causes == ["ack-lost", "repeated-syn", "timeout", "ack-lost", "timeout"]
    text = rungs[3].notes[0].text(rungs[3])
    assert text.endswith("the client's SYN came again, and is answered again")


def test_every_row_leads_to_another_state() -> None:
    for state, row in TABLE.items():
        for event, following in row.items():
            assert following is not state, (state, event)


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(TABLE) == set(State)
    assert {following for row in TABLE.values() for following in row.values()} == set(State)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_an_end_moves_as_the_table_says(state: State, event: Event) -> None:
    half = Half(Endpoint("10.0.0.1", 7), state, state_since=1_000)
    half.meet(event, 1_500)
    assert half.state is TABLE[state].get(event, state)
    moves = event in TABLE[state]
    was = State.ESTABLISHED if event is Event.SEND_FIN_BEFORE_THEIRS else state
    # Who listens did so before the SYN was sent, or never did.
    assert half.spent == ({was: 500} if moves and was not in UNANSWERED else {})
    assert half.state_since == (1_500 if moves else 1_000)


SOUND = """
+0    > S  0:0(0) <sum 0>
+.01  < S. 0:0(0) ack 1 <sum 0>
+.01  > .  1:1(0) ack 1
"""


@pytest.mark.parametrize(
    ("garbled", "then", "states"),
    [
        ("+.1 > F. 1:1(0) ack 1 <sum 1>", "", "ESTABLISHED ESTABLISHED"),
        ("+.1 > R. 1:1(0) ack 1 <sum 1>", "", "ESTABLISHED ESTABLISHED"),
        ("+.1 > F. 1:1(0) ack 1 <sum 1>", "+.3 > F. 1:1(0) ack 1", "FIN-WAIT-1 CLOSE-WAIT"),
        ("+.1 > F. 1:1(0) ack 1 <sum 1>", "+.3 < . 1:1(0) ack 2", "FIN-WAIT-2 CLOSE-WAIT"),
        ("+.1 > F. 1:1(0) ack 1 <sum 0>", "", "FIN-WAIT-1 CLOSE-WAIT"),
        ("+.1 > FP. 1:4(3) ack 1 <sum 1>", "", "FIN-WAIT-1 CLOSE-WAIT"),  # data may be blanked
        ("+.1 > R. 1:1(0) ack 1 <sum 0>", "", "CLOSED CLOSED"),
    ],
)
def test_what_was_garbled_moves_no_state(garbled: str, then: str, states: str) -> None:
    *_, last = play(f"{SOUND}{garbled}\n{then}")
    assert f"{last.client_state} {last.server_state}" == states


def test_a_wrong_checksum_says_nothing_where_none_is_right() -> None:
    """The capture's machine leaves them to its device, or somebody has changed the addresses."""
    for syn in ("<sum 1>", "<mss 1460>"):
        *_, last = play(SOUND.replace("<sum 0>", syn) + "+.1 > F. 1:1(0) ack 1 <sum 1>")
        assert last.server_state is State.CLOSE_WAIT


def test_a_garbled_ack_acknowledges_nothing() -> None:
    data = "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 229 <sum 1>\n"
    *_, garbled, ack = play(SOUND + data + "+.01 < . 1:1(0) ack 101")
    assert [note.kind for note in garbled.notes] == ["bad-checksum"]
    assert ack.notes == (Ack(100, pure=True, of=4, rtt=20_000_000),)
