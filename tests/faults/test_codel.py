"""CoDel: when it begins to drop, how often it does, and when it stops."""

from __future__ import annotations

import frames
import pytest
from fated import Wire, lost

from trioecho.faults.codel import INTERVAL, TARGET, Codel
from trioecho.model import ACK

MS = 1_000_000


def dropped(
    codel: Codel, first: int, last: int, wait: int = TARGET, waiting: int = 3001
) -> list[int]:
    """At which milliseconds it drops, of a packet each."""
    return [time for time in range(first, last) if codel.drops(time * MS, wait, 1500, waiting)]


def test_it_drops_after_an_interval_and_then_ever_more_often() -> None:
    """The next follows after 100 ms, then after 100/sqrt(2), and so on (RFC 8289 §5)."""
    assert dropped(Codel(), 0, 500) == [100, 200, 271, 329, 379, 424, 464]


def test_a_wait_below_the_target_stops_it() -> None:
    codel = Codel()
    assert dropped(codel, 0, 250) == [100, 200]
    assert not codel.drops(250 * MS, TARGET - 1, 1500, 3000)
    assert dropped(codel, 251, 460) == [351, 451]


def test_it_never_drops_where_no_more_than_a_packet_waits() -> None:
    assert dropped(Codel(), 0, 500, waiting=1500) == []
    assert dropped(Codel(), 0, 101, waiting=1501) == [100]


def test_it_goes_on_as_often_where_it_has_stopped_a_short_time_ago() -> None:
    codel = Codel()
    assert len(dropped(codel, 0, 500)) == 7
    assert not codel.drops(500 * MS, 0, 1500, 3000)
    first, second, *_ = dropped(codel, 501, 800)
    assert (first, second - first) == (601, 41)  # 100/sqrt(6): six more than as it began


def test_it_begins_anew_where_it_has_stopped_long_ago() -> None:
    codel = Codel()
    dropped(codel, 0, 500)
    assert not codel.drops(500 * MS, 0, 1500, 3000)
    first, second, *_ = dropped(codel, 5000, 5300)
    assert (first, second) == (5100, 5200)


@pytest.mark.parametrize(("begins", "pause"), [(2001, 41), (2002, 100)])
def test_a_short_time_is_less_than_16_intervals(begins: int, pause: int) -> None:
    """Behind the time at which it was to drop next, 502 ms."""
    codel = Codel()
    dropped(codel, 0, 500)
    assert not codel.drops(500 * MS, 0, 1500, 3000)
    assert dropped(codel, begins, begins + 240)[:2] == [begins + 100, begins + 100 + pause]


@pytest.mark.parametrize(("until", "pause"), [(201, 100), (272, 71)])
def test_it_takes_two_more_drops_than_the_first_to_go_on_as_often(until: int, pause: int) -> None:
    codel = Codel()
    dropped(codel, 0, until)
    assert not codel.drops(until * MS, 0, 1500, 3000)
    first, second, *_ = dropped(codel, until + 1, until + 240)
    assert (first, second) == (until + 101, until + 101 + pause)


def test_no_more_than_the_largest_packet_that_has_come() -> None:
    codel = Codel()
    assert not codel.drops(0, 0, 3000, 0)
    assert dropped(codel, 1, 500, waiting=3000) == []
    assert dropped(codel, 501, 602, waiting=3001) == [601]


def test_a_queue_with_codel_drops_before_it_is_full() -> None:
    """1,000 bytes take 8 ms at 1 Mbit/s; two come in that time."""
    data = frames.tcp("client", ACK, 1, 1, bytes(960))
    found = {}
    for queue in ("queue 1000", "queue 1000 codel", "queue 9 codel"):
        wire = Wire("rate 1mbit", queue)
        found[queue] = lost([wire.send("client", data, after=4 * MS) for _ in range(60)])
        assert bool(wire.fates.unmatched()) is (queue == "queue 1000")
    assert found["queue 1000"] == []
    (first, *_) = found["queue 1000 codel"]
    assert 12 < first < 20
    assert 4 <= len(found["queue 1000 codel"]) < 20
    assert len(found["queue 9 codel"]) > len(found["queue 1000 codel"])
    assert INTERVAL == 100 * MS
