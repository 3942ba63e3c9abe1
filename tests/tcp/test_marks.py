"""What options and bits say, and what an observer must not fall for."""

from __future__ import annotations

import struct

import pytest
from frames import frames, play, tcp
from ladders import MARKS, OPEN

from trioecho.model import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, Frame, Rung, State
from trioecho.packet.decode import decode
from trioecho.packet.link import RAW
from trioecho.render.script import compare, line
from trioecho.tcp.rules import refusals, resets, timers
from trioecho.tcp.rules.challenges import ChallengeAck
from trioecho.tcp.rules.closing import ConnectionFin, FinAck
from trioecho.tcp.rules.data import NagleDelayedAck
from trioecho.tcp.rules.forgeries import ForgedSyn
from trioecho.tcp.rules.loss import Dsack, DuplicateAck, Sack
from trioecho.tcp.rules.marks import EcnCounter, EcnSetup, Mptcp, Paws, Urgent
from trioecho.tcp.rules.opening import (
    HandshakeComplete,
    TfoAck,
    TfoCookie,
    TfoIgnored,
    TfoRequest,
    TfoSyn,
)
from trioecho.tcp.rules.overlap import SegmentOverlapConflict
from trioecho.tcp.tracker import Tracker


def see(*packets: bytes, step: int = 1_000_000) -> list[Rung]:
    tracker = Tracker()
    rungs = []
    for number, data in enumerate(packets, 1):
        segment = decode(Frame(number, number * step, data, RAW, len(data)))
        assert segment is not None
        rungs.append(tracker.seen(segment))
    return rungs


def kinds(rung: Rung) -> list[str]:
    return [note.kind for note in rung.notes]


def sack(*blocks: tuple[int, int]) -> bytes:
    edges = b"".join(struct.pack("!II", *block) for block in blocks)
    return b"\1\1\5" + bytes([2 + len(edges)]) + edges


def stamp(value: int) -> bytes:
    return b"\1\1\x08\x0a" + struct.pack("!II", value, 0)


SYNS = (tcp("client", SYN, 99), tcp("server", SYN | ACK, 499, 100), tcp("client", ACK, 100, 500))


def test_sack_and_dsack_in_relative_numbers() -> None:
    rungs = see(
        *SYNS,
        tcp("server", ACK, 500, 100, options=sack((200, 300), (400, 450))),
        tcp("server", ACK, 500, 300, options=sack((150, 200))),
        tcp("server", ACK, 500, 300, options=sack((420, 430), (400, 450))),
    )
    assert Sack(((101, 201), (301, 351))) in rungs[3].notes
    assert Dsack(51, 101) in rungs[4].notes
    assert {Dsack(321, 331), Sack(((301, 351),))} <= set(rungs[5].notes)


def test_a_syn_that_came_twice_is_not_called_bytes() -> None:
    """A simultaneous open, as Linux ends it: the SYN-ACK repeats the SYN."""
    rungs = see(
        tcp("client", SYN, 99),
        tcp("server", SYN, 499),
        tcp("server", SYN | ACK, 499, 100),
        tcp("client", SYN | ACK, 99, 500),
        tcp("client", ACK, 100, 500, window=502, options=sack((499, 500))),
    )
    assert Dsack(0, 1) in rungs[-1].notes
    text = Dsack(0, 1).text(rungs[-1])
    assert text == "the client had already received the server's SYN (DSACK): it came twice"


def test_a_duplicate_ack_of_a_fin_waits_for_no_byte() -> None:
    rung = play(MARKS["an ACK of a FIN, once more"])[-1]
    (note,) = (note for note in rung.notes if isinstance(note, DuplicateAck))
    assert note == DuplicateAck(1, 6, "fin")
    assert note.text(rung).endswith("the client acknowledges the FIN again")


COOKIE = b"\x22\x0a" + b"12345678"


