"""How a connection opens, and what may be said of it where some of that was not seen."""

from __future__ import annotations

import pytest
from frames import come_to
from ladders import HANDSHAKE
from ladders import OPEN as TIMED

from trioecho.model import RoundTrips, Rung, State
from trioecho.tcp.rules import refusals, resets
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.opening import (
    ConnectionSyn,
    ConnectionSynack,
    HandshakeComplete,
    LateSyn,
    ReusedPorts,
)

MS = 1_000_000
MIDDLE = (
    "> . 1:1(0) ack 1\n< . 1:1(0) ack 1",
    "no handshake: the capture starts in the middle; ",
)


def kinds(rung: Rung) -> list[str]:
    return [note.kind for note in rung.notes]


def test_a_handshake_without_its_syn_is_not_timed() -> None:
    rungs, summary = come_to("< S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n+.01 > P. 1:6(5) ack 1")
    assert rungs[1].notes == (HandshakeComplete(None),)
    assert (summary.handshake_time, summary.initial_rtt) == (None, None)
    assert summary.completeness.startswith("the handshake's SYN is missing; data seen; no close")


def test_a_syn_seen_behind_its_answer_opens_all_the_same() -> None:
    rungs, summary = come_to("< S. 0:0(0) ack 1\n+.01 > S 0:0(0)\n+.01 > . 1:1(0) ack 1")
    assert rungs[1].notes == (LateSyn(),)
    assert rungs[2].notes == (HandshakeComplete(None),)
    assert summary.completeness.startswith("handshake out of order; no data")


def test_of_the_client_alone() -> None:
    rungs, summary = come_to(
        "> S 0:0(0)\n+.01 > . 1:1(0) ack 1\n+.01 > P. 1:6(5) ack 1\n+.01 > . 6:6(0) ack 1001"
    )
    assert rungs[1].notes == (HandshakeComplete(10_000_000),)
    words = "the handshake's SYN-ACK is missing; data seen; nothing but what the client sent"
    assert summary.completeness.startswith(words)


def test_of_the_server_alone() -> None:
    """What it acknowledges shows that its SYN was; that nobody saw, and nobody says."""
    rungs, summary = come_to(
        "< S. 0:0(0) ack 1\n+.02 < . 1:1(0) ack 101\n+.01 < P. 1:1001(1000) ack 101\n"
        "+.01 < F. 1001:1001(0) ack 102"
    )
    assert [rung.server_state for rung in rungs[:2]] == [State.SYN_RECEIVED, State.ESTABLISHED]
    assert not any("handshake-complete" in kinds(rung) for rung in rungs)
    assert summary.handshake_time is None
    words = "the handshake's SYN is missing; data seen; nothing but what the server sent"
    assert summary.completeness.startswith(words)


def test_the_fin_of_a_server_in_syn_received_completes_no_handshake() -> None:
    rungs, _ = come_to(
        "> S 0:0(0)\n+.01 < S. 0:0(0) ack 1\n+.01 < F. 1:1(0) ack 1\n+.01 > . 1:1(0) ack 2"
    )
    assert rungs[2].notes == (ConnectionFin(1),)
    assert HandshakeComplete(30_000_000) in rungs[3].notes


@pytest.mark.parametrize("ack", [0, -70_000, 500_000])
def test_an_ack_of_what_was_never_sent_completes_no_handshake(ack: int) -> None:
    """RFC 9293 §3.10.7.4: it is answered by a RST, and the state stays."""
    rungs, summary = come_to(
        f"> S 0:0(0)\n< S. 0:0(0) ack 1\n> . 1:1(0) ack {ack}\n< . 1:1(0) ack 1\n"
        "> . 1:1(0) ack 1\n< P. 1:6(5) ack 1"
    )
    assert rungs[2].server_state is State.SYN_RECEIVED
    assert not {"handshake-complete", "ack"} & set(kinds(rungs[2]))
    for note in rungs[2].notes:
        assert "the server cannot have sent yet" in note.text(rungs[2])
    assert rungs[4].server_state is State.ESTABLISHED
    assert "handshake-complete" in kinds(rungs[4])
    assert summary.server_bytes == 5


