"""What the numbers say: loss, repetition, windows. One ladder a verdict."""

# covers: tcp/history

from __future__ import annotations

import struct

import pytest
from frames import come_to, frames, play, tcp
from ladders import OPEN, VERDICTS

from trioecho.model import ACK, FIN, SYN, Frame, Rung
from trioecho.packet.decode import decode
from trioecho.packet.link import RAW
from trioecho.render.script import compare
from trioecho.tcp.rules import closing, loss, overtaking, repetition, timers
from trioecho.tcp.rules.data import Ack
from trioecho.tcp.rules.loss import AckLostSegment, Dsack, DuplicateAck
from trioecho.tcp.rules.marks import ClockStep, Urgent
from trioecho.tcp.rules.opening import HandshakeComplete, ReusedPorts
from trioecho.tcp.rules.overlap import SegmentOverlapConflict
from trioecho.tcp.rules.overtaking import OlderAck, OutOfOrder
from trioecho.tcp.rules.repetition import (
    FastRetransmission,
    Retransmission,
    SpuriousRetransmission,
)
from trioecho.tcp.rules.windows import KeepAlive, KeepAliveAck
from trioecho.tcp.tracker import Tracker
from trioecho.text import seconds


@pytest.mark.parametrize("isn", [1000, 0xFFFFFF00, 0x7FFFFFF0])
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str, isn: int) -> None:
    ladder = VERDICTS[name]
    difference = compare(ladder, play(ladder, isn, isn))
    assert not difference, f"\n{difference}"


def test_the_numbers_that_make_a_verdict_a_fact() -> None:
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1")
    assert rungs[-1].notes == (timers.Timeout(of=4, after=200_000_000),)
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+.02 < . 1:1(0) ack 101")
    assert rungs[-1].notes == (Ack(100, pure=True, of=4, rtt=20_000_000),)


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        ("+.1 > . 1:101(100) ack 1\n+.2 > . 1:51(50) ack 1", 100),
        ("+.1 > . 1:101(100) ack 1\n+.2 > . 1:101(100) ack 1", None),
        # Two segments that the sender's device cuts.
        ("+.1 > . 1:201(200) ack 1\n+.2 > . 1:101(100) ack 1", None),
        # The rest has arrived.
        (
            "+.1 > . 1:101(100) ack 1\n+0 < . 1:1(0) ack 1 <sack 51:101>\n+.2 > . 1:51(50) ack 1",
            None,
        ),
        # The window has shrunk.
        ("+.1 > . 1:101(100) ack 1\n+0 < . 1:1(0) ack 1 win 90\n+.2 > . 1:51(50) ack 1", None),
    ],
)
def test_a_timer_that_sends_less_says_so(lines: str, first: int | None) -> None:
    *_, last = play(OPEN + lines)
    (found,) = (note for note in last.notes if isinstance(note, timers.Timeout))
    assert (found.first if isinstance(found, timers.ShorterTimeout) else None) == first
    assert ("instead of" in found.text(last)) is (first is not None)


@pytest.mark.parametrize("outstanding", [False, True])
def test_an_ack_that_comes_again_before_there_are_data_asks_for_none(outstanding: bool) -> None:
    """RFC 5681 §2: a duplicate ACK is one while data are outstanding; here RACK repairs it."""
    again, lost = "+.001 > . 1:1(0) ack 1 win 1000\n", "+.001 < P. 1:101(100) ack 1 lost\n"
    data = "+.001 < P. 101:201(100) ack 1\n+.001 > . 1:1(0) ack 1 win 1000 <sack 101:201>\n"
    lines = (lost + again if outstanding else again + lost) + data
    note = play(OPEN + lines + "+.018 < P. 1:101(100) ack 1")[-1].notes[0]
    assert isinstance(note, FastRetransmission if outstanding else repetition.Rack)


def test_an_ack_of_a_repeated_segment_tells_no_rtt() -> None:
    """Karn's algorithm, RFC 6298 §3."""
    rungs = play(
        OPEN + "+.1 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1\n+.02 < . 1:1(0) ack 101"
    )
    assert rungs[-1].notes == (Ack(100, pure=True, of=4, or_again=True),)


def round_trips(ladder: str) -> list[int]:
    rungs = play(OPEN + ladder)
    acks = [note for rung in rungs for note in rung.notes if isinstance(note, Ack)]
    return [note.rtt for note in acks if note.rtt is not None]


def test_an_ack_that_a_repair_has_released_tells_no_rtt() -> None:
    """The receiver had the last segment long before it could acknowledge it."""
    first = "+.1 > . 1:101(100) ack 1\n+.01 > . 101:201(100) ack 1\n+.01 > . 201:301(100) ack 1\n"
    repair = "+.3 > . 1:101(100) ack 1\n+.02 < . 1:1(0) ack 301\n"
    after = "+.1 > . 301:401(100) ack 1\n+.02 < . 1:1(0) ack 401"
    assert round_trips(first + repair + after) == [20_000_000]


