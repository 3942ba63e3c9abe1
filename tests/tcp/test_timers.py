"""What a timer sends again: what its sender knows of the ACKs decides, where a wire tells."""

# covers: tcp/rules/timers

from __future__ import annotations

import pytest
from frames import frames, on_wire, play
from ladders import OPEN

from trioecho.model import Rung
from trioecho.packet.decode import decode
from trioecho.tcp.tracker import Tracker

DATA = OPEN + "+.1 > P. 1:101(100) ack 1\n"


def said(rung: Rung) -> str:
    return "; ".join(note.text(rung) for note in rung.notes)


def last(ladder: str) -> str:
    return said(play(ladder)[-1])


def test_an_ack_that_was_lost_has_acknowledged_nothing() -> None:
    once = DATA + "+.001 < . 1:1(0) ack 101 lost\n+.21 > P. 1:101(100) ack 1\n"
    assert last(once) == (
        "retransmission of rung 4 after 211 ms: the server had it, but its ACK, rung 5, was lost,"
        " so the client's timer expired"
    )
    again = once + "+.001 < . 1:1(0) ack 101 lost\n+.42 > P. 1:101(100) ack 1\n"
    assert last(again) == (
        "retransmission of rung 4 after 632 ms, for the 2nd time: the server had it, but its ACK,"
        " rung 5, was lost, so the client's timer expired"
    )


def test_every_retransmission_counts() -> None:
    """Not the timer's alone: the first comes before it."""
    ladder = DATA + "+.029 > P. 1:101(100) ack 1\n+.21 > P. 1:101(100) ack 1\n"
    assert (
        last(ladder) == "retransmission of rung 4 after 239 ms, for the 2nd time: no ACK has come"
    )


def test_a_probe_behind_a_lost_ack() -> None:
    assert last(DATA + "+.001 < . 1:1(0) ack 101 lost\n+.04 > P. 1:101(100) ack 1\n") == (
        "retransmission of rung 4 after 41 ms: the server had it, but its ACK, rung 5, was lost,"
        " so the client asked before a timeout: a tail loss probe"
    )


def test_an_ack_that_arrived_has_acknowledged_it() -> None:
    before = OPEN + "+.01 > . 1:1(0) ack 1 lost\n"
    repeated = "+.1 > P. 1:101(100) ack 1\n+.001 < . 1:1(0) ack 101\n+.3 > P. 1:101(100) ack 1\n"
    assert last(before + repeated) == "spurious retransmission: rung 6 had acknowledged it"


def test_in_a_capture_it_rests_on_an_ack_that_may_not_have_arrived() -> None:
    assert last(DATA + "+.001 < . 1:1(0) ack 101\n+.21 > P. 1:101(100) ack 1\n") == (
        "spurious retransmission: rung 5 had acknowledged it, if that ACK reached the client"
    )


def test_a_fin_whose_ack_was_lost() -> None:
    ladder = "+.1 > F. 1:1(0) ack 1\n+.001 < . 1:1(0) ack 2 lost\n+.21 > F. 1:1(0) ack 1\n"
    assert last(OPEN + ladder) == (
        "retransmission of rung 4 after 211 ms: the server had it, but its answer, rung 5, was"
        " lost, so the client's timer expired"
    )


def test_a_fin_that_is_probed_for_behind_a_lost_ack() -> None:
    """Before the shortest timeout it is no timer's; several ACKs may have been lost."""
    lost = OPEN + "+.1 > F. 1:1(0) ack 1\n" + "+.001 < . 1:1(0) ack 2 lost\n" * 2
    assert last(lost + "+.04 > F. 1:1(0) ack 1") == (
        "retransmission of rung 4 after 42 ms, before a timeout: a tail loss probe"
    )
    assert last(lost + "+.198 > F. 1:1(0) ack 1") == (
        "retransmission of rung 4 after 200 ms: the server had it, but its answer, rung 5, was"
        " lost, so the client's timer expired"
    )


def test_duplicate_acks_that_were_lost_ask_for_nothing() -> None:
    ladder = """
    +.1   > .  1:101(100) ack 1 lost
    +.001 > .  101:201(100) ack 1
    +.001 < .  1:1(0) ack 1 win 1000{0}
    +.001 > .  201:301(100) ack 1
    +.001 < .  1:1(0) ack 1 win 1000{0}
    +.015 > .  1:101(100) ack 1
    """
    assert "fast retransmission" in last(OPEN + ladder.format(""))
    assert "fast" not in last(OPEN + ladder.format(" lost"))


