"""Numbers that decide: each test fails when its number changes."""

from __future__ import annotations

import pytest
from frames import frames, play
from ladders import OPEN
from rule_ladders import LADDERS, RULES, ask

from trioecho.model import ACK, Endpoint, Frame, Options, Segment
from trioecho.model.spread import Spread
from trioecho.packet.decode import decode
from trioecho.packet.link import RAW
from trioecho.tcp.half import Half
from trioecho.tcp.outcome import round_trips
from trioecho.tcp.rules.data import NagleDelayedAck, small
from trioecho.tcp.rules.loss import Sack
from trioecho.tcp.rules.marks import EcnCounter, SegmentationOffload
from trioecho.tcp.rules.resets import NoAnswer
from trioecho.tcp.tracker import Tracker

HERE, THERE = Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.2", 7)


def test_the_counter_of_marked_packets_has_three_bits() -> None:
    """Four is one less than where it starts, and stands for seven."""
    found, _ = ask(RULES["marks.ecn_counter"], LADDERS["marks.ecn_counter"].fires)
    assert found == [EcnCounter(7)]


@pytest.mark.parametrize(("timestamps", "most"), [(None, 99), ((1, 1), 87)])
def test_the_timestamps_take_twelve_bytes(timestamps: tuple[int, int] | None, most: int) -> None:
    receiver = Half(HERE, mss=100)
    frame, options = Frame(1, 0, b"", RAW, 0), Options(timestamps=timestamps)
    segment = Segment(frame, HERE, THERE, 1, 1, ACK, 1000, options, 0, b"")
    assert small(most, segment, receiver)
    assert not small(most + 1, segment, receiver)


@pytest.mark.parametrize(("length", "offload"), [(8960, False), (8961, True)])
def test_more_than_a_jumbo_frame_is_offload_whatever_the_mss(length: int, offload: bool) -> None:
    syns = "+0 > S 0:0(0) <mss 20000>\n+.01 < S. 0:0(0) ack 1 <mss 20000>\n+.01 > . 1:1(0) ack 1\n"
    rung = play(f"{syns}+.1 > . 1:{1 + length}({length}) ack 1")[-1]
    assert any(isinstance(note, SegmentationOffload) for note in rung.notes) is offload


def test_a_receiver_that_told_no_mss_takes_536_bytes() -> None:
    segment = Segment(Frame(1, 0, b"", RAW, 0), HERE, THERE, 1, 1, ACK, 1, Options(), 0, b"")
    assert small(535, segment, Half(HERE))
    assert not small(536, segment, Half(HERE))


@pytest.mark.parametrize(("quick", "p95"), [(95, 10_000_000), (94, 50_000_000)])
def test_the_95th_percentile_is_that(quick: int, p95: int) -> None:
    spread = Spread()
    for number in range(100):
        spread.add(10_000_000 if number < quick else 50_000_000)
    trips = round_trips(Half(HERE, rtt=spread))
    assert trips is not None
    assert trips.p95 == pytest.approx(p95, rel=0.03)


@pytest.mark.parametrize(("late", "held"), [(".031", True), (".030999", False)])
def test_an_ack_is_held_back_that_takes_30_ms_more_than_the_quickest(late: str, held: bool) -> None:
    ladder = OPEN + "+.1 > P. 1:2(1) ack 1\n+.001 < . 1:1(0) ack 2\n+.1 > P. 2:12(10) ack 1\n"
    rung = play(f"{ladder}+{late} < . 1:1(0) ack 12\n+.001 > P. 12:22(10) ack 1")[-1]
    assert any(isinstance(note, NagleDelayedAck) for note in rung.notes) is held


@pytest.mark.parametrize(("length", "held"), [(99, True), (100, False)])
def test_only_the_ack_of_a_small_segment_is_waited_for(length: int, held: bool) -> None:
    """RFC 9293 §3.7.4: a full one leaves at once, whatever is not acknowledged yet."""
    end = 2 + length
    ladder = (
        OPEN + f"+.1 > P. 1:2(1) ack 1\n+.001 < . 1:1(0) ack 2\n+.1 > P. 2:{end}({length}) ack 1\n"
    )
    rung = play(f"{ladder}+.04 < . 1:1(0) ack {end}\n+.001 > P. {end}:{end + 10}(10) ack 1")[-1]
    assert any(isinstance(note, NagleDelayedAck) for note in rung.notes) is held


@pytest.mark.parametrize(("repeats", "gives_up"), [(1, False), (2, True)])
def test_who_has_sent_the_same_again_twice_gives_up(repeats: int, gives_up: bool) -> None:
    ladder = OPEN + "+.1 > P. 1:6(5) ack 1\n" + "+.3 > P. 1:6(5) ack 1\n" * repeats
    (note,) = play(ladder + "+1 > R. 6:6(0) ack 1")[-1].notes
    assert (note == NoAnswer()) is gives_up


@pytest.mark.parametrize(("far", "counts"), [(262145, True), (262146, False)])
def test_nothing_is_farther_ahead_than_four_windows(far: int, counts: bool) -> None:
    tracker = Tracker()
    for _, frame in frames(f"{OPEN}+.1 > . {far}:{far + 1}(1) ack 1"):
        segment = decode(frame)
        assert segment is not None
        tracker.seen(segment)
    assert tracker.summaries()[0].client_bytes == int(counts)


def last(ladder: str) -> list[str]:
    """What was found of the last segment, by the names of the classes."""
    return [type(note).__name__ for note in play(ladder)[-1].notes]


@pytest.mark.parametrize(("late", "found"), [(".002999999", "OutOfOrder"), (".003", "FillsGap")])
def test_without_a_handshake_3_ms_are_late(late: str, found: str) -> None:
    ladder = "> . 1:101(100) ack 1\n> . 201:301(100) ack 1\n"
    assert found in last(f"{ladder}+{late} > . 101:201(100) ack 1")


@pytest.mark.parametrize(("packet", "found"), [(1255, "FillsGap"), (1256, "OutOfOrder")])
def test_the_next_255_packets_were_sent_later(packet: int, found: str) -> None:
    ladder = OPEN + "+.1 > . 101:201(100) ack 1 <id 1000>\n"
    assert found in last(f"{ladder}+.001 > . 1:101(100) ack 1 <id {packet}>")


@pytest.mark.parametrize(
    ("after", "found"), [(".002", "TailLossProbe"), (".001999999", "Retransmission")]
)
def test_no_probe_comes_before_2_ms(after: str, found: str) -> None:
    near = "+0 > S 0:0(0)\n+.0005 < S. 0:0(0) ack 1\n+.0005 > . 1:1(0) ack 1\n"
    assert last(f"{near}+.1 > P. 1:101(100) ack 1\n+{after} > P. 1:101(100) ack 1") == [found]


@pytest.mark.parametrize(("after", "asks"), [(".99", True), (".989999999", False)])
def test_a_keep_alive_behind_a_fin_comes_after_a_second(after: str, asks: bool) -> None:
    ladder = OPEN + "+.1 > F. 1:1(0) ack 1\n+.01 < . 1:1(0) ack 2\n"
    assert (last(f"{ladder}+{after} > . 1:1(0) ack 1") == ["KeepAlive"]) is asks


@pytest.mark.parametrize(("end", "outside"), [(655461, False), (655462, True)])
def test_a_window_whose_scale_was_not_seen_may_have_the_largest(end: int, outside: bool) -> None:
    ladder = "> . 1:101(100) ack 1\n"
    rung = play(f"{ladder}< . 1:1(0) ack 101 win 10 <sack 201:{end}>")[-1]
    assert Sack(((201, end),), outside) in rung.notes