def test_an_ack_behind_what_was_overtaken_tells_no_rtt() -> None:
    ladder = "+.1 > . 101:201(100) ack 1\n+.008 > . 1:101(100) ack 1\n+.001 < . 1:1(0) ack 201"
    assert round_trips(ladder) == []


def test_an_ack_of_what_was_acknowledged_selectively_tells_no_rtt() -> None:
    block = b"\1\1\5\x0a" + struct.pack("!II", 200, 300)
    rungs = see(
        *HANDSHAKE,
        (1, packet(1, 100)),
        (1, packet(2, 200)),
        (9, tcp("server", ACK, 500, 100, options=block)),
        (9, tcp("server", ACK, 500, 300)),
    )
    assert rungs[-1].notes == (Ack(200, pure=True, of=5, rtt=None),)


def test_a_copy_spoils_no_rtt() -> None:
    """Where each packet passes twice, each ACK is still of the first one."""
    data, ack = packet(7, 100), tcp("server", ACK, 500, 200)
    rungs = see(*HANDSHAKE, (1, data), (1, data), (18, ack))
    assert rungs[-1].notes == (Ack(100, pure=True, of=4, rtt=19_000_000),)


def test_the_handshake_is_timed() -> None:
    assert play(OPEN)[-1].notes == (HandshakeComplete(20_000_000),)


def test_offload_is_said_once() -> None:
    rungs = play(OPEN + "+.1 > . 1:3001(3000) ack 1\n+.1 > . 3001:6001(3000) ack 1")
    kinds = [note.kind for rung in rungs for note in rung.notes]
    assert kinds.count("segmentation-offload") == 1


def test_ports_used_again() -> None:
    first = play(OPEN)
    again = play(
        OPEN + OPEN.replace("> S  0:0", "> S  70000:70000").replace("ack 1 ", "ack 70001 ")
    )
    assert ReusedPorts(1) in again[3].notes
    assert [rung.connection for rung in again] == [1, 1, 1, 2, 2, 2]
    assert again[3].seq == 0
    assert len(first) == 3


def test_only_what_is_missing_is_counted() -> None:
    rungs = play(VERDICTS["one of two holes is filled, and the other acknowledged"])
    assert AckLostSegment(100) in rungs[6].notes


def test_what_follows_a_partial_ack_belongs_to_the_recovery() -> None:
    rungs = play(VERDICTS["a partial ACK, and the next hole in the same recovery"])
    assert rungs[9].notes == (FastRetransmission(duplicates=3),)
    assert rungs[11].notes == (repetition.Recovery(),)


HANDSHAKE = (
    (0, tcp("client", SYN, 99)),
    (20, tcp("server", SYN | ACK, 499, 100)),
    (20, tcp("client", ACK, 100, 500)),
)


def see(*packets: tuple[int, bytes]) -> list[Rung]:
    """Packets, each so many milliseconds after the one before."""
    tracker, rungs, time = Tracker(), [], 0
    for number, (delta, data) in enumerate(packets, 1):
        time += delta * 1_000_000
        segment = decode(Frame(number, time, data, RAW, len(data)))
        assert segment is not None
        rungs.append(tracker.seen(segment))
    return rungs


def numbered(data: bytes, identification: int) -> bytes:
    return data[:4] + identification.to_bytes(2, "big") + data[6:]


def packet(identification: int, seq: int) -> bytes:
    return numbered(tcp("client", ACK, seq, 500, bytes(100)), identification)


def test_the_very_same_packet_is_not_the_senders_retransmission() -> None:
    """One packet passes the tap before and behind a router: its identification tells."""
    packets = (packet(7, 100), packet(8, 200))
    rungs = see(*HANDSHAKE, *((1, data) for data in packets * 2))
    assert rungs[5].notes == (overtaking.OvertakenCopy(200, of=4),)
    assert rungs[6].notes == (overtaking.SamePacket(5, 2_000_000),)


@pytest.mark.parametrize(
    ("identification", "delay"), [(9, 1), (7, 50)], ids=["another packet", "too late for a copy"]
)
def test_what_its_sender_repeats_is_a_retransmission(identification: int, delay: int) -> None:
    again = (delay, packet(identification, 100))
    rung = see(*HANDSHAKE, (1, packet(7, 100)), (1, packet(8, 200)), again)[-1]
    assert rung.notes == (Retransmission(4, (delay + 1) * 1_000_000),)