def test_a_fast_open_cookie_is_asked_for_given_and_shown() -> None:
    rungs = see(
        tcp("client", SYN, 99, options=b"\x22\2"),
        tcp("server", SYN | ACK, 499, 100, options=COOKIE),
        tcp("client", ACK, 100, 500),
        tcp("client", SYN, 9_099, 0, b"hello", options=COOKIE, port=1),
        tcp("server", SYN | ACK, 9_499, 9_105, port=1),
    )
    assert TfoRequest() in rungs[0].notes
    assert TfoCookie(8) in rungs[1].notes
    assert TfoSyn(5) in rungs[3].notes
    assert TfoAck(5) in rungs[4].notes
    options = [line(rung).options for rung in rungs]
    assert options == ["tfo cookiereq", "tfo cookie", None, "tfo cookie", None]


@pytest.mark.parametrize("taken", [0, 5])
def test_data_with_a_syn_are_fast_open_only_with_a_cookie(taken: int) -> None:
    for options, cookie in ((COOKIE, True), (b"", False)):
        rungs = see(
            tcp("client", SYN, 99, 0, b"hello", options=options),
            tcp("server", SYN | ACK, 499, 100 + taken),
        )
        note = TfoAck(5, cookie) if taken else TfoIgnored(5, cookie)
        assert note in rungs[1].notes
        assert note.text(rungs[1]).startswith("Fast Open") is cookie


def test_a_forged_reset_is_answered_by_a_challenge_ack() -> None:
    """It goes to the end in whose name the reset came, which knows nothing of it."""
    tracker = Tracker()
    rungs = []
    forged = tcp("client", RST, 5_000)
    for number, data in enumerate((*SYNS, forged, tcp("server", ACK, 500, 100)), 1):
        segment = decode(Frame(number, number, data, RAW, len(data)))
        assert segment is not None
        rung = tracker.sent(segment, "injected" if data is forged else "original")
        rungs.append(tracker.connections[0].arrived(rung, number))
    assert rungs[3].notes == (refusals.Challenged(),)
    assert ChallengeAck("reset") in rungs[4].notes
    assert (rungs[4].client_state, rungs[4].server_state) == (State.ESTABLISHED,) * 2


def test_a_forged_syn_opens_nothing() -> None:
    """RFC 5961 §4: the connection goes on, and the end that is named gets a challenge ACK."""
    tracker = Tracker()
    rungs = []
    forged = tcp("client", SYN, 0x40000064)
    packets = (
        *SYNS,
        tcp("client", ACK | PSH, 100, 500, b"hello"),
        tcp("server", ACK, 500, 105),
        forged,
        tcp("client", ACK | PSH, 105, 500, b"again"),
        tcp("server", ACK, 500, 105),
        tcp("server", ACK, 500, 110),
    )
    for number, data in enumerate(packets, 1):
        segment = decode(Frame(number, number, data, RAW, len(data)))
        assert segment is not None
        rung = tracker.sent(segment, "injected" if data is forged else "original")
        rungs.append(tracker.connections[0].arrived(rung, number))
    assert [rung.connection for rung in rungs] == [1] * 9
    assert (rungs[5].seq, rungs[5].notes) == (0x40000001, (ForgedSyn(),))
    assert kinds(rungs[6]) == ["data"]
    assert ChallengeAck("syn") in rungs[7].notes
    assert kinds(rungs[8]) == ["ack"]
    assert all((r.client_state, r.server_state) == (State.ESTABLISHED,) * 2 for r in rungs[2:])
    (summary,) = tracker.summaries()
    assert (summary.client_bytes, summary.troubles, summary.closed_by) == (10, 2, None)
    assert not tracker.connections[0].server.received.islands


def test_who_closed_first_is_known_behind_a_forged_reset() -> None:
    tracker = Tracker()
    rungs = []
    forged = tcp("client", RST | ACK, 151, 500)
    packets = (
        *SYNS,
        tcp("client", FIN | ACK, 100, 500),
        forged,
        tcp("server", ACK, 500, 101),
        tcp("server", FIN | ACK, 500, 101),
        tcp("client", ACK, 101, 501),
    )
    for number, data in enumerate(packets, 1):
        segment = decode(Frame(number, number, data, RAW, len(data)))
        assert segment is not None
        rung = tracker.sent(segment, "injected" if data is forged else "original")
        rungs.append(tracker.connections[0].arrived(rung, number))
    assert FinAck(2) in rungs[5].notes
    assert rungs[5].client_state is State.FIN_WAIT_2
    assert ConnectionFin(3) in rungs[6].notes
    assert FinAck(4, time_wait=True, closed=True) in rungs[7].notes