@pytest.mark.parametrize(
    ("ladder", "words"),
    [
        ("> S 0:0(0)\n< R. 0:0(0) ack 1", "refused"),
        ("> S 0:0(0)\n< S. 0:0(0) ack 1\n> R 1:1(0)", "handshake cut by a reset"),
        ("> S 0:0(0)\n< S. 0:0(0) ack 1\n> R. 1:1(0) ack 1", "handshake cut by a reset"),
        ("> S 0:0(0)", "a SYN without an answer"),
        ("> S 0:0(0)\n> R. 1:1(0) ack 1", "a SYN without an answer; cut by a reset"),
        ("> S 0:0(0)\n< S. 0:0(0) ack 1", "handshake not completed"),
        (
            HANDSHAKE + "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2\n> . 2:2(0) ack 2",
            "handshake and close seen, no data",
        ),
        (HANDSHAKE, "handshake seen, no data; no close: the capture ends first"),
        (
            HANDSHAKE + "> P. 1:6(5) ack 1\n< R. 1:1(0) ack 6",
            "handshake and data seen; cut by a reset",
        ),
        (
            HANDSHAKE + "> F. 1:1(0) ack 1\n< . 1:1(0) ack 2",
            "handshake seen, no data; one direction closed, the other not",
        ),
        (
            "> S 0:0(0)\n> . 1:1(0) ack 1",
            "the handshake's SYN-ACK is missing; no data; nothing but what the client sent was"
            " seen; no close: the capture ends first",
        ),
        (
            "< S. 0:0(0) ack 1\n> . 1:1(0) ack 1\n< P. 1:6(5) ack 1",
            "the handshake's SYN is missing; data seen; no close: the capture ends first",
        ),
        (MIDDLE[0], MIDDLE[1] + "no data; no close: the capture ends first"),
        (
            "> P. 1:6(5) ack 1",
            MIDDLE[1] + "data seen; nothing but what the client sent was seen; no close: the"
            " capture ends first",
        ),
        (
            "< R 1:1(0)",
            MIDDLE[1] + "no data; nothing but what the server sent was seen; cut by a reset",
        ),
        (
            "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2\n> . 2:2(0) ack 2",
            MIDDLE[1] + "close seen, no data",
        ),
        (
            "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2",
            MIDDLE[1] + "no data; closed, but for the last ACK",
        ),
        (
            "> P. 1:6(5) ack 1\n> F. 6:6(0) ack 1\n< F. 1:1(0) ack 7\n> . 7:7(0) ack 2",
            MIDDLE[1] + "data and close seen",
        ),
    ],
)
def test_what_a_connection_came_to(ladder: str, words: str) -> None:
    assert come_to(ladder)[1].completeness == words


def test_the_figures_of_a_connection() -> None:
    """Each is another, so that none stands for two."""
    _, summary = come_to(
        TIMED + "+.1 > P. 1:101(100) ack 1\n+.02 < P. 1:51(50) ack 101\n"
        "+.01 > . 101:101(0) ack 51\n+.3 > . 101:201(100) ack 51\n+.3 > . 101:201(100) ack 51\n"
        "+.05 < . 51:51(0) ack 201\n+.1 > F. 201:201(0) ack 51\n+.02 < . 51:51(0) ack 202\n"
        "+.4 < F. 51:51(0) ack 202\n+.03 > . 202:202(0) ack 52"
    )
    assert (summary.client_bytes, summary.server_bytes) == (200, 50)
    assert (summary.client_segments, summary.server_segments) == (8, 5)
    assert (summary.retransmissions, summary.resets, summary.troubles) == (1, 0, 1)
    assert summary.first_trouble == "rung 8: retransmission of rung 7 after 300 ms: no ACK has come"
    assert (summary.handshake_time, summary.end - summary.start) == (20 * MS, 1350 * MS)
    assert summary.client_rtt == RoundTrips(20 * MS, 20 * MS, 20 * MS)
    assert summary.server_rtt == RoundTrips(10 * MS, 10 * MS, 10 * MS)
    assert summary.client_states == {
        "SYN-SENT": 10 * MS,
        "ESTABLISHED": 890 * MS,
        "FIN-WAIT-1": 20 * MS,
        "FIN-WAIT-2": 400 * MS,
    }
    assert summary.server_states == {
        "SYN-RECEIVED": 10 * MS,
        "ESTABLISHED": 880 * MS,
        "CLOSE-WAIT": 420 * MS,
        "LAST-ACK": 30 * MS,
    }
    _, reset = come_to(HANDSHAKE + "> R. 1:1(0) ack 1")
    assert (reset.resets, reset.troubles, reset.closed_by) == (1, 1, "rst")