def test_a_copy_counts_neither_as_bytes_nor_as_retransmission() -> None:
    tracker = Tracker()
    for number, (_, data) in enumerate((*HANDSHAKE, *((1, packet(7, 100)),) * 2), 1):
        segment = decode(Frame(number, number * 1_000_000, data, RAW, len(data)))
        assert segment is not None
        tracker.seen(segment)
    (summary,) = tracker.summaries()
    assert (summary.client_bytes, summary.retransmissions) == (100, 0)


def test_sack_alone_can_tell_a_loss() -> None:
    """A receiver whose window opens with each ACK repeats none (RFC 6675 §4)."""
    segments = [(1, packet(0, 100 + 100 * at)) for at in range(5)]
    mss = (0, tcp("client", SYN, 99)), (20, tcp("server", SYN | ACK, 499, 100, options=b"\2\4\0d"))
    block = b"\1\1\5\x0a" + (200).to_bytes(4, "big") + (600).to_bytes(4, "big")
    ack = (1, tcp("server", ACK, 500, 100, window=9000, options=block))
    rungs = see(*mss, HANDSHAKE[2], *segments, ack, (1, packet(0, 100)))
    assert rungs[-1].notes == (FastRetransmission(4, 6_000_000, duplicates=0),)


def test_an_ack_counts_from_its_arrival() -> None:
    """Where the way is long, duplicate ACKs are old when they come, and ask all the same."""
    tracker = Tracker()
    ladder = (
        OPEN
        + "+.1 > . 1:101(100) ack 1 lost\n"
        + "+.001 > . 101:301(200) ack 1\n"
        + "+.001 < . 1:1(0) ack 1\n" * 4
        + "+.051 > . 1:101(100) ack 1\n"
    )
    for line, frame in frames(ladder):
        segment = decode(frame)
        assert segment is not None
        rung = tracker.sent(segment)
        connection = tracker.find(segment.source, segment.destination)
        assert connection is not None
        if not line.lost:
            connection.arrived(rung, frame.time + 50_000_000)
    assert [note.kind for note in rung.notes] == ["fast-retransmission"]


def test_the_byte_of_a_keep_alive_is_no_data() -> None:
    """Nor is it news that the peer has had its number before (RFC 2883)."""
    twice = b"\1\1\5\x0a" + struct.pack("!II", 104, 105)
    rungs = see(
        *HANDSHAKE,
        (20, tcp("client", ACK, 100, 500, b"hello")),
        (20, tcp("server", ACK, 500, 105, window=100)),
        (10_000, tcp("client", ACK, 104, 500, b"\0")),
        (20, tcp("server", ACK, 500, 105, window=100, options=twice)),
    )
    assert [rung.notes for rung in rungs[5:]] == [(KeepAlive(),), (KeepAliveAck(),)]


def cause(rung: Rung) -> str | None:
    (note,) = (note for note in rung.notes if isinstance(note, Retransmission))
    return note.cause


def said(rung: Rung) -> str:
    return "; ".join(note.text(rung) for note in rung.notes)


def test_what_the_duplicate_acks_asked_for_once_a_timer_sends_again() -> None:
    rungs = play(VERDICTS["sent fast, lost again, and sent once more by a timer"])
    assert cause(rungs[-1]) == "timeout"


def test_a_later_clock_or_packet_was_not_overtaken() -> None:
    """Within a round trip of the gap, but sent behind what is said to have overtaken it."""
    ahead, late = packet(7, 200), packet(8, 100)
    assert cause(see(*HANDSHAKE, (1, ahead), (5, late))[-1]) == "gap"
    early = see(*HANDSHAKE, (1, packet(8, 200)), (5, packet(7, 100)))[-1]
    assert early.notes[0] == OutOfOrder(200)
    first, second = (
        tcp("client", ACK, seq, 500, bytes(100), options=b"\1\1\x08\x0a" + struct.pack("!II", t, 0))
        for seq, t in ((200, 51), (100, 81))
    )
    rungs = see(*HANDSHAKE, (1, first), (5, second))
    assert cause(rungs[-1]) == "gap"
    assert said(rungs[-1]).startswith("retransmission: the original was not seen here")


def test_what_came_upon_a_closed_window_had_no_room() -> None:
    shut = "+.01 < . 1:1(0) ack 1001 win 0\n"
    rungs = play(
        OPEN
        + "+.1 > . 1:1001(1000) ack 1\n"
        + shut
        + "+.3 > . 1001:1101(100) ack 1\n"
        + shut
        + "+.6 > . 1001:1101(100) ack 1\n"
        + "+.01 < . 1:1(0) ack 1001 win 1000\n+.001 > . 1001:1101(100) ack 1"
    )
    assert [cause(rungs[at]) for at in (7, 9)] == ["no-room", "no-room"]
    assert said(rungs[6]) == "zero window: the server still has no room"