def test_a_timer_that_expires_again_is_no_recovery() -> None:
    """Whatever comes shortly before: only something new could make its sender recover."""
    ladder = """
    +.1   > .  1:101(100) ack 1
    +0    > .  101:201(100) ack 1
    +.21  > .  1:101(100) ack 1
    +.42  > .  1:101(100) ack 1
    +.8   < P. 1:101(100) ack 1
    +.04  > .  1:101(100) ack 101
    +1.6  < P. 1:101(100) ack 1
    +.01  > .  1:101(100) ack 101
    """
    repeated = [rung for rung in play(OPEN + ladder) if rung.number in (6, 7, 9, 11)]
    assert [rung.notes[0].text(rung) for rung in repeated] == [
        "retransmission of rung 4 after 210 ms: no ACK has come",
        "retransmission of rung 4 after 630 ms, for the 2nd time: no ACK has come",
        "retransmission of rung 4 after 1.47 s, for the 3rd time: no ACK of it has come",
        "retransmission of rung 4 after 3.08 s, for the 4th time: no ACK of it has come",
    ]


def test_a_copy_that_the_wire_made_is_not_its_senders() -> None:
    tracker = Tracker()
    packets = [frame for _, frame in frames(DATA)]
    for frame, kind in (*((frame, "original") for frame in packets), (packets[-1], "copy")):
        segment = decode(frame)
        assert segment is not None
        rung = tracker.sent(segment, kind)  # type: ignore[arg-type]
        (connection,) = tracker.connections
        rung = connection.arrived(rung, frame.time)
    assert (rung.kind, rung.notes, rung.seq) == ("copy", (), 1)
    (summary,) = tracker.summaries()
    assert (summary.retransmissions, summary.troubles, summary.client_segments) == (0, 0, 3)


def test_on_a_wire_that_knows_its_copies_nothing_else_is_one() -> None:
    """The ACK of a FIN that has come once more, in packets without an identification."""
    ladder = """
    +.1   > F. 1:1(0) ack 1 lost
    +.3   > F. 1:1(0) ack 1
    +.001 < F. 1:1(0) ack 2
    +.001 > .  2:2(0) ack 2
    +.001 < F. 1:1(0) ack 2
    +.001 > .  2:2(0) ack 2
    """
    *_, again, answer = play(OPEN + ladder)
    assert said(again) == (
        "retransmission of rung 6 after 2.0 ms: it has crossed its answer, rung 7, or that was not"
        " taken"
    )
    assert said(answer) == (
        "duplicate ACK number 1 of rung 7: the client acknowledges the FIN again"
    )


@pytest.mark.parametrize(
    ("ladder", "retransmissions", "probes"),
    [
        ("+.04 > P. 1:101(100) ack 1", 0, 1),
        ("+.3 > P. 1:101(100) ack 1", 1, 0),
        ("+.001 < . 1:1(0) ack 101 lost\n+.04 > P. 1:101(100) ack 1", 0, 1),
        ("+.001 < . 1:1(0) ack 101 lost\n+.3 > P. 1:101(100) ack 1", 1, 0),
        ("+.02 < . 1:1(0) ack 101\n+7200 > . 100:100(0) ack 1", 0, 1),
        ("+.02 < . 1:1(0) ack 101 win 0\n+.2 > . 101:102(1) ack 1", 0, 1),
        ("+.02 < . 1:1(0) ack 101 win 0\n+.2 > . 100:100(0) ack 1", 0, 1),
    ],
)
def test_a_probe_is_no_retransmission(ladder: str, retransmissions: int, probes: int) -> None:
    tracker, _ = on_wire(DATA + ladder)
    (summary,) = tracker.summaries()
    assert (summary.retransmissions, summary.probes) == (retransmissions, probes)


def test_what_a_tail_loss_probe_reveals_is_recovered_behind_it() -> None:
    lost = "+.1 > . 1:101(100) ack 1\n+0 > . 101:201(100) ack 1\n+0 > P. 201:301(100) ack 1\n"
    probe = "+.05 > P. 201:301(100) ack 1\n+.02 < . 1:1(0) ack 1 win 1000 <sack 201:301>\n"
    first = OPEN + lost + probe + "+.001 > . 1:101(100) ack 1"
    assert last(first).endswith(
        "after its probe, rung 7, the client considers this lost, and begins its loss recovery"
    )
    assert last(first + "\n+.001 > . 101:201(100) ack 1").endswith(
        "the client considers this lost too, and continues its loss recovery"
    )