def test_an_old_segment_before_the_synack_leaves_no_trace() -> None:
    """An old incarnation's data come before the SYN-ACK: a wrong guess at the server's ISN."""
    rungs, summary = come_to(
        "> S 0:0(0)\n< P. 7000:7100(100) ack 90000\n< S. 0:0(0) ack 1\n> . 1:1(0) ack 1\n"
        "> R. 1:1(0) ack 1"
    )
    assert rungs[3].notes[-1] == HandshakeComplete(0)
    assert rungs[4].notes == (resets.Aborted(),)
    assert (rungs[4].client_state, rungs[4].server_state) == (State.CLOSED, State.CLOSED)
    assert summary.closed_by == "rst"


def test_an_attempt_that_was_reset_leaves_no_trace() -> None:
    rungs, _ = come_to(
        "> S 0:0(0)\n< S. 0:0(0) ack 1\n< P. 1:6(5) ack 1\n> R 1:1(0)\n+1 > S 0:0(0)\n"
        "< S. 70000:70000(0) ack 1\n> . 1:1(0) ack 70001\n> P. 1:6(5) ack 70001\n"
        "< . 70001:70001(0) ack 6"
    )
    assert [rung.seq for rung in rungs[5:]] == [0, 1, 1, 1]
    assert HandshakeComplete(1_000_000_000) in rungs[6].notes
    assert kinds(rungs[8]) == ["ack"]


def test_a_stray_synack_moves_nothing_in_a_connection_that_stands() -> None:
    rungs, summary = come_to(
        HANDSHAKE + "< P. 1:6(5) ack 1\n< S. 9000000:9000000(0) ack 1\n> P. 1:6(5) ack 6\n"
        "< P. 6:11(5) ack 6"
    )
    assert (rungs[6].seq, kinds(rungs[6])) == (6, ["data", "ack"])
    assert summary.server_bytes == 10


def test_a_simultaneous_open_has_no_three_steps() -> None:
    rungs, _ = come_to("> S 0:0(0)\n< S 0:0(0)\n> S. 0:0(0) ack 1\n+.01 < S. 0:0(0) ack 1")
    assert rungs[1].notes == (ConnectionSyn(simultaneous=True),)
    assert rungs[2].notes == (ConnectionSynack(simultaneous=True),)
    assert HandshakeComplete(10_000_000, simultaneous=True) in rungs[3].notes
    said = [note.text(rung) for rung in rungs[1:] for note in rung.notes]
    assert not any(" of 3" in text for text in said)


def test_the_same_isn_behind_a_close_is_a_new_connection() -> None:
    closed = HANDSHAKE + "> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2\n> . 2:2(0) ack 2\n"
    rungs, _ = come_to(closed + "+5 > S 0:0(0)\n< S. 0:0(0) ack 1\n> . 1:1(0) ack 1")
    assert [rung.connection for rung in rungs] == [1] * 6 + [2] * 3
    assert ReusedPorts(1) in rungs[6].notes
    half = closed.replace("> . 2:2(0) ack 2\n", "")
    assert come_to(half + "+5 > S 0:0(0)")[0][-1].connection == 1


def test_a_synack_of_another_syn_is_no_second_step() -> None:
    rungs, _ = come_to("> S 0:0(0)\n< S. 0:0(0) ack 500\n> R 500:500(0)")
    assert kinds(rungs[1]) == ["ack-lost-segment"]
    assert rungs[2].notes == (refusals.UnacceptableAck(),)


def test_a_syn_that_closes_too_has_three_steps_all_the_same() -> None:
    rungs, _ = come_to("> SF 0:0(0)\n< S. 0:0(0) ack 2\n> . 2:2(0) ack 1")
    assert "handshake-complete" not in kinds(rungs[1])
    assert "handshake-complete" in kinds(rungs[2])