def test_a_fin_sent_again_needs_no_room() -> None:
    rungs = play(
        OPEN + "+.1 > P. 1:1001(1000) ack 1\n+.001 > F. 1001:1001(0) ack 1\n"
        "+.01 < . 1:1(0) ack 1002 win 0\n+.3 > F. 1001:1001(0) ack 1"
    )
    assert cause(rungs[-1]) == "ack-lost"


def test_a_repair_casts_no_doubt_on_what_was_acknowledged_before_it() -> None:
    """Four segments, and a probe of the last: the first three have their round trips."""
    sent = "".join(f"+.001 > . {at}:{at + 1000}(1000) ack 1\n" for at in (1, 1001, 2001, 3001))
    _, summary = come_to(
        OPEN + sent + "+.1 > P. 3001:4001(1000) ack 1\n"
        "+.05 < . 1:1(0) ack 1001 win 9000\n+.001 < . 1:1(0) ack 2001 win 9000\n"
        "+.001 < . 1:1(0) ack 3001 win 9000\n+.1 < . 1:1(0) ack 4001 win 9000"
    )
    assert summary.client_rtt is not None
    assert summary.client_rtt.least == 153_000_000
    assert summary.client_rtt.p95 < 160_000_000


def test_a_syn_that_a_reset_answered_comes_once_more() -> None:
    refused = "+0 > S 0:0(0)\n+.001 < R. 0:0(0) ack 1 win 0\n+.5 > S 0:0(0)"
    assert cause(play(refused)[-1]) == "refused"


def test_a_synack_whose_ack_was_lost_is_acknowledged_once_more() -> None:
    """The client believes it: it has said so before (RFC 9293 §3.10.7.4, first check)."""
    rungs = play(OPEN + "+1 < S. 0:0(0) ack 1 win 1000\n+.01 > . 1:1(0) ack 1 win 1000")
    assert rungs[3].notes == (timers.AckLost(2, 1_010_000_000, acked=3),)
    assert said(rungs[3]).endswith(
        "the answer in rung 3 did not arrive in time, or was not accepted"
    )
    assert rungs[4].notes == (DuplicateAck(1, 3, "syn"),)
    assert said(rungs[4]).endswith("the client acknowledges the SYN again")


def test_a_fin_whose_ack_was_lost() -> None:
    closing = "+.1 > F. 1:1(0) ack 1\n+.01 < F. 1:1(0) ack 2\n+.01 > . 2:2(0) ack 2\n"
    rungs = play(OPEN + closing + "+.25 < F. 1:1(0) ack 2")
    assert rungs[-1].notes == (timers.AckLost(5, 260_000_000, acked=6),)


def test_a_duplicate_ack_behind_everything_waits_for_nothing() -> None:
    again = "+.1 > P. 1:101(100) ack 1\n+.02 < . 1:1(0) ack 101 win 1000\n" * 2
    rung = play(OPEN + again)[-1]
    assert rung.notes == (DuplicateAck(1, 5, "nothing"),)


def test_the_last_acks_very_packet_is_no_duplicate_ack() -> None:
    """Three ACKs, each seen twice, ask for nothing."""
    acks = [numbered(tcp("server", ACK, 500, 200), 50 + at // 2) for at in range(2)]
    rungs = see(*HANDSHAKE, (1, packet(7, 100)), *((1, ack) for ack in acks))
    assert rungs[-1].notes == (loss.CopiedAck(0, 5),)
    assert "the same packet of the last ACK again" in said(rungs[-1])


def test_a_fin_is_no_byte_that_an_older_ack_is_behind() -> None:
    closing = "+.1 > F. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 102\n"
    rungs = play(OPEN + closing + "+.001 < . 1:1(0) ack 51\n+.001 < . 1:1(0) ack 101")
    assert [rung.notes for rung in rungs[-2:]] == [(OlderAck(50, 5),), (OlderAck(0, 5),)]
    assert "by rung 5, only the FIN behind the newest: the client ignores" in said(rungs[-1])


CLOSING = "+.1 > F. 1:101(100) ack 1\n+.01 < F. 1:1(0) ack 102\n+.01 > . 102:102(0) ack 2\n"


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        ("+.1 > . 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101\n+.01 < . 1:1(0) ack 51", "ignores"),
        (CLOSING + "+.01 < . 1:1(0) ack 51", "client drops it, and may answer with an ACK"),
        (CLOSING + "+.01 < . 2:2(0) ack 51", "client ignores its number and window"),
        (CLOSING + "+.01 > . 102:102(0) ack 1", "server has closed, and may answer with a RST"),
    ],
)
def test_what_an_older_ack_draws(ladder: str, told: str) -> None:
    assert told in said(play(OPEN + ladder)[-1])


@pytest.mark.parametrize("ack", [0, -5000])
def test_what_acknowledges_nothing_of_this_connection_was_not_overtaken(ack: int) -> None:
    data = "+.1 > . 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101\n"
    assert play(OPEN + data + f"+.001 < . 1:1(0) ack {ack}")[-1].notes == ()