def test_ecn_is_set_up_marked_echoed_and_answered() -> None:
    marked = bytearray(tcp("client", ACK | PSH, 100, 500, b"x"))
    marked[1] |= 3
    rungs = see(
        tcp("client", SYN | ECE | CWR, 99),
        tcp("server", SYN | ACK | ECE, 499, 100),
        tcp("client", ACK, 100, 500),
        bytes(marked),
        tcp("server", ACK | ECE, 500, 101),
        tcp("client", ACK | PSH | CWR, 101, 500, b"y"),
    )
    assert EcnSetup() in rungs[0].notes
    assert EcnSetup() in rungs[1].notes
    assert "congestion-experienced" in kinds(rungs[3])
    assert "ecn-echo" in kinds(rungs[4])
    assert "cwr" in kinds(rungs[5])


@pytest.mark.parametrize("flags", [ACK | ECE, ACK | ECE | PSH, ACK | ECE | AE])
def test_only_a_synack_agrees_to_ecn(flags: int) -> None:
    rungs = see(
        tcp("client", SYN | ECE | CWR, 99), tcp("server", SYN | ACK, 499, 100),
        tcp("client", ACK, 100, 500), tcp("server", flags, 500, 100),
    )  # fmt: skip
    assert "ecn-setup" not in kinds(rungs[-1])


OFFERS = {"classic": ECE | CWR, "accurate": ECE | CWR | AE, "none": 0}


@pytest.mark.parametrize(
    ("offer", "answer", "agreed"),
    [
        ("classic", ECE, "classic"),
        ("classic", ECE | CWR, "none"),  # it mirrors the offer, RFC 3168 §6.1.1.1
        ("classic", CWR, "none"),
        ("classic", AE, "none"),
        ("none", ECE, "none"),
        ("accurate", 0, "none"),
        ("accurate", ECE, "classic"),
        ("accurate", ECE | AE, "classic"),
        ("accurate", CWR, "accurate"),
        ("accurate", CWR | ECE, "accurate"),
        ("accurate", AE, "accurate"),
        ("accurate", AE | CWR, "accurate"),
        ("accurate", AE | CWR | ECE, "none"),
    ],
)
def test_what_two_syns_agree_on(offer: str, answer: int, agreed: str) -> None:
    """RFC 3168 §6.1.1, and RFC 9768 §3.1, table 2."""
    rungs = see(tcp("client", SYN | OFFERS[offer], 99), tcp("server", SYN | ACK | answer, 499, 100))
    said = [note.accurate for note in rungs[1].notes if isinstance(note, EcnSetup)]
    assert said == {"none": [], "classic": [False], "accurate": [True]}[agreed]


def test_a_counter_that_a_device_clears_tells_nothing() -> None:
    """RFC 9768 §3.2.2.4: no end begins with 000."""
    ladder = "> SWEe 0:0(0)\n< SW. 0:0(0) ack 1\n> . 1:1(0) ack 1\n> P. 1:6(5) ack 1\n"
    rungs = play(f"{ladder}< . 1:1(0) ack 6\n< . 1:1(0) ack 6\n< .E 1:1(0) ack 6")
    assert not [note for rung in rungs for note in rung.notes if isinstance(note, EcnCounter)]


def test_a_counter_that_comes_to_zero_is_told() -> None:
    """It begins at 5: after three marks its bits are 000, as in a segment without any."""
    syn, synack = "SWEe", "SW."
    ladder = f"> {syn} 0:0(0)\n< {synack} 0:0(0) ack 1\n> .W 1:1(0) ack 1\n"
    for bits in ("We", "WEe", "", "E", ""):
        ladder += f"< .{bits} 1:1(0) ack 1\n"
    told = [n.marked for r in play(ladder) for n in r.notes if isinstance(n, EcnCounter)]
    assert told == [1, 2, 3, 4, 3]


