from __future__ import annotations

import random
from math import inf

import pytest

from trioecho.model import Frame
from trioecho.watch.merge import Merge


def batch(source: int, *times: int, first: int = 1) -> list[Frame]:
    return [Frame(number, time, b"", 1, 0, source) for number, time in enumerate(times, first)]


def seen(frames: list[Frame]) -> list[tuple[int, int, int]]:
    return [(frame.number, frame.time, frame.interface) for frame in frames]


def test_one_capture_waits_for_nobody() -> None:
    merge = Merge(1)
    frames = batch(0, 1, 2, 3)
    merge.take(frames)
    assert not merge.unsettled()
    assert merge.release() == frames
    assert merge.release() == []


def test_frames_wait_until_the_other_capture_has_spoken() -> None:
    merge = Merge(2)
    merge.take(batch(0, 10, 20, 30))
    assert merge.release() == []
    assert merge.unsettled() == [1]
    merge.settle(1, 20)
    assert seen(merge.release()) == [(1, 10, 0), (2, 20, 0)]
    assert merge.unsettled() == [1]
    merge.take(batch(1, 25, 40))
    assert seen(merge.release()) == [(3, 25, 1), (4, 30, 0)]
    assert merge.unsettled() == [0]
    merge.settle(0, 50)
    assert seen(merge.release()) == [(5, 40, 1)]
    assert merge.unsettled() == []


def test_a_capture_that_has_ended_holds_up_nobody() -> None:
    merge = Merge(2)
    merge.take(batch(0, 10))
    merge.end(1)
    assert seen(merge.release()) == [(1, 10, 0)]


def test_what_is_settled_stays_settled() -> None:
    merge = Merge(2)
    merge.settle(1, 50)
    merge.settle(1, 40)
    merge.take(batch(0, 50))
    assert seen(merge.release()) == [(1, 50, 0)]


def test_what_is_held() -> None:
    merge = Merge(2)
    assert (merge.newest, merge.waiting) == (0, 0)
    merge.take([Frame(1, 10, bytes(60), 1, 60), Frame(2, 20, bytes(40), 1, 40)])
    merge.end(0)
    assert (merge.newest, merge.waiting, merge.over(0), merge.over(1)) == (20, 100, False, False)
    merge.settle(1, 20)
    merge.release()
    assert (merge.newest, merge.waiting, merge.over(0), merge.over(1)) == (0, 0, True, False)


def test_a_clock_that_is_set_back_turns_no_captures_order_round() -> None:
    merge = Merge(2)
    merge.take(batch(0, 900, 1000, 100, 200))
    merge.take(batch(1, 950, 150, 250))
    for source in range(2):
        merge.settle(source, inf)
    got = merge.release()
    assert [frame.number for frame in got] == [1, 2, 3, 4, 5, 6, 7]
    for source, times in enumerate(([900, 1000, 100, 200], [950, 150, 250])):
        assert [frame.time for frame in got if frame.interface == source] == times


def test_frames_that_are_numbered_right_are_not_copied() -> None:
    merge = Merge(2)
    merge.end(1)
    for first in (1, 3):
        frames = batch(0, first, first + 1, first=first)
        merge.take(frames)
        assert all(one is other for one, other in zip(merge.release(), frames, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_any_course_gives_every_frame_once_in_order_of_time(seed: int) -> None:
    chance = random.Random(seed)
    merge = Merge(3)
    clock, got, put = 0, [], 0
    numbers = [1, 1, 1]
    for _ in range(200):
        source = chance.randrange(3)
        if chance.random() < 0.3:
            merge.settle(source, clock)
        else:
            times = [clock := clock + chance.randrange(1, 5) for _ in range(chance.randrange(1, 4))]
            merge.take(batch(source, *times, first=numbers[source]))
            numbers[source] += len(times)
            put += len(times)
        got += merge.release()
    for source in range(3):
        merge.settle(source, inf)
    got += merge.release()
    assert len(got) == put
    assert [frame.number for frame in got] == list(range(1, put + 1))
    assert [frame.time for frame in got] == sorted(frame.time for frame in got)