def test_an_ack_of_what_was_never_sent_has_overtaken_none() -> None:
    """Not even when as much has been sent: what its sender has acknowledged since is true."""
    wrong = "+.1 > . 1:101(100) ack 1\n+.01 < . 1:1(0) ack 901\n+.01 < . 1:1(0) ack 101\n"
    rungs = play(OPEN + wrong + "+.1 > . 101:1001(900) ack 1\n+.01 < . 1:1(0) ack 401")
    assert not any(isinstance(note, OlderAck) for rung in rungs for note in rung.notes)


def test_an_overtaken_ack_with_an_old_timestamp_is_no_old_duplicate() -> None:
    data = "+.1 > . 1:101(100) ack 1 <ts 5>\n+.001 > . 101:201(100) ack 1 <ts 5>\n"
    acks = "+.01 < . 1:1(0) ack 201 <ts 9>\n+.001 < . 1:1(0) ack 101 <ts 6>"
    rung = play(OPEN.replace("wscale 0", "wscale 0,ts 1") + data + acks)[-1]
    assert rung.notes == (OlderAck(100, 6),)


def test_other_bytes_are_not_the_very_same_packet() -> None:
    other = packet(7, 100)[:-1] + b"!"
    rung = see(*HANDSHAKE, (1, packet(7, 100)), (1, other))[-1]
    assert cause(rung) is None
    assert SegmentOverlapConflict(4, 100) in rung.notes


def test_a_copied_syn_is_not_answered_once_more() -> None:
    """Both SYN and SYN-ACK pass twice; the copy of the first tells when nothing was sent."""
    syn, synack = numbered(tcp("client", SYN, 99), 3), tcp("server", SYN | ACK, 499, 100)
    rungs = see((0, syn), (1, syn), (20, synack), (1, synack), (20, tcp("client", ACK, 100, 500)))
    assert [cause(rungs[1]), cause(rungs[3])] == ["same-packet", "same-packet"]
    assert rungs[-1].notes == (HandshakeComplete(42_000_000),)
    tracker = Tracker()
    for rung in rungs:
        tracker.seen(rung.segment)
    assert tracker.summaries()[0].initial_rtt == 42_000_000


def test_a_probe_before_any_round_trip_of_data() -> None:
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+.042 > P. 1:101(100) ack 1")
    assert cause(rungs[-1]) == "tail-loss-probe"


def test_no_room_is_needed_behind_a_fin() -> None:
    closing = "+.1 < F. 1:1(0) ack 1\n+.01 > F. 1:1(0) ack 2\n+.01 < . 2:2(0) ack 2 win 0"
    assert said(play(OPEN + closing)[-1]).startswith("zero window: the server needs no room")


def volumes(rungs: list[Rung]) -> tuple[int, int]:
    tracker = Tracker()
    for rung in rungs:
        tracker.seen(rung.segment)
    (summary,) = tracker.summaries()
    return summary.client_bytes, summary.server_bytes


@pytest.mark.parametrize(
    ("first", "counts"), [("< .  1:1(0) ack 1 win 1000", 200), ("< .  1:1(0) ack 51 win 1000", 200)]
)
def test_data_from_before_the_first_that_was_seen_count_once(first: str, counts: int) -> None:
    """The capture begins in the middle; what the client's ACK asks for comes behind."""
    lines = "\n+0 > . 501:601(100) ack 1\n+0 > . 51:151(100) ack 1\n+.3 > . 51:151(100) ack 1"
    assert volumes(play(f"+0 {first}{lines}")) == (counts, 0)


def test_the_byte_of_a_probe_counts_when_it_is_taken() -> None:
    rungs = play(VERDICTS["a zero-window probe whose byte is taken"])
    assert volumes(rungs) == (1502, 0)
    assert "room for 0" not in "".join(map(said, rungs))


def test_what_is_captured_late_counts_and_is_no_retransmission() -> None:
    rungs = play(VERDICTS["data that is captured behind its ACK"])
    assert volumes(rungs) == (200, 0)
    assert said(rungs[4]).startswith("captured late: its ACK was captured before it")


def test_a_copy_of_what_is_captured_late() -> None:
    ack, data = tcp("server", ACK, 500, 200), packet(7, 100)
    rungs = see(*HANDSHAKE, (1, ack), (1, data), (1, data), (90, packet(9, 100)))
    assert rungs[4].notes[0] == overtaking.CapturedLate(0)
    assert rungs[5].notes == (overtaking.SamePacket(5, 1_000_000),)
    assert rungs[6].notes == (SpuriousRetransmission(5, 91_000_000, 4),)