def test_accurate_ecn_counts_and_echoes_nothing() -> None:
    """RFC 9768 §3.2.2: the three bits are a counter, and the ACK of a SYN-ACK tells its mark."""
    rungs = see(
        tcp("client", SYN | ECE | CWR | AE, 99),
        tcp("server", SYN | ACK | CWR, 499, 100),
        tcp("client", ACK | CWR, 100, 500),
        tcp("client", ACK | AE | ECE, 100, 500, b"x"),
        tcp("server", ACK | AE | ECE, 500, 101),
        tcp("server", ACK | AE | CWR, 500, 101, b"y"),
        tcp("server", ACK | AE | CWR, 501, 101, b"z"),
    )
    assert all(not {"ecn-echo", "cwr"} & set(kinds(rung)) for rung in rungs)
    counted = {
        rung.number: note.marked
        for rung in rungs
        for note in rung.notes
        if isinstance(note, EcnCounter)
    }
    assert counted == {6: 1}


@pytest.mark.parametrize("counter", range(8))
def test_each_value_of_the_counter(counter: int) -> None:
    """RFC 9768 §3.2.2: AE, CWR and ECE, from 5 on."""
    bits = (counter >> 2 & 1) * AE | (counter >> 1 & 1) * CWR | (counter & 1) * ECE
    rung = see(
        tcp("client", SYN | ECE | CWR | AE, 99),
        tcp("server", SYN | ACK | CWR, 499, 100),
        tcp("client", ACK | CWR, 100, 500),
        tcp("client", ACK | bits, 100, 500, b"x"),
    )[-1]
    told = [note.marked for note in rung.notes if isinstance(note, EcnCounter)]
    assert told == [marked for marked in [(counter - 5) % 8] if marked]


@pytest.mark.parametrize(
    ("answer", "said"),
    [(0, []), (CWR, [True]), (AE, [True]), (AE | CWR, [True]), (CWR | ECE, []), (ECE, [False])],
)
def test_what_an_answer_agrees_to_whose_syn_was_not_seen(answer: int, said: list[bool]) -> None:
    (rung,) = see(tcp("server", SYN | ACK | answer, 499, 100))
    assert [note.accurate for note in rung.notes if isinstance(note, EcnSetup)] == said


def test_a_synack_that_arrived_marked_is_counted() -> None:
    rungs = see(
        tcp("client", SYN | ECE | CWR | AE, 99),
        tcp("server", SYN | ACK | CWR, 499, 100),
        tcp("client", ACK | AE | CWR, 100, 500),
    )
    assert EcnCounter(1) in rungs[2].notes


def test_urgent_data_and_multipath() -> None:
    urgent = tcp("client", ACK | URG, 100, 500, b"!")[:38] + b"\0\1" + b"!"
    multipath = b"\x1e\x0c\0\x81" + bytes(8)
    rungs = see(tcp("client", SYN, 99, options=multipath), *SYNS[1:], urgent)
    assert Mptcp("MP_CAPABLE") in rungs[0].notes
    assert Urgent(1) in rungs[3].notes


def test_an_old_timestamp_is_an_old_duplicate() -> None:
    rungs = see(
        tcp("client", SYN, 99, options=stamp(1000)),
        tcp("server", SYN | ACK, 499, 100, options=stamp(7)),
        tcp("client", ACK | PSH, 100, 500, b"abc", options=stamp(1010)),
        tcp("client", ACK | PSH, 103, 500, b"def", options=stamp(1005)),
    )
    assert Paws(5) in rungs[3].notes


def test_an_old_duplicate_is_not_received_and_no_reset_is_one() -> None:
    """RFC 7323 §5.3 R1: a RST is taken whatever its timestamp."""
    rungs = see(
        tcp("client", SYN, 99, options=stamp(1000)),
        tcp("server", SYN | ACK, 499, 100, options=stamp(7)),
        tcp("client", ACK | PSH, 100, 500, b"abc", options=stamp(1010)),
        tcp("client", ACK | PSH | FIN, 103, 500, b"def", options=stamp(1005)),
        tcp("server", ACK, 500, 103, options=stamp(8)),
        tcp("client", ACK | RST, 103, 500, options=stamp(0)),
    )
    assert Paws(5) in rungs[3].notes
    assert rungs[3].server_state is State.ESTABLISHED
    assert kinds(rungs[5]) == ["connection-rst"]
    assert rungs[5].server_state is State.CLOSED


