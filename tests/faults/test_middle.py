"""What stands in the middle and drops: a NAT that forgets, and a policer."""

from __future__ import annotations

import frames
import pytest
from fated import MS, SECOND, Wire, good_checksums, segment_in

from trioecho.model import ACK, RST, SYN, End


def opened(*faults: str) -> Wire:
    wire = Wire(*faults)
    wire.send("client", frames.tcp("client", SYN, 1000))
    wire.send("server", frames.tcp("server", SYN | ACK, 5000, 1001))
    wire.send("client", frames.tcp("client", ACK, 1001, 5001))
    return wire


@pytest.mark.parametrize(("after", "lost"), [(5 * SECOND - 1, False), (5 * SECOND, True)])
def test_a_nat_forgets_what_was_idle(after: int, lost: bool) -> None:
    wire = opened("forget after 5s idle")
    data = frames.tcp("client", ACK, 1001, 5001, b"x")
    decision = wire.send("client", data, after=after)
    assert decision.lost is lost
    assert decision.fault == ("forget after 5s idle" if lost else "")
    assert bool(decision.deliveries) is not lost
    assert wire.send("client", data).lost is lost
    assert wire.send("server", frames.tcp("server", ACK, 5001, 1001)).lost is lost
    why = "the longest pause of a connection was 5.00 s"
    assert wire.fates.unmatched() == (
        () if lost else (f"'forget after 5s idle' never matched: {why}",)
    )
    assert not wire.send("client", frames.tcp("client", SYN, 9000)).lost  # a new connection


def test_what_comes_at_once_has_no_pause() -> None:
    wire = Wire("forget after 5s idle")
    for end in ("client", "server"):
        assert not wire.send(end, frames.tcp(end, ACK, 1, 1), after=0).lost
    (why,) = wire.fates.unmatched()
    assert why.endswith("the longest pause of a connection was 0 ns"), why


def test_each_connection_is_idle_on_its_own() -> None:
    wire = opened("forget after 5s idle")
    for _ in range(6):
        assert not wire.send("client", frames.tcp("client", ACK, 1, 1, port=1), after=SECOND).lost
    assert wire.send("client", frames.tcp("client", ACK, 1001, 5001)).lost
    assert not wire.send("client", frames.tcp("client", ACK, 1, 1, port=1)).lost


def test_what_is_lost_before_does_not_remind_it() -> None:
    wire = opened("forget after 5s idle", "drop client data 1")
    data = frames.tcp("client", ACK, 1001, 5001, b"x")
    assert wire.send("client", data, after=3 * SECOND).fault == "drop client data 1"
    assert wire.send("client", data, after=2 * SECOND).fault == "forget after 5s idle"


@pytest.mark.parametrize("end", ["client", "server"])
def test_it_may_answer_with_a_reset(end: End) -> None:
    wire = opened("forget after 5s idle rst", "delay 20ms")
    seq, ack = (1001, 5001) if end == "client" else (5001, 1001)
    data = frames.tcp(end, ACK, seq, ack, b"x")
    decision = wire.send(end, data, after=5 * SECOND)
    assert decision.lost
    (answer,) = decision.deliveries
    assert (answer.kind, answer.to, answer.at) == ("injected", end, wire.time)
    segment, sent = segment_in(answer.data), segment_in(data)
    assert segment is not None
    assert sent is not None
    assert (segment.flags, segment.seq, segment.ack) == (RST | ACK, ack, seq + 1)
    assert (segment.source, segment.destination) == (sent.destination, sent.source)
    assert good_checksums(answer.data)
    reset = wire.send(end, frames.tcp(end, RST, seq))
    assert reset.lost
    assert not reset.deliveries


def test_a_policer_drops_what_its_bucket_does_not_hold() -> None:
    """1 Mbit/s are 125 bytes a millisecond."""
    wire = Wire("police client 1mbit burst 2kB")
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    assert [wire.send("client", data, after=0).lost for _ in range(3)] == [False, False, True]
    assert wire.send("client", data, after=8 * MS - 1).lost
    assert not wire.send("client", data, after=1).lost
    assert wire.send("client", data, after=0).fault == "police client 1mbit burst 2kB"
    assert [wire.send("client", data, after=0).lost for _ in range(2)] == [True, True]
    pause = [wire.send("client", data, after=SECOND if new else 0).lost for new in (1, 0, 0)]
    assert pause == [False, False, True]  # the bucket holds no more than the burst
    back = frames.tcp("server", ACK, 1, 1, bytes(960))
    assert not any(wire.send("server", back, after=0).lost for _ in range(9))


def test_each_direction_has_a_bucket_and_what_is_lost_before_takes_nothing() -> None:
    wire = Wire("police 1mbit burst 1kB", "drop client data 1")
    for end in ("client", "server"):
        data = frames.tcp(end, ACK, 1, 1, bytes(960))
        assert wire.send(end, data, after=0).lost is (end == "client")
    assert not wire.send("client", frames.tcp("client", ACK, 961, 1, bytes(960)), after=0).lost
    assert wire.fates.unmatched() == (
        "'police 1mbit burst 1kB' never matched: none of 2 packets was above the rate",
    )