def test_a_fin_is_told_also_on_data_that_is_sent_again() -> None:
    again = tcp("client", FIN | ACK, 100, 500, bytes(100))
    rungs = see(*HANDSHAKE, (1, packet(7, 100)), (400, again), (400, again))
    told = [rung.number for rung in rungs if closing.ConnectionFin(1) in rung.notes]
    assert told == [5]
    assert all("retransmission" in said(rung) for rung in rungs[4:])


def test_what_has_an_earlier_time_than_its_ack_is_captured_late_however_old() -> None:
    """A file whose frames are not in order of time; ``-1`` hours, as in ``mergecap -a``."""
    ack = (4_000_000, tcp("server", ACK, 500, 200))
    for delay, late in ((-3_600_000, True), (3_600_000, False)):
        notes = see(*HANDSHAKE, ack, (delay, packet(7, 100)))[4].notes
        assert (overtaking.CapturedLate(0) in notes) is late
        assert any(isinstance(note, SpuriousRetransmission) for note in notes) is not late


def test_bytes_before_the_first_that_was_seen_count_too() -> None:
    later, earlier = packet(1, 1600), packet(2, 1100)
    assert volumes(see((0, later), (1, earlier), (400, earlier))) == (200, 0)


def test_new_bytes_behind_old_ones_are_said() -> None:
    rung = play(VERDICTS["old bytes and new ones in one segment"])[5]
    assert said(rung) == "retransmission; the client sends 50 bytes"


def test_sack_blocks_of_other_numbers() -> None:
    """A device on the way changes the numbers, but not those in the option."""
    block = b"\1\1\5\x0a" + struct.pack("!II", 1 << 30, (1 << 30) + 100)
    rung = see(*HANDSHAKE, (1, packet(7, 100)), (9, tcp("server", ACK, 500, 200, options=block)))[
        -1
    ]
    assert "nothing near was ever sent: the numbers were rewritten on the way" in said(rung)


def test_one_byte_is_no_plural() -> None:
    rungs = play(OPEN + "+.1 > P. 2:3(1) ack 1\n+.1 < . 1:1(0) ack 3")
    assert said(rungs[3]).startswith("a gap: 1 byte before this has not been seen")
    assert "1 byte not seen so far: the capture missed it, or shows it later" in said(rungs[4])
    assert Dsack(10, 11).text(rungs[0]).startswith("the client got byte 10 twice")
    assert Urgent(1).text(rungs[0]) == "urgent data, up to 1 byte on"
    assert seconds(999_600_000) == "1.00 s"
    assert seconds(999_600) == "1.0 ms"


def test_what_was_copied_is_known_when_it_comes_yet_another_time() -> None:
    ack = tcp("server", ACK, 500, 200)
    rungs = see(
        *HANDSHAKE, (1, packet(7, 100)), (1, packet(7, 100)), (18, ack), (1, packet(8, 100))
    )
    assert rungs[-1].notes == (SpuriousRetransmission(4, 20_000_000, 6),)


# ---- what is said of copies and losses -----------------------------------------------------------


def causes(ladder: str) -> list[list[str]]:
    """The kinds and causes of a ladder's segments."""
    return [
        [f"{note.kind} {getattr(note, 'cause', None) or ''}".strip() for note in rung.notes]
        for rung in play(ladder)
    ]


def test_a_recovery_needs_a_loss() -> None:
    """Numbers below the first that was seen are negative; nothing was lost."""
    before = "+0 < P. 1:201(200) ack 1 <id 502>\n+.0001 > . 1:1(0) ack -999 <sack 1:201>\n"
    assert causes(before + "+.0004 < . -999:1(1000) ack 1 <id 501>")[2] == ["out-of-order", "data"]


def test_a_reset_that_was_not_taken_makes_nobody_try_again() -> None:
    """It acknowledges no SYN; what sends the SYN again is its timer."""
    syn, reset = "+1 > S 0:0(0)\n", "+.001 < R. 1:1(0) ack 0\n"
    assert causes(syn + reset + syn)[2] == ["retransmission timeout"]
    taken = reset.replace("ack 0", "ack 1")
    assert causes(syn + taken + syn)[2][0] == "retransmission refused"


def test_a_window_update_is_copied_like_an_ack() -> None:
    update = "+.05 < . 1:1(0) ack 101 win 900 <id 8>\n"
    data = OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101 win 500 <id 7>\n" + update
    copy = update.replace("+.05", "+.00001")
    assert causes(data + copy)[-1] == ["duplicate-ack same-packet"]
    assert causes(data + copy.replace("8", "9"))[-1] == ["duplicate-ack nothing"]