def test_two_fins_that_nobody_acknowledged_are_no_whole_close() -> None:
    _, summary = come_to(
        HANDSHAKE + "+.1 > F. 1:1(0) ack 1\n+.001 < F. 1:1(0) ack 1\n"
        "+.01 > R. 2:2(0) ack 1\n+.001 < R 2:2(0)"
    )
    assert summary.completeness == (
        "handshake seen, no data; closed, but cut by a reset before the last ACK"
    )


def test_the_second_step_of_a_close_is_told_once() -> None:
    """An ACK that left before the FIN says nothing of it, and is step 2 by itself."""
    text = HANDSHAKE + "+.1 > F. 1:1(0) ack 1\n+.001 < . 1:1(0) ack 2\n+.1 < F. 1:1(0) ack 2"
    rungs, _ = come_to(text)
    assert FinAck(2) in rungs[-2].notes
    assert rungs[-1].notes == (ConnectionFin(3),)


def test_a_reset_brings_no_data() -> None:
    rungs, summary = come_to(HANDSHAKE + "+.1 < R. 1:21(20) ack 1")
    assert kinds(rungs[-1]) == ["connection-rst"]
    assert summary.server_bytes == 0


def test_a_stray_synack_renumbers_nothing() -> None:
    """The client goes on to acknowledge the first ISN; the server's next bytes are new."""
    talk = HANDSHAKE + "+.1 > P. 1:6(5) ack 1\n+.01 < . 1:1(0) ack 6\n"
    for far in (-900_000, 900_000):
        stray = f"+1 < S. {far}:{far}(0) ack 1\n+.001 > . 6:6(0) ack 1\n"
        rungs, summary = come_to(talk + stray + "+.1 < P. 1:7(6) ack 6\n")
        kinds = [[note.kind for note in rung.notes] for rung in rungs[5:]]
        assert kinds == [["stray-synack"], ["duplicate-ack", "challenge-ack"], ["data"]]
        assert rungs[-1].seq == 1
        assert (summary.server_bytes, summary.retransmissions) == (6, 0)


def test_a_syn_that_is_captured_last_is_this_connections() -> None:
    ladder = (
        "< S. 0:0(0) ack 1\n> . 1:1(0) ack 1\n> P. 1:6(5) ack 1\n< P. 1:6(5) ack 6\n"
        "> F. 6:6(0) ack 6\n< F. 6:6(0) ack 7\n> . 7:7(0) ack 7\n> S 0:0(0)"
    )
    rungs, summary = come_to(ladder)
    assert {rung.connection for rung in rungs} == {1}
    assert (rungs[-1].client_state, rungs[-1].server_state) == ("TIME-WAIT", "CLOSED")
    assert [note.kind for note in rungs[-1].notes] == ["connection-syn"]
    assert summary.retransmissions == 0


@pytest.mark.parametrize(
    ("end", "after", "anew"),
    [
        ("+.1 > R. 6:6(0) ack 1\n", "30", True),
        ("+.1 > R. 6:6(0) ack 1\n", ".0001", True),
        ("", "30", True),
        ("", "1", True),
        ("", ".999", False),
        ("+.1 > F. 6:6(0) ack 1\n", "30", False),
        ("+.1 < F. 1:1(0) ack 6\n", "30", False),
        ("+.1 > S 0:0(0)\n+.0005 > R 6:6(0)\n", ".0005", False),
        ("+.1 > S 0:0(0)\n+.0005 > R 6:6(0)\n", ".0015", True),
    ],
)
def test_the_same_isn_again_after_a_reset_or_a_restart(end: str, after: str, anew: bool) -> None:
    talk = "+.1 > P. 1:6(5) ack 1\n+.02 < . 1:1(0) ack 6\n"
    again = f"+{after} > S 0:0(0)\n+.02 < S. 0:0(0) ack 1\n+.01 > . 1:1(0) ack 1\n" + talk
    rungs, summary = come_to(HANDSHAKE + talk + end + again)
    assert rungs[-1].connection == 1 + anew
    assert not anew or (summary.client_bytes, summary.retransmissions) == (5, 0)