def test_a_segment_that_was_overtaken_is_no_old_duplicate() -> None:
    rungs = see(
        tcp("client", SYN, 99, options=stamp(1000)),
        tcp("server", SYN | ACK, 499, 100, options=stamp(7)),
        tcp("client", ACK | PSH, 103, 500, b"def", options=stamp(1010)),
        tcp("client", ACK | PSH, 100, 500, b"abc", options=stamp(1005)),
    )
    assert "paws" not in kinds(rungs[3])


def test_the_sequence_number_wraps() -> None:
    rungs = see(tcp("client", SYN, 2**32 - 3), tcp("client", ACK, 2**32 - 2, 1, b"abcd"))
    assert "sequence-wrap" not in kinds(rungs[0])
    assert "sequence-wrap" in kinds(rungs[1])


def test_other_bytes_in_the_same_place() -> None:
    rungs = see(
        *SYNS,
        tcp("client", ACK | PSH, 100, 500, b"transfer 10"),
        tcp("client", ACK | PSH, 100, 500, b"transfer 99"),
        tcp("client", ACK | PSH, 100, 500, b"transfer 10"),
        step=300_000_000,
    )
    assert SegmentOverlapConflict(of=4, at=10) in rungs[4].notes
    assert "segment-overlap-conflict" not in kinds(rungs[5])


def test_nagle_meets_delayed_ack() -> None:
    ladder = OPEN + (
        "+.1 > P. 1:11(10) ack 1\n+.04 < . 1:1(0) ack 11\n+.0001 > P. 11:21(10) ack 1\n"
    )
    # A quick ACK came before, so that 40 ms are not the way's own.
    quick = OPEN + "+.1 > P. 1:2(1) ack 1\n+.001 < . 1:1(0) ack 2\n"
    later = "+.1 > P. 2:12(10) ack 1\n+.04 < . 1:1(0) ack 12\n+.0001 > P. 12:22(10) ack 1\n"
    assert NagleDelayedAck(40_000_000) in play(quick + later)[-1].notes
    assert NagleDelayedAck(40_000_000) not in play(ladder)[-1].notes


@pytest.mark.parametrize("name", MARKS)
def test_ladder(name: str) -> None:
    difference = compare(MARKS[name], play(MARKS[name]))
    assert not difference, f"\n{difference}"


def test_tail_loss_probe_is_named() -> None:
    rung = play(MARKS["a tail loss probe is too soon for a timeout"])[-1]
    assert timers.TailLossProbe(6, 50_000_000) in rung.notes


def test_distinct_bytes_are_counted_once() -> None:
    tracker = Tracker()
    for _, frame in frames(MARKS["data within a hole counts once"]):
        segment = decode(frame)
        assert segment is not None
        tracker.seen(segment)
    (summary,) = tracker.summaries()
    assert summary.client_bytes == 200


def test_a_capture_may_begin_at_the_synack() -> None:
    rungs = play("< S. 0:0(0) ack 1\n> . 1:1(0) ack 1\n> F. 1:1(0) ack 1\n< F. 1:1(0) ack 2")
    assert [(r.client_state, r.server_state) for r in rungs] == [
        (State.ESTABLISHED, State.SYN_RECEIVED),
        (State.ESTABLISHED, State.ESTABLISHED),
        (State.FIN_WAIT_1, State.CLOSE_WAIT),
        (State.TIME_WAIT, State.LAST_ACK),
    ]


def test_the_handshake_is_timed_although_its_third_step_closes() -> None:
    rungs = play("+0 > S 0:0(0)\n+.1 < S. 0:0(0) ack 1\n+.1 > F. 1:1(0) ack 1")
    assert HandshakeComplete(200_000_000) in rungs[2].notes


def test_a_bare_reset_does_not_refuse() -> None:
    """In SYN-SENT a RST counts only with an ACK of the SYN (RFC 9293 §3.10.7.3)."""
    rungs = play("> S 0:0(0)\n< R 0:0(0)\n< S. 0:0(0) ack 1\n> . 1:1(0) ack 1")
    assert rungs[-1].client_state is State.ESTABLISHED