def test_without_an_identification_a_copy_comes_at_once() -> None:
    """IPv6 has none; nobody sends anything again before an ACK could be there."""
    data = OPEN + "+.1 > P. 1:101(100) ack 1\n+{} > P. 1:101(100) ack 1\n"
    assert causes(data.format(".000010"))[-1] == ["retransmission same-packet"]
    assert causes(data.format(".0015"))[-1] == ["retransmission"]
    stamped = data.replace("ack 1\n", "ack 1 <ts 5>\n")
    assert causes(stamped.format(".000010"))[-1] == ["retransmission same-packet"]
    newer = stamped.format(".000010")[:-3] + "6>"
    assert causes(newer)[-1] == ["retransmission"]


def test_without_an_identification_an_ack_is_copied_at_once() -> None:
    data = OPEN + "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101\n"
    assert causes(data + "+.00001 < . 1:1(0) ack 101")[-1] == ["duplicate-ack same-packet"]
    assert causes(data + "+.0015 < . 1:1(0) ack 101")[-1] == ["duplicate-ack nothing"]
    lost = data.replace("ack 101\n", "ack 1\n")  # each that comes behind a gap is acknowledged
    assert causes(lost + "+.00001 < . 1:1(0) ack 1")[-1] == ["duplicate-ack"]
    block = lost.replace("ack 1\n", "ack 1 <sack 201:301>\n")
    assert causes(block + "+.00001 < . 1:1(0) ack 1 <sack 201:301>")[-1][0] == (
        "duplicate-ack same-packet"
    )
    assert causes(block + "+.00001 < . 1:1(0) ack 1 <sack 201:401>")[-1][0] == "duplicate-ack"
    stamped = data.replace("ack 101\n", "ack 101 <ts 5>\n") + "+.00001 < . 1:1(0) ack 101 <ts {}>"
    assert causes(stamped.format(5))[-1] == ["duplicate-ack same-packet"]
    assert causes(stamped.format(6))[-1] == ["duplicate-ack nothing"]  # its clock has gone on


def test_a_packet_is_a_copy_also_where_time_goes_back() -> None:
    data = OPEN + "+.1 > P. 1:101(100) ack 1 <id 7>\n+-2 > P. 1:101(100) ack 1 <id {}>\n"
    assert causes(data.format(7))[-1] == ["clock-step", "retransmission same-packet"]
    assert causes(data.format(9))[-1] == ["clock-step", "retransmission"]


def test_what_comes_long_before_its_time_was_not_overtaken() -> None:
    gap = OPEN + "+.1 > . 101:201(100) ack 1\n{} > . 1:101(100) ack 1"
    assert causes(gap.format("+.001"))[-1] == ["out-of-order", "data"]
    assert causes(gap.format("+-2"))[-1] == ["clock-step", "retransmission gap"]


def test_a_fin_sent_again_with_data_is_no_byte() -> None:
    data, fin = "+.1 < P. 1:32(31) ack 1\n", "+.3 < FP. 1:32(31) ack 1\n"
    _, summary = come_to(OPEN + data + fin + fin + "+.01 > . 1:1(0) ack 33")
    assert (summary.server_bytes, summary.closed_by) == (31, None)


# ---- a clock that is set, a window that opens ----------------------------------------------------

SET_BACK = """
+0    > S  0:0(0)
+.01  < S. 0:0(0) ack 1
+-.51 > .  1:1(0) ack 1
+.1   > P. 1:6(5) ack 1
+.1   < .  1:1(0) ack 6
"""


def durations(rung: Rung) -> list[int]:
    """Every number of a rung's facts that stands for a time."""
    return [
        value
        for note in rung.notes
        for name in ("duration", "after", "rtt", "waited", "by")
        if (value := getattr(note, name, None)) is not None
    ]


def test_a_clock_that_steps_back_is_said_once_and_no_duration_is_negative() -> None:
    rungs, summary = come_to(SET_BACK)
    assert rungs[2].notes == (ClockStep(510_000_000), HandshakeComplete(None))
    assert [note.kind for rung in rungs for note in rung.notes].count("clock-step") == 1
    assert rungs[2].notes[0].text(rungs[2]).startswith("the capture's clock steps back by 510 ms ")
    assert min(duration for rung in rungs for duration in durations(rung)) >= 0
    assert (summary.handshake_time, summary.initial_rtt) == (None, None)
    assert summary.end - summary.start == 200_000_000  # since the earliest


def test_a_copy_and_a_repetition_from_before_their_time_have_no_age() -> None:
    for identification in (7, 8):
        sent = OPEN + "+.1 > P. 1:101(100) ack 1 <id 7>\n"
        again = f"+-1 > P. 1:101(100) ack 1 <id {identification}>"
        assert play(sent + again)[-1].notes[1].after is None  # type: ignore[attr-defined]


def test_an_ack_from_before_its_time_tells_no_rtt() -> None:
    rungs = play(OPEN + "+.1 > P. 1:101(100) ack 1\n+-.05 < . 1:1(0) ack 101")
    assert [note.rtt for note in rungs[-1].notes if isinstance(note, Ack)] == [None]


