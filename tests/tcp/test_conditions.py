"""Each part of a condition: a ladder in which it alone decides."""

from __future__ import annotations

import pytest
from condition_ladders import ROWS, STAMPED
from frames import RAW, frames, play, seen, tcp
from ladders import HANDSHAKE, OPEN

from trioecho.model import ACK, SYN, Frame, Rung, Segment, State
from trioecho.model.sequence import SPACE
from trioecho.packet.decode import decode
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.data import Ack, Data
from trioecho.tcp.rules.loss import Dsack
from trioecho.tcp.rules.opening import HandshakeComplete
from trioecho.tcp.tracker import Tracker


def found(rung: Rung) -> str:
    """The classes of what was found, but for new data and their ACKs."""
    plain = (Data, Ack)
    return " ".join(type(note).__name__ for note in rung.notes if not isinstance(note, plain))


@pytest.mark.parametrize("name", ROWS)
def test_found(name: str) -> None:
    ladder, expected = ROWS[name]
    assert found(play(ladder)[-1]) == expected


@pytest.mark.parametrize(("ack", "left"), [(5, 2), (6, 1), (10, 1), (11, 0)])
def test_what_seemed_dropped_is_remembered_until_it_is_acknowledged(ack: int, left: int) -> None:
    old = "+.1 > P. 1:6(5) ack 1 <ts 500>\n+.001 > P. 6:11(5) ack 1 <ts 501>\n"
    tracker, _ = seen(f"{STAMPED}{old}+.01 < . 1:1(0) ack {ack} <ts 9>")
    assert len(tracker.connections[0].doubted) == left
    assert tracker.connections[0].client.volume == (ack - 1) // 5 * 5


@pytest.mark.parametrize(
    ("block", "of"), [("1:101", 5), ("100:101", 5), ("101:201", None), ("50:150", 5)]
)
def test_a_dsack_names_what_was_sent_again(block: str, of: int | None) -> None:
    sent = "+.1 > P. 1:101(100) ack 1\n+.3 > P. 1:101(100) ack 1\n+.1 > P. 101:201(100) ack 1\n"
    rung = play(f"{OPEN}{sent}+.01 < . 1:1(0) ack 201 <sack {block}>")[-1]
    assert [note.of for note in rung.notes if isinstance(note, Dsack)] == [of]


@pytest.mark.parametrize(
    ("flags", "state"), [("S", State.SYN_RECEIVED), ("-", State.SYN_SENT), ("F", State.SYN_SENT)]
)
def test_only_a_syn_opens_without_an_ack(flags: str, state: State) -> None:
    """RFC 9293 §3.10.7.3, fifth."""
    assert play(f"> S 0:0(0)\n< {flags} 0:0(0)")[-1].client_state is state


def test_one_ack_may_complete_the_handshake_and_acknowledge_a_fin() -> None:
    ladder = "> S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n< F. 1:1(0) ack 1\n+.01 > . 1:1(0) ack 2"
    rung = play(ladder)[-1]
    assert FinAck(2) in rung.notes
    assert HandshakeComplete(20_000_000) in rung.notes


def test_the_second_fin_of_a_simultaneous_close_is_the_third_step() -> None:
    rungs = play(HANDSHAKE + "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 1")
    assert rungs[3].notes == (ConnectionFin(1),)
    assert rungs[4].notes == (ConnectionFin(3, simultaneous=True, presumed=True),)


# ---- numbers that go on ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["original", "copy", "injected"])
@pytest.mark.parametrize("flags", [ACK, SYN | ACK])
def test_numbers_go_on_beyond_2_to_the_32(kind: str, flags: int) -> None:
    tracker = Tracker()
    for _, frame in frames(HANDSHAKE):
        tracker.sent(whole(frame))
    (connection,) = tracker.connections
    connection.client.next = connection.server.next = 2 * SPACE + 1
    data = tcp("client", flags, 1001, 5001)
    rung = tracker.sent(whole(Frame(4, 0, data, RAW, len(data))), kind)  # type: ignore[arg-type]
    assert (rung.seq, rung.ack) == (2 * SPACE + 1, 2 * SPACE + 1)


def whole(frame: Frame) -> Segment:
    segment = decode(frame)
    assert segment is not None
    return segment


# ---- what is bounded ---------------------------------------------------------------------------


def test_so_many_old_duplicates_are_remembered() -> None:
    old = "".join(f"+.01 > P. {at}:{at + 1}(1) ack 1 <ts 500>\n" for at in range(1, 11))
    tracker, _ = seen(STAMPED + old)
    assert [one.seq for one in tracker.connections[0].doubted] == list(range(3, 11))


def test_so_many_gaps_are_remembered() -> None:
    ladder = "".join(f"+.001 > . {101 + 20 * at}:{111 + 20 * at}(10) ack 1\n" for at in range(70))
    tracker, _ = seen(OPEN + ladder)
    client = tracker.connections[0].client
    assert [gap.seq for gap in client.gaps] == [111 + 20 * at for at in range(5, 69)]
    tracker, _ = seen(OPEN + ladder + "+.01 < . 1:1(0) ack 1491")
    assert len(tracker.connections[0].client.unseen) == 64