def test_a_synack_of_another_syn_is_not_taken() -> None:
    rungs = play("> S 0:0(0)\n< S. 0:0(0) ack 900")
    assert rungs[-1].client_state is State.SYN_SENT


def test_old_duplicate_syn_to_its_end() -> None:
    """RFC 9293 figure 8, played on past the reset."""
    rungs = play(
        "> S 0:0(0)\n< S. 0:0(0) ack -500\n> R -500:-500(0)\n"
        "< S. 100:100(0) ack 1\n> . 1:1(0) ack 101\n> P. 1:6(5) ack 101"
    )
    assert (rungs[-1].client_state, rungs[-1].server_state) == (State.ESTABLISHED,) * 2
    assert rungs[3].seq == 0
    assert "lost-segment" not in kinds(rungs[3])
    assert "ack-lost-segment" not in kinds(rungs[4])


def test_half_open_discovery() -> None:
    """RFC 9293 figure 9: the old end answers a SYN with where the old connection stands."""
    rungs = see(
        *SYNS,
        tcp("client", SYN, 70_000),
        tcp("server", ACK, 500, 100),
        tcp("client", RST, 100),
        tcp("client", SYN, 70_000),
        tcp("server", SYN | ACK, 90_000, 70_001),
        tcp("client", ACK, 70_001, 90_001),
    )
    assert [rung.connection for rung in rungs] == [1] * 3 + [2] * 6
    assert rungs[4].notes == (ChallengeAck("half-open"),)
    assert rungs[5].notes == (resets.HalfOpen(),)
    assert (rungs[8].client_state, rungs[8].server_state) == (State.ESTABLISHED,) * 2


def test_a_connection_that_opens_after_all_was_not_closed_by_a_reset() -> None:
    tracker = Tracker()
    for _, frame in frames("> S 0:0(0)\n< . 0:0(0) ack 500\n> R 500:500(0)\n> S 0:0(0)"):
        segment = decode(frame)
        assert segment is not None
        tracker.seen(segment)
    (summary,) = tracker.summaries()
    assert summary.closed_by is None


INTERACTIVE = OPEN + "+.1 > P. 1:11(10) ack 1\n+.01 < . 1:1(0) ack 11\n"


def test_what_leaves_with_a_held_ack_waited_for_it() -> None:
    held = INTERACTIVE + "+.1 > P. 11:12(1) ack 1\n+.06 < . 1:1(0) ack 12\n"
    rungs = play(held + "+.001 > P. 12:13(1) ack 1")
    assert NagleDelayedAck(60_000_000) in rungs[-1].notes


def test_what_answers_something_else_waited_for_no_held_ack() -> None:
    """The ACK is long there when a line comes that is answered at once."""
    held = INTERACTIVE + "+.1 > P. 11:12(1) ack 1\n+.06 < . 1:1(0) ack 12\n"
    rungs = play(held + "+2 < P. 1:2(1) ack 12\n+.001 > P. 12:13(1) ack 2")
    assert "nagle-delayed-ack" not in kinds(rungs[-1])
    rungs = play(held + "+.0005 < P. 1:2(1) ack 12\n+.0005 > P. 12:13(1) ack 2")
    assert "nagle-delayed-ack" not in kinds(rungs[-1])


def test_a_server_answers_a_forged_syn_when_its_connection_is_over() -> None:
    """Its SYN-ACK has another ISN, and acknowledges nothing of the client's."""
    tracker = Tracker()
    rungs = []
    forged = [tcp("client", RST | ACK, 100, 500), tcp("client", SYN, 0x40000064)]
    packets = (*SYNS, *forged, tcp("server", SYN | ACK, 9_000, 0x40000065))
    for number, data in enumerate(packets, 1):
        segment = decode(Frame(number, number, data, RAW, len(data)))
        assert segment is not None
        if data is forged[1]:
            tracker.listens(segment.destination, now=True)
        rung = tracker.sent(segment, "injected" if data in forged else "original")
        rungs.append(tracker.connections[0].arrived(rung, number))
    assert rungs[4].server_state is State.LISTEN
    assert kinds(rungs[4]) == ["forged-syn"]
    assert (kinds(rungs[5]), rungs[5].ack) == (["answers-forged"], 1)