def test_acks_of_something_else_are_not_denied() -> None:
    """No ACK of it has come; others have."""
    sent = OPEN + "+.1 > . 1:101(100) ack 1\n+.01 > . 101:201(100) ack 1\n"
    lost = sent + "+.01 < . 1:1(0) ack 101\n+.3 > . 101:201(100) ack 1"
    (note,) = play(lost)[-1].notes
    assert note.text(play(lost)[-1]).endswith(": no ACK of it has come")
    rungs = play(sent + "+.3 > . 1:101(100) ack 1")
    assert rungs[-1].notes[0].text(rungs[-1]).endswith(": no ACK has come")


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("+.01 < . 1:1(0) ack 102 win 500", "window update: there is room again at the server"),
        ("+.01 < . 1:1(0) ack 101 win 500", "window update: there is room again at the server"),
        ("+.01 < . 1:1(0) ack 103 win 500", "there is room again at the server"),
    ],
)
def test_whatever_opens_a_closed_window_says_so(last: str, said: str) -> None:
    closed = "+.1 > P. 1:101(100) ack 1\n+.01 < . 1:1(0) ack 101 win 0\n"
    rungs = play(OPEN + closed + "+.3 > . 101:102(1) ack 1\n" + last)
    assert f"{said}: 500 bytes" in [note.text(rungs[-1]) for note in rungs[-1].notes]


def test_the_window_of_a_reset_is_none() -> None:
    reset = "+.1 < R. 501:501(0) ack 1 win 0\n+.1 < P. 1:101(100) ack 1 win 500"
    assert causes(OPEN + reset)[-1] == ["data"]


def test_a_wrong_checksum_tells_why_the_bytes_differ() -> None:
    first, again = "+.1 > P. 1:6(5) ack 1 <byte 88,sum {}>\n", "+.3 > P. 1:6(5) ack 1 <sum {}>"
    rungs = play(OPEN + first.format(1) + again.format(0))
    assert [note.kind for note in rungs[-1].notes] == ["retransmission", "bad-checksum"]
    rungs = play(OPEN + first.format(0) + again.format(0))
    assert [note.kind for note in rungs[-1].notes] == ["retransmission", "segment-overlap-conflict"]
    rungs = play(OPEN + first.format(1) + again.format(1))  # no device has filled them in
    assert [note.kind for note in rungs[-1].notes] == ["retransmission", "segment-overlap-conflict"]


def test_keep_alives_where_the_capture_starts_in_the_middle() -> None:
    """Each has the number before the next: nothing is missing, and no ACK is repeated."""
    probe, answer = "+9.98 > . 1:1(0) ack 1\n", "+.02 < . 1:1(0) ack 2\n"
    rest = "+5 > P. 2:4(2) ack 1\n+.02 < . 1:1(0) ack 4\n"
    rungs, summary = come_to((probe + answer) * 3 + rest)
    kinds = [note.kind for rung in rungs for note in rung.notes]
    assert kinds == [*["keep-alive-ack", "keep-alive"] * 2, "keep-alive-ack", "data", "ack"]
    assert (summary.client_bytes, summary.troubles) == (2, 0)
    said = rungs[1].notes[0].text(rungs[1])
    assert "and rung 1 was a keep-alive, one before the next number, unless the capture" in said


def test_a_dsack_of_a_part_names_what_repeated_it() -> None:
    twice = "+.1 > P. 1:201(200) ack 1\n+.3 > P. 1:201(200) ack 1\n"
    rung = play(OPEN + twice + "+.01 < . 1:1(0) ack 201 <sack 101:201>")[-1]
    (told,) = [note for note in rung.notes if isinstance(note, Dsack)]
    assert told == Dsack(101, 201, 5, part=True)
    assert told.text(rung).endswith("this part of the retransmission in rung 5 was spurious")
    whole = play(OPEN + twice + "+.01 < . 1:1(0) ack 201 <sack 1:201>")[-1]
    assert Dsack(1, 201, 5) in whole.notes


def test_by_which_section_a_loss_was_found() -> None:
    assert FastRetransmission(4, 1, 1).source == "RFC 6675 §5"
    assert [FastRetransmission(4, 1, many).source for many in (2, 3)] == ["RFC 5681 §3.2"] * 2


def test_the_bytes_of_more_than_one_segment_are_kept() -> None:
    two = "+.1 > P. 1:1001(1000) ack 1\n+0 > P. 1001:2001(1000) ack 1\n"
    rung = play(OPEN + two + "+.3 > P. 1001:2001(1000) ack 1 <byte 121>")[-1]
    assert any(isinstance(note, SegmentOverlapConflict) for note in rung.notes)
