"""Each part of a condition: a ladder in which it alone decides."""

from __future__ import annotations

import pytest
from frames import RAW, frames, play, seen, tcp
from ladders import HANDSHAKE, OPEN

from trioecho.model import ACK, SYN, Frame, Rung, Segment
from trioecho.model.sequence import SPACE
from trioecho.packet.decode import decode
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.data import Ack, Data
from trioecho.tcp.rules.opening import HandshakeComplete
from trioecho.tcp.tracker import Tracker

STAMPED = """
+0   > S  0:0(0) <ts 1000>
+.01 < S. 0:0(0) ack 1 <ts 7>
+.01 > .  1:1(0) ack 1 <ts 1010>
"""
FIVE = OPEN + "".join(f"+.001 > . {at}:{at + 100}(100) ack 1\n" for at in range(1, 501, 100))
TFO = "+0 > S 0:5(5) <tfo 8>\n"


def found(rung: Rung) -> str:
    """The classes of what was found, but for new data and their ACKs."""
    plain = (Data, Ack)
    return " ".join(type(note).__name__ for note in rung.notes if not isinstance(note, plain))


ROWS = {
    # A keep-alive in the middle has no byte, and nothing is known of its sender but one number.
    "an answer to a keep-alive that was seen": (
        "> . 1:1(0) ack 1\n< . 1:1(0) ack 2",
        "FirstKeepAliveAck",
    ),
    "with data": ("> . 1:1(0) ack 1\n< P. 1:6(5) ack 2", "AckLostSegment"),
    "behind a SYN": (HANDSHAKE + "< . 1:1(0) ack 2", "AckLostSegment"),
    "behind data": ("> P. 1:6(5) ack 1\n< . 1:1(0) ack 7", "AckLostSegment"),
    "behind a FIN, which has no number behind it": (
        "> F. 1:1(0) ack 1\n< . 1:1(0) ack 3",
        "AckLostSegment FinAck",
    ),
    "an ACK that it has overtaken": (
        "> . 1:1(0) ack 1\n< . 1:1(0) ack 2\n< . 1:1(0) ack 1",
        "OlderAck",
    ),
    "RFC 7323 §5.3: a RST moves no timestamp": (
        STAMPED + "+.1 > R 0:0(0) <ts 9000>\n+.1 > P. 1:6(5) ack 1 <ts 1020>",
        "",
    ),
    "a RST before the first SYN begins no connection that the SYN would end": (
        "< R 1:1(0)\n> S 0:0(0)",
        "ConnectionSyn",
    ),
    "an older ACK takes no SACK block back": (
        FIVE + "+.001 < . 1:1(0) ack 101 win 1000\n" * 3 + "+.001 > . 101:201(100) ack 1\n"
        "+.001 < . 1:1(0) ack 201 win 900 <sack 401:501>\n+0 < . 1:1(0) ack 101 win 900\n"
        "+.001 > . 301:401(100) ack 1",
        "Recovery",
    ),
    "the packet of a repetition is not that of the last ACK": (
        OPEN + "+.1 > P. 1:6(5) ack 1\n+.1 < P. 1:6(5) ack 6 win 1000 <id 7>\n"
        "+.1 < . 6:6(0) ack 6 win 1000 <id 8>\n+.001 < P. 1:6(5) ack 6 win 1000 <id 9>\n"
        "+.001 < . 6:6(0) ack 6 win 1000 <id 8>",
        "CopiedAck",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_found(name: str) -> None:
    ladder, expected = ROWS[name]
    assert found(play(ladder)[-1]) == expected


def test_one_ack_may_complete_the_handshake_and_acknowledge_a_fin() -> None:
    ladder = "> S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n< F. 1:1(0) ack 1\n+.01 > . 1:1(0) ack 2"
    rung = play(ladder)[-1]
    assert FinAck(2) in rung.notes
    assert HandshakeComplete(20_000_000) in rung.notes


def test_the_second_fin_of_a_simultaneous_close_is_the_third_step() -> None:
    rungs = play(HANDSHAKE + "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 1")
    assert rungs[3].notes == (ConnectionFin(1),)
    assert rungs[4].notes == (ConnectionFin(3, simultaneous=True, presumed=True),)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (FinAck(2), "2 of 4: the client knows the server will send no more; it may still send"),
        (
            FinAck(2, closed=True),
            "2 of 4: the client knows the server will send no more; nor will it",
        ),
        (FinAck(4), "4 of 4: closed"),
        (
            FinAck(4, time_wait=True),
            "4 of 4: closed; the client waits in TIME-WAIT, in case this ACK is lost",
        ),
        (
            FinAck(4, crossed=True),
            "the client acknowledges the FIN that crossed its own: both ends will wait in"
            " TIME-WAIT",
        ),
        (ConnectionFin(3), "3 of 4: the client closes its direction too"),
        (
            ConnectionFin(3, acknowledges=True),
            "2 and 3 of 4: the client acknowledges that and closes its own direction too",
        ),
    ],
)
def test_the_steps_of_a_close_in_words(fact: FinAck | ConnectionFin, text: str) -> None:
    assert fact.text(play("> S 0:0(0)")[0]) == text


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


def test_so_many_gaps_are_remembered() -> None:
    ladder = "".join(f"+.001 > . {101 + 20 * at}:{111 + 20 * at}(10) ack 1\n" for at in range(70))
    tracker, _ = seen(OPEN + ladder)
    client = tracker.connections[0].client
    assert [gap.seq for gap in client.gaps] == [111 + 20 * at for at in range(5, 69)]
    tracker, _ = seen(OPEN + ladder + "+.01 < . 1:1(0) ack 1491")
    assert len(tracker.connections[0].client.unseen) == 64
